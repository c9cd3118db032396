import pytest

from diabolo.reports.unbroken import FIRM, unbroken


@pytest.mark.parametrize("text", ["N(0, I)", "N(0, 1)", "0.3 ± 0.1", "β = 4", "λ = 0.001", "α = −2"])
def test_what_belongs_together_holds_together(text):
    firm = unbroken(f"so {text}, or not")
    assert firm == f"so {text.replace(' ', FIRM)}, or not"


@pytest.mark.parametrize("text", ["f(0, I)", "a = b", "x ± y", "--beta = 4"])
def test_all_else_may_be_broken(text):
    assert unbroken(text) == text
