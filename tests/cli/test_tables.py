"""Scores in a terminal: a short headline, no broken word, no cut number; and comparisons as tables for a paper."""

import csv
import io
import re
import shutil

import pytest

from diabolo.cli.tables import Cell, comparison_tables, every_score, headline, table
from diabolo.display import words
from diabolo.evaluation import Evaluation, Section
from diabolo.evaluation.comparison import Comparison
from diabolo.evaluation.measure import HEADS, rank
from diabolo.metrics.score import Score
from diabolo.reports import comparison as page
from diabolo.reports import html, latex

KINDS = {  # measure → scores, as they are found for models of each kind
    "vae": ("NLL", "negative ELBO", "MSE", "FVU", "linear probe: codes", "active units", "FID, prior", "FID, gaussian"),
    "undercomplete": ("MSE", "FVU", "linear probe: codes", "live units", "FID, gaussian", "effective dimensions"),
    "denoising": ("denoising MSE", "MSE", "FVU", "linear probe: codes", "live units", "FID, gaussian"),
    "vqvae": ("MSE", "FVU", "linear probe: codes", "used codes", "perplexity", "FID, reconstruction", "stored code"),
    "pca": ("MSE", "FVU", "linear probe: codes", "live units", "FID, prior"),
    "classifier": ("linear probe: codes", "live units", "read above the majority", "parameters"),
}
FOREMOST = {"vae": "NLL", "denoising": "denoising MSE", "classifier": "linear probe: codes"}
UNITS = {
    "NLL": "nats per image (cross entropy of grey pixels, no likelihood)",
    "FID, prior": "squared distance of classifier features of 1×28×28 pixels",
}
NUMBER = re.compile(r"^[−\d,.e]+$")


def score(name, value=0.0123456, **beside):
    unit = UNITS.get(name, "squared error per pixel")
    chosen = {"better": "lower", "interval": "Student's t over images", "df": 9999} | beside
    return Score(value, unit, 10_000, "test", value * 0.998, value * 1.002, **chosen)


def evaluated(kind, value=0.0123456, run="r", more=("PSNR", "a score of an extraordinarily long name")):
    home = {name: measure for measure, heads in HEADS.items() for name in heads}
    sections: dict[str, dict[str, Score]] = {"reconstruction": {name: score(name, value) for name in more}}
    for name in KINDS[kind]:
        sections.setdefault(home[name], {})[name] = score(name, value)
    sections["learned"] = {
        "error": Score(0.2, "of the mean image's squared error", 1000, low=0.19, high=0.21),
        "variance of reconstructions": Score(0.8, "of the images' variance", 1000, low=0.7, high=0.9),
        **sections.get("learned", {}),
    }
    about = {"model": kind, "run": run, "test": {"images": 10_000, "name": "mnist", "split": "test"}}
    return Evaluation(about, {name: Section(scores) for name, scores in sections.items()}, {"cost": "it was too much"})


def lines_of(lines):
    return [line.plain for line in lines]


@pytest.mark.parametrize("kind", KINDS)
def test_the_headline_has_twelve_lines_and_what_matters_for_the_kind_of_model(kind):
    found = evaluated(kind, more=[f"other {i}" for i in range(60)])
    lines = lines_of(headline(found, "68 scores with figures in runs/0001/evaluation; --all prints them", 80))
    assert len(lines) <= 12
    assert lines[2].startswith(FOREMOST.get(kind, "MSE"))
    assert any(line.startswith("has learned: ") for line in lines)
    assert not any("other" in line for line in lines)
    assert sum(re.search(r" 0\.01232 to 0\.01237 ", line) is not None for line in lines) >= 4


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("value", [0.0123456, -1.2345e-7, 123456.789])
def test_no_line_is_too_long_no_word_is_broken_and_no_number_is_cut(width, value):
    found = evaluated("vae", value)
    for lines in (headline(found, "closing words", width), every_score(found, "closing words", width)):
        said = lines_of(lines)
        assert max(map(len, said)) <= width
        assert not any("…" in line for line in said)
        said_words = {word.strip("(),;:*") for word in " ".join(said).split()}
        for whole in ("reconstructions", "extraordinarily", "squared", "likelihood", "classifier"):
            assert not [word for word in said_words if whole.startswith(word) and 2 < len(word) < len(whole) - 1], width
        assert sum(words(value) in line for line in said) >= 5


def test_all_scores_are_there_with_the_reasons_of_what_is_not():
    said = "\n".join(lines_of(every_score(evaluated("vae"), "closing words", 80)))
    assert all(name in said for name in (*KINDS["vae"], "PSNR"))
    assert "not measured: cost, it was too much" in said


def test_few_scores_are_all_shown():
    found = evaluated("pca")
    few = Evaluation(found.about, {"reconstruction": found["reconstruction"]})
    assert any(line.startswith("PSNR") for line in lines_of(headline(few, "", 80)))


def test_columns_without_room_move_below_the_others():
    rows = [[Cell("name"), Cell("123.4", number=True), Cell("words of a unit")]]
    assert lines_of(table(["score", "value", "unit"], rows, 40)) == [
        "score  value  unit",
        "name   123.4  words of a unit",
    ]
    assert lines_of(table(["score", "value", "unit"], rows, 16)) == [
        "score  value",
        "name   123.4",
        "    words of a",
        "    unit",
    ]


def test_ranks_are_of_scores_and_every_one_is_another():
    places = [place for heads in HEADS.values() for place in heads.values()]
    assert len(places) == len({(m, n) for m, heads in HEADS.items() for n in heads})
    assert rank("likelihood", "NLL") == min(places)


LABELS = ("vae_1 (beta 50 %)", "pca & {more}", "undercomplete")


@pytest.fixture
def comparison():
    def seeds(value, kind):
        return [evaluated(kind, value * k, run=f"r{value * k}") for k in (1.0, 1.001)]

    return Comparison(
        {LABELS[0]: seeds(0.02, "vae"), LABELS[1]: seeds(0.01, "pca"), LABELS[2]: seeds(0.03, "undercomplete")}
    )


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_comparison_begins_with_numbers_in_lines_that_fit(width, comparison):
    for groups in ({"": comparison.heading()}, comparison.by_measure()):
        said = lines_of(comparison_tables(comparison, groups, width))
        assert max(map(len, said)) <= width
        assert not any("…" in line for line in said)
        assert " ".join(said).count("0.01001 ± 7.071e−6") >= 4
    assert said[0] == "3 models, 2 seeds each: 10,000 test images of mnist"


def test_bold_is_only_what_is_shown_to_be_better(comparison):
    said = list(comparison_tables(comparison, {"": comparison.heading()}, 120))[4:7]
    assert [line.plain.split()[0] for line in said] == ["vae_1", "pca", "undercomplete"]
    bold = {line.plain[span.start : span.end].strip() for line in said for span in line.spans if span.style == "bold"}
    assert bold == {"0.01001 ± 7.071e−6"}
    alike = Comparison({"a": [evaluated("pca", 0.02)], "b": [evaluated("pca", 0.02)]})
    assert not any(row.leading for row in alike.rows())


def test_nothing_is_bold_where_the_best_is_not_decided(tmp_path):
    values = {"a": [1.0, 1.3, 1.1, 1.2], "b": [1.1, 1.3, 1.2, 1.4], "c": [9.0, 9.1, 9.2, 9.3]}
    open_to = Comparison(
        {label: [evaluated("pca", v, run=f"{label}{v}") for v in some] for label, some in values.items()}
    )
    (row,) = [row for row in open_to.rows() if row.name == "MSE"]
    assert row.best[1]["c"].worse
    for ending in ("tex", "md"):
        text = page.write_table(open_to, tmp_path / f"t.{ending}").read_text()
        assert "Where that is not decided, nothing is bold." in text
        assert not re.search(r"textbf|\*\*", text)
    said = " ".join(lines_of(comparison_tables(open_to, {"": [row]}, 80)))
    assert "1.15 ± " in said
    (told,) = [one for block in page.document_of(open_to, {}).blocks if hasattr(block, "rows") for one in block.rows
               if one[0] == "MSE"]  # fmt: skip
    assert told[-2] == "not decided between a and b"


def test_the_page_has_a_sentence_for_each_group_and_the_rest_in_an_appendix(comparison):
    document = page.document_of(comparison, {})
    headings = [block.text for block in document.blocks if hasattr(block, "level")]
    assert headings.index("Appendix: all other scores") == len(headings) - 1
    (said,) = [block.text for block in document.blocks if getattr(block, "text", "").startswith("pca & {more} is sig")][
        :1
    ]
    assert "is significantly better than vae_1 (beta 50 %) and undercomplete in " in said
    assert re.search(r"difference 0\.0\d+, 95 % interval 0\.0\d+ to 0\.0\d+", said)
    tables = [block for block in document.blocks if hasattr(block, "columns")]
    assert [row[0] for row in tables[-1].rows].count("variance of reconstructions") == 1
    assert "pca &amp; {more}" in html.render(document)


def test_the_same_number_is_told_as_no_difference():
    values = {"a": [1.0, 1.001, 0.999, 1.0005], "b": [1.0, 1.0012, 0.9991, 1.0]}
    groups = {label: [evaluated("pca", v, run=f"{label}{v}") for v in some] for label, some in values.items()}
    rows = [row for row in Comparison(groups).rows() if row.name == "MSE"]
    assert list(page.sentences(rows)) == [
        "No model differs from the best by more than 1 % of the larger number (squared error per pixel) in MSE."
    ]
    open_to = {
        label: [evaluated("pca", v, run=f"{label}{v}") for v in some]
        for label, some in {"a": [1, 2], "b": [1, 3]}.items()
    }
    rows = [row for row in Comparison(open_to).rows() if row.name == "MSE"]
    assert list(page.sentences(rows)) == ["Whether the models differ in MSE is not decided."]


def test_a_table_for_latex(comparison, tmp_path):
    text = page.write_table(comparison, tmp_path / "t.tex").read_text()
    plain = re.sub(r"\\[{}%&_#$]", "", text)
    assert plain.count("{") == plain.count("}")
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == text.count(r"\begin{tabular}")
    assert r"vae\_1 (beta 50 \%)" in text
    assert r"pca \& \{more\}" in text
    assert r"\textbf{0.01001 $\pm$ 7.071e$-$6}" in text
    assert text.count(r"\textbf") == sum(len(row.leading) for row in comparison.heading())
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body.splitlines() if line.endswith(r"\\")} == {6}
    assert r"squared \\ distance of" in text


def test_latex_escapes_all_that_acts():
    assert latex.escape("a_b & 5 % #1 ${x}$ ~ ^ \\ \n <") == (
        r"a\_b \& 5 \% \#1 \$\{x\}\$ \textasciitilde{} \textasciicircum{} \textbackslash{} \textless{}"
    )


def test_a_table_of_raw_numbers(comparison, tmp_path):
    rows = list(csv.DictReader(io.StringIO(page.write_table(comparison, tmp_path / "t.csv").read_text())))
    (mse,) = [row for row in rows if (row["score"], row["model"]) == ("MSE", LABELS[0])]
    assert float(mse["value"]) == pytest.approx(0.02001, abs=1e-12)
    assert float(mse["low"]) < float(mse["value"]) < float(mse["high"])
    assert (mse["seeds"], mse["n"], mse["unit"]) == ("2", "10000", "squared error per pixel")
    assert {row["score"] for row in rows} >= {"PSNR", "error"}


def test_a_table_for_markdown(comparison, tmp_path):
    lines = page.write_table(comparison, tmp_path / "t.md").read_text().splitlines()
    assert lines[2].startswith(
        "| model | NLL (nats per image, cross entropy of grey pixels, no likelihood) | MSE (squared"
    )
    assert len({line.count("|") for line in lines[2:7]}) == 1
    assert "**0.01001 ± 7.071e−6**" in "".join(lines)


def test_files_of_other_kinds_are_refused(runs, refused, diabolo):
    both = [shutil.copytree(runs[name], name) for name in ("pca", "vae")]
    assert ".tex, .csv, .md" in refused(2, "compare", *both, "--out", "table.xlsx")
    answer = diabolo("compare", *both, "--measures", "reconstruction", "--out", "t.csv")
    assert answer.code == 0, answer
    assert answer.out.splitlines()[-1] == "t.csv"
