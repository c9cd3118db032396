"""How batches reach the device: numbers at rest in their own type, floats on the device, one gather per batch."""

import threading
import warnings
from collections.abc import Iterator, Sequence
from queue import Queue
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diabolo.data.encoded import Encoded, as_encoded
from diabolo.data.images import Images, chunks
from diabolo.data.room import host_memory
from diabolo.data.unit import to_float
from diabolo.errors import UnknownNameError

PLACES = ("auto", "device", "host", "disk")
SHARE = 0.5  # of the free memory that the images may take
AHEAD = 4  # batches gathered before they are needed


class Store(Protocol):
    """Where the pixels lie. `place` says it in words."""

    place: str

    def batches(self, plan: Sequence[Tensor]) -> Iterator[Tensor]:
        """For each tensor of image numbers in `plan`, those images on the device, (B, …), as `to_float` makes them."""
        ...


class ResidentStore:
    """All images on the device (for the CPU: in memory); a batch is one `index_select`.

    With `mapped` a memory map stays one on the CPU: the system holds what is used, once for all processes, and gives it up when
    memory runs short.
    """

    def __init__(self, array: NDArray[Any], device: torch.device, mapped: bool = False) -> None:
        mapped = mapped and isinstance(array, np.memmap) and device.type == "cpu" and array.flags.c_contiguous
        if mapped and array.dtype.isnative:
            with warnings.catch_warnings():  # that it is not to be written to, which nobody does
                warnings.simplefilter("ignore")
                self.pixels = torch.from_numpy(array)
            self.place = f"memory-mapped from disk as {array.dtype} ({_mib(array.nbytes)})"
            return
        if as_encoded(array) is not None:
            self.pixels = _on(device, array)
        else:
            if isinstance(array, np.memmap):
                array = np.array(array)
            array = np.require(array, array.dtype.newbyteorder("="), ["C", "W"])
            self.pixels = torch.from_numpy(array).to(device)
        self.place = f"all on {device} as {array.dtype} ({_mib(array.nbytes)})"

    def batches(self, plan: Sequence[Tensor]) -> Iterator[Tensor]:
        """The images of each entry of `plan`."""
        for indices in plan:
            yield self.at(indices.to(self.pixels.device))

    def at(self, indices: Tensor) -> Tensor:
        """The images of those numbers, which lie on the device, as floats."""
        if self.pixels.dtype == torch.uint16:  # torch picks rows of signed numbers alone
            return to_float(self.pixels.view(torch.int16).index_select(0, indices).view(torch.uint16))
        return to_float(self.pixels.index_select(0, indices))


def _on(device: torch.device, images: NDArray[Any]) -> Tensor:
    """Encoded images (N, C, H, W) on the device, decoded some at a time."""
    kind = torch.from_numpy(np.empty(0, images.dtype)).dtype
    found, start = torch.empty(images.shape, dtype=kind, device=device), 0
    for piece in chunks(images):
        found[start : start + len(piece)] = torch.from_numpy(piece).to(device)
        start += len(piece)
    return found


class HostStore:
    """Images in host memory, mapped from disk, or decoded for each batch; a thread gathers a few batches ahead, through pinned
    memory for a GPU."""

    def __init__(self, array: NDArray[Any], device: torch.device) -> None:
        self.array, self.device = array, device
        kind = "memory-mapped from disk" if isinstance(self.array, np.memmap) else "in host memory"
        kind = "encoded on disk, decoded for each batch," if as_encoded(self.array) is not None else kind
        self.place = f"{kind} as {self.array.dtype} ({_mib(self.array.nbytes)}), {AHEAD} batches ahead"

    def _gather(self, indices: Tensor) -> Tensor:
        numbers = indices.cpu().numpy()
        ascending = np.argsort(numbers)  # a disk reads forwards faster than at random
        batch = np.empty((len(numbers), *self.array.shape[1:]), self.array.dtype)
        batch[ascending] = self.array[numbers[ascending]]
        pixels = torch.from_numpy(batch)
        return pixels.pin_memory() if self.device.type == "cuda" else pixels

    def batches(self, plan: Sequence[Tensor]) -> Iterator[Tensor]:
        """The images of each entry of `plan`."""
        ready: Queue[Tensor | BaseException | None] = Queue(AHEAD)
        stop = threading.Event()

        def work() -> None:
            try:
                for indices in plan:
                    if stop.is_set():
                        return
                    ready.put(self._gather(indices))
                ready.put(None)
            except BaseException as error:
                ready.put(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            while (item := ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield to_float(item.to(self.device, non_blocking=True))
        finally:
            stop.set()
            while thread.is_alive():  # a worker waiting for room in the queue must not outlive us
                while not ready.empty():
                    ready.get()
                thread.join(0.01)


def open_store(images: Images, device: torch.device, place: str = "auto") -> ResidentStore | HostStore:
    """The store for `images` on `device`: on it when they fit into half of its free memory, else host or disk. A memory map is
    not read into memory for the CPU unless `place` says so.

    Args:
        images: the images.
        device: where training runs.
        place: "auto"; "device"; "host" (read into memory, gathered there); "disk" (left where they are).

    Raises:
        UnknownNameError: for another place.
    """
    if place not in PLACES:
        raise UnknownNameError("place for the images", place, PLACES)
    array = images.images
    if place == "device" or (place == "auto" and array.nbytes <= SHARE * free_memory(device)):
        return ResidentStore(array, device, mapped=place == "auto")
    fits = array.nbytes <= SHARE * free_memory(torch.device("cpu"))
    if isinstance(array, np.memmap | Encoded) and (place == "host" or (place == "auto" and fits)):
        array = np.array(array)
    return HostStore(array, device)


def free_memory(device: torch.device) -> int:
    """Bytes free on `device`."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return host_memory()


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
