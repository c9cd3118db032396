"""One matplotlib figure per function: arrays in, a `matplotlib.figure.Figure` out.

matplotlib is imported when the first figure is asked for, not with this package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .curves import loss_curves
    from .decoded import decoded_grid, latent_grid
    from .images import reconstructions, sample_grid
    from .latent import latent_scatter
    from .saving import save

__all__ = [
    "decoded_grid",
    "latent_grid",
    "latent_scatter",
    "loss_curves",
    "reconstructions",
    "sample_grid",
    "save",
]

_HOME = {
    "decoded_grid": "decoded",
    "latent_grid": "decoded",
    "latent_scatter": "latent",
    "loss_curves": "curves",
    "reconstructions": "images",
    "sample_grid": "images",
    "save": "saving",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
