"""One measure per function: what it takes, what it gives, in which unit.

A function measures what it is given, and never waits for another process. Where several share the work, all are given the same
images, and each measures its own, `distributed.mine(len(images))`. What it found is joined once, at the end and in every
process, which then has what one process would have found of all:

* sums that add up over batches (`Totals`, `generation.Moments`) and likelihoods (`Nats`) by their `over_processes()`;
* anything else of each image (posteriors, codes, errors) by `distributed.rows`, and counts of codes by `distributed.total`.

Probes, k-means, neighbours, t-SNE and the like do not add up: each process fits them alike, to the same joined codes.
"""

from diabolo.metrics.anomaly import separation
from diabolo.metrics.clustering import kmeans_agreement
from diabolo.metrics.completion import Completions, complete
from diabolo.metrics.components import components_needed, elbow, error_by_components
from diabolo.metrics.divergence import gaussian_kl
from diabolo.metrics.information import frechet_to_normal, mmd_to_normal, mutual_information
from diabolo.metrics.jumps import Jump, jumps
from diabolo.metrics.likelihood import Nats, bits_per_dimension, elbo_terms, negative_elbo, nll
from diabolo.metrics.probes import (
    attribute_probe,
    few_label_accuracy,
    linear_probe,
    nearest_neighbours,
    support_vectors,
)
from diabolo.metrics.receptive import receptive_field
from diabolo.metrics.reconstruction import Totals, cross_spectrum, per_image, spectrum
from diabolo.metrics.sharpness import fine_power, grid_pattern, sharpness
from diabolo.metrics.threshold import Threshold, threshold
from diabolo.metrics.usage import active_units, codebook_use

__all__ = [
    "Completions",
    "Jump",
    "Nats",
    "Threshold",
    "Totals",
    "active_units",
    "attribute_probe",
    "bits_per_dimension",
    "codebook_use",
    "complete",
    "components_needed",
    "cross_spectrum",
    "elbo_terms",
    "elbow",
    "error_by_components",
    "few_label_accuracy",
    "fine_power",
    "frechet_to_normal",
    "gaussian_kl",
    "grid_pattern",
    "jumps",
    "kmeans_agreement",
    "linear_probe",
    "mmd_to_normal",
    "mutual_information",
    "nearest_neighbours",
    "negative_elbo",
    "nll",
    "per_image",
    "receptive_field",
    "separation",
    "sharpness",
    "spectrum",
    "support_vectors",
    "threshold",
]
