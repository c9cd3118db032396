"""What one does in latent space."""

from diabolo.latents.arithmetic import (
    Probe,
    Sweep,
    attribute,
    mean_difference,
    of_class,
    orthogonalised,
    probe_normal,
    sweep,
)
from diabolo.latents.codebook import codebook, unquantised, uses
from diabolo.latents.codes import codes_as_images
from diabolo.latents.densities import DENSITIES, Density, draw_images, fit_density
from diabolo.latents.duplicates import Duplicates, near_duplicates
from diabolo.latents.grids import Grid, by_quantiles, over_range
from diabolo.latents.interpolation import CodeGraph, along_data, confidence, linear, smoothness, spherical
from diabolo.latents.nearest import Memorisation, medoids, memorisation, nearest
from diabolo.latents.projection import Projection, most_of, project
from diabolo.latents.spreading import label_by_neighbours, neighbour_graph, spread
from diabolo.latents.stability import (
    between,
    cka,
    decoded_directions,
    neighbourhood_overlap,
    procrustes_distance,
    subspace_angles,
)
from diabolo.latents.traversal import Units, draws_of, kl_of_units, scaled_samples, traverse, units

__all__ = [
    "DENSITIES",
    "CodeGraph",
    "Density",
    "Duplicates",
    "Grid",
    "Memorisation",
    "Probe",
    "Projection",
    "Sweep",
    "Units",
    "along_data",
    "attribute",
    "between",
    "by_quantiles",
    "cka",
    "codebook",
    "codes_as_images",
    "confidence",
    "decoded_directions",
    "draw_images",
    "draws_of",
    "fit_density",
    "kl_of_units",
    "label_by_neighbours",
    "linear",
    "mean_difference",
    "medoids",
    "memorisation",
    "most_of",
    "near_duplicates",
    "nearest",
    "neighbour_graph",
    "neighbourhood_overlap",
    "of_class",
    "orthogonalised",
    "over_range",
    "probe_normal",
    "procrustes_distance",
    "project",
    "scaled_samples",
    "smoothness",
    "spherical",
    "spread",
    "subspace_angles",
    "sweep",
    "traverse",
    "units",
    "unquantised",
    "uses",
]
