"""One matplotlib figure per function: arrays in, a `matplotlib.figure.Figure` out.

Each draws a page of its own, or, with `on=subfigure`, a part of another; `page` puts many on one.
matplotlib is imported when the first figure is asked for, not with this package.
"""

from typing import TYPE_CHECKING

from diabolo.lazy import lazy

if TYPE_CHECKING:
    from .attributes import attribute_table
    from .captioned import neighbours, strips, worst
    from .codebook import codebook_heat, codebook_map
    from .curves import loss_curves
    from .decoded import decoded_grid, decoded_grids, latent_grid
    from .distributions import bars, histogram
    from .examples import signals, slices, vectors
    from .health import health_timeline
    from .images import density_samples, reconstructions, sample_grid
    from .latent import latent_maps, latent_scatter
    from .level_lines import contours
    from .lines import few_label_curve, response, spectrum
    from .matrices import matrix
    from .pages import page
    from .points import pareto, trade_off
    from .saving import save
    from .space import space_scatter
    from .sweeps import parallel_coordinates, trial_front
    from .thumbnails import thumbnail_scatter
    from .units import kl_bars, posterior_against_prior

__all__ = [
    "attribute_table",
    "bars",
    "codebook_heat",
    "codebook_map",
    "contours",
    "decoded_grid",
    "decoded_grids",
    "density_samples",
    "few_label_curve",
    "health_timeline",
    "histogram",
    "kl_bars",
    "latent_grid",
    "latent_maps",
    "latent_scatter",
    "loss_curves",
    "matrix",
    "neighbours",
    "page",
    "parallel_coordinates",
    "pareto",
    "posterior_against_prior",
    "reconstructions",
    "response",
    "sample_grid",
    "save",
    "signals",
    "slices",
    "space_scatter",
    "spectrum",
    "strips",
    "thumbnail_scatter",
    "trade_off",
    "trial_front",
    "vectors",
    "worst",
]

_HOME = {
    "attribute_table": "attributes",
    "bars": "distributions",
    "codebook_heat": "codebook",
    "codebook_map": "codebook",
    "contours": "level_lines",
    "decoded_grid": "decoded",
    "decoded_grids": "decoded",
    "density_samples": "images",
    "few_label_curve": "lines",
    "health_timeline": "health",
    "histogram": "distributions",
    "kl_bars": "units",
    "latent_grid": "decoded",
    "latent_maps": "latent",
    "latent_scatter": "latent",
    "loss_curves": "curves",
    "matrix": "matrices",
    "neighbours": "captioned",
    "page": "pages",
    "parallel_coordinates": "sweeps",
    "pareto": "points",
    "posterior_against_prior": "units",
    "reconstructions": "images",
    "response": "lines",
    "sample_grid": "images",
    "save": "saving",
    "signals": "examples",
    "slices": "examples",
    "space_scatter": "space",
    "spectrum": "lines",
    "strips": "captioned",
    "thumbnail_scatter": "thumbnails",
    "trade_off": "points",
    "trial_front": "sweeps",
    "vectors": "examples",
    "worst": "captioned",
}

__getattr__, __dir__ = lazy(__name__, _HOME)
