"""Whether what is to be read fits into memory, asked before any of it is allocated."""

from diabolo.errors import DiaboloError


def check_room(size: int, what: str) -> None:
    """Refuse `what`, of `size` bytes once read, where so much memory is not free.

    Raises:
        DiaboloError: with both numbers.

    Example:
        >>> diabolo.data.room.check_room(1 << 60, "x.csv")
        Traceback (most recent call last):
        diabolo.errors.DiaboloError: x.csv would take 1,152,921,504.6 GB of memory, and ... GB are free: ...
    """
    import torch

    from diabolo.data.stores import free_memory

    free = free_memory(torch.device("cpu"))
    if size > free:
        raise DiaboloError(
            f"{what} would take {size / 1e9:,.1f} GB of memory, and {free / 1e9:,.1f} GB are free: read fewer rows or columns, "
            "or save it as a .npy file, which is mapped from disk"
        )
