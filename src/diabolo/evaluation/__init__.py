"""`evaluate(model, data)`: which measures apply, run together, one record. A measure is one file here, over `metrics/`."""

from diabolo.evaluation.comparison import Comparison, compare
from diabolo.evaluation.measure import HELP, MEASURES, NotApplicable, Panel, Section, measure, options_of
from diabolo.evaluation.measuring import Evaluation, evaluate
from diabolo.evaluation.screening import Screened, screen
from diabolo.evaluation.subject import Subject

# The measures, in the order of the table; each makes itself known.
# isort: off
from diabolo.evaluation import learned  # noqa: F401  # makes itself known
from diabolo.evaluation import reconstruction, rate, likelihood, anomaly, cost  # noqa: F401  # makes itself known
from diabolo.evaluation import probes, few_labels, clustering, attributes, usage, prior_hole, disentanglement  # noqa: F401  # makes itself known
from diabolo.evaluation import arithmetic, interpolation, memorisation, stability  # noqa: F401  # makes itself known
from diabolo.evaluation import generation, lpips, protocol  # noqa: F401  # makes itself known
# isort: on

__all__ = [
    "HELP",
    "MEASURES",
    "Comparison",
    "Evaluation",
    "NotApplicable",
    "Panel",
    "Screened",
    "Section",
    "Subject",
    "compare",
    "evaluate",
    "measure",
    "options_of",
    "screen",
]
