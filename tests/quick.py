"""Of many cases of one test, those that every change is tested on; the others have their turn with the slow tests."""

from collections.abc import Iterable

import pytest


def only(cases: Iterable[str], *kept: str) -> list[object]:
    """`cases` for `parametrize`: all but those `kept` are marked slow."""
    cases = list(cases)
    assert set(kept) <= set(cases), set(kept) - set(cases)
    return [case if case in kept else pytest.param(case, marks=pytest.mark.slow) for case in cases]
