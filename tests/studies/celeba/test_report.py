"""The five sections: the takeaway in each outcome, and the contents that are looked for."""

import pytest

from diabolo.reports.document import Document, Heading, Paragraph, Table
from diabolo.studies.celeba import contents
from diabolo.studies.celeba import report as of_report
from diabolo.studies.celeba.fits import at
from diabolo.studies.celeba.regimes import Betas
from diabolo.studies.engine.findings import Measured

BETAS = Betas(1.0, 0.1)
MORE, LESS, SAME = (Measured(value, 0.5, unit="percentage points") for value in (5.0, -5.0, 0.2))


@pytest.mark.parametrize(
    ("probe", "first"),
    [
        (
            MORE,
            "the KL term at β = 1 costs a linear probe for Smiling 5.0 ± 1.0 percentage points, as expected because",
        ),
        (
            LESS,
            "the KL term at β = 1 helps a linear probe for Smiling by 5.0 ± 1.0 percentage points, which",
        ),
        (SAME, "do not differ significantly, which shows no price"),
    ],
)
@pytest.mark.parametrize(
    ("fid", "then"),
    [
        (90, "a Gaussian fitted to codes draws better faces than N(0, I) (FID 90 and 300)"),
        (400, "draws worse"),
        (300, "the FIDs of a Gaussian fitted to codes and of N(0, I) differ by less"),
    ],
)
def test_takeaway(probe, first, fid, then):
    found = {at("probe gap", 1.0): probe, at("probe gap", 0.1): SAME}
    said = of_report.takeaway("10 faces", "Smiling", found, BETAS)
    assert said.startswith("On 10 faces, ")
    assert first in said
    for beta in BETAS:
        numbers = {"N(0, I)": 300, "fitted Gaussian": fid}
        found |= {at(f"FID, {name}", beta): Measured(n, 2, unit="squared distance") for name, n in numbers.items()}
    both = of_report.takeaway("10 faces", "Smiling", found, BETAS)
    assert both.startswith(said[:-1])
    assert then in both
    assert both.count(". ") == 0


def test_what_was_looked_at_instead():
    assert of_report.instead(30_000, 5_000, "official") == ""
    said = of_report.instead(10_000, 1_400, "persons")
    assert "test images of CelebA's official parts. This run used 10,000 and 1,400, with no person in both." in said
    assert "10,000 and 1,400." in of_report.instead(10_000, 1_400, "official")
    assert of_report.instead(30_000, 5_000, "persons")


def test_where_it_ran():
    assert of_report.machine_of({"device": "cpu", "threads": 2}) == "2 CPU cores"
    assert of_report.machine_of({"device": "cpu", "threads": 1}) == "one CPU core"
    assert of_report.machine_of({"device": "cuda:0", "threads": 2}) == "a GPU (cuda:0)"


def test_time_and_memory():
    numbers = {"an epoch": 12.34, "pixels": 117, "operations": 1, "operations, full size": 9}
    said = of_report.resources({name: Measured(v) for name, v in numbers.items()}, 16277, "2 CPU cores")
    assert "An epoch of 16,277 images takes 12.3 s on 2 CPU cores (median), and their pixels take 117 MiB." in said
    assert "would take 90 times the operations and 95 times the memory" in said


def test_contents_are_looked_for_in_their_own_section():
    collapse = Paragraph("The posterior did not collapse: 3 of 4 units are active.")
    parts = {title: [Heading(title)] for title in contents.SECTIONS}
    parts["Reflection"].append(collapse)
    there = contents.found(Document("", "", [block for part in parts.values() for block in part]))
    assert there["Reflection", "collapse"] == 1
    assert sum(there.values()) == 1
    parts["Reflection"].remove(collapse)
    parts["Executive Summary"].append(collapse)
    assert sum(contents.found(Document("", "", [block for part in parts.values() for block in part])).values()) == 0


def test_every_pattern_of_a_content_counts():
    title, content = contents.SECTIONS[1], "final losses, training and validation"
    columns = ("model", "input", "training loss", "validation loss")
    rows = [(name, "clean", "0.1", "0.2") for name in ("undercomplete", "sparse", "denoising")]
    whole, part = (Document("", "", [Heading(title), Table(columns, some, "Losses.")]) for some in (rows, rows[:2]))
    assert f"{title}: {content}" in contents.missing(part)
    assert f"{title}: {content}" not in contents.missing(whole)
    assert contents.without(["a: b", "c: d"]) == ", and not a: b; c: d"
    assert contents.without([]) == ""
    assert (contents.found(whole)[title, content], contents.found(part)[title, content]) == (1, 0)
