"""That two numbers are the same: within a margin, which must be stated. A difference that is not significant shows nothing."""

from diabolo.statistics.checks import positive
from diabolo.statistics.estimate import Estimate


def equivalence_p(difference: Estimate, margin: float) -> float:
    """How probable it is that a difference as large as `margin`, either way, comes out as near to 0 as this: the larger of two
    one-sided p-values (Schuirmann 1987, "A comparison of the two one-sided tests procedure").

    Raises:
        DiaboloError: for a margin that is not above 0.

    Example:
        >>> round(diabolo.statistics.equivalence_p(diabolo.statistics.Estimate(0.1, 0.2), margin=1.0), 6)
        3e-06
    """
    positive("margin", margin)
    return max(difference.beyond(-margin), (-difference).beyond(-margin))


def equivalent(difference: Estimate, margin: float, level: float = 0.05) -> bool:
    """Whether the true difference lies within ± `margin`: whether its interval of confidence 1 − 2 · `level` does.

    Args:
        difference: of two numbers.
        margin: the largest difference that does not matter, in the unit of the numbers.
        level: of how many such statements may be wrong.

    Example:
        >>> difference = diabolo.statistics.Estimate(0.1, 0.2)
        >>> diabolo.statistics.equivalent(difference, margin=1.0), diabolo.statistics.equivalent(difference, margin=0.2)
        (True, False)
    """
    return equivalence_p(difference, margin) < level
