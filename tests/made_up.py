"""Numbers that were never measured, for sentences that are to be tested in every outcome."""

from diabolo.studies.engine.findings import Measured

SURE = 0.01  # standard error of what is made up


class Ones(dict[str, Measured]):
    """Every number is 1 ± 0.01, but those given."""

    def __missing__(self, name: str) -> Measured:
        return Measured(1.0, SURE)


def of(given: dict[str, float]) -> dict[str, Measured]:
    """The numbers given, each ± 0.01; 1 for all others."""
    return Ones({name: Measured(value, SURE) for name, value in given.items()})
