"""One measure per function: what it takes, what it gives, in which unit."""

from diabolo.metrics.anomaly import separation
from diabolo.metrics.attributes import attribute_probe
from diabolo.metrics.clustering import kmeans_agreement
from diabolo.metrics.completion import Completions, complete
from diabolo.metrics.components import components_needed, error_by_components
from diabolo.metrics.elbow import elbow
from diabolo.metrics.few_labels import few_label_accuracy
from diabolo.metrics.information import mutual_information
from diabolo.metrics.intervals import bootstrap, mean_interval, wilson
from diabolo.metrics.likelihood import Nats, bits_per_dimension, elbo_terms, negative_elbo, nll
from diabolo.metrics.prior_hole import frechet_to_normal, mmd_to_normal
from diabolo.metrics.probes import linear_probe, nearest_neighbours
from diabolo.metrics.reconstruction import Totals, per_image, spectrum
from diabolo.metrics.usage import active_units, codebook_use

__all__ = [
    "Completions",
    "Nats",
    "Totals",
    "active_units",
    "attribute_probe",
    "bits_per_dimension",
    "bootstrap",
    "codebook_use",
    "complete",
    "components_needed",
    "elbo_terms",
    "elbow",
    "error_by_components",
    "few_label_accuracy",
    "frechet_to_normal",
    "kmeans_agreement",
    "linear_probe",
    "mean_interval",
    "mmd_to_normal",
    "mutual_information",
    "nearest_neighbours",
    "negative_elbo",
    "nll",
    "per_image",
    "separation",
    "spectrum",
    "wilson",
]
