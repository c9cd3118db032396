"""What is said when a data set is neither on disk nor to be had from the network."""

from pathlib import Path

from diabolo.errors import DiaboloError

INSTEAD = "--data digits"  # a study knows better


def missing(name: str, home: Path, cause: BaseException) -> DiaboloError:
    """One sentence: what is missing or damaged, why, where its files would go, and what works without a network."""
    reason = " ".join(str(cause).split()) or type(cause).__name__
    if len(reason) > 200:
        reason = reason[:200] + " …"
    return DiaboloError(
        f"{name} is not complete in {home} (or damaged) and could not be fetched ({reason}): put its files there, "
        f"or take a set that needs no network: {INSTEAD}"
    )
