"""A study's results and a run's scores name pictures: only those of their own folder are shown, or taken away."""

import json
import os
import socket

import pytest
from PIL import Image

from diabolo.errors import DiaboloError
from diabolo.evaluation.measuring import Evaluation
from diabolo.reports.document import Picture
from diabolo.studies.engine.record import as_block

RECORD = {"block": "Picture", "caption": "A figure.", "anchor": None}
HEAD = {
    "study": "pca", "parameters": {"data": "digits"}, "quick": True, "versions": {"diabolo": "0.1.0"}, "images": {},
    "at": "2026-01-01T00:00:00+00:00",
}  # fmt: skip


def png(path, colour=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (3, 3), colour).save(path, "png")
    return path


@pytest.fixture
def study(tmp_path):
    """study(*blocks, **head): the folder of a study with these blocks in row 3.2."""
    folder = tmp_path / "study"
    png(folder / "figures" / "own.png")

    def make(*blocks, **head):
        row = {"title": "t", "seconds": 1.0, "numbers": {}, "blocks": list(blocks)}
        (folder / "results.json").write_text(json.dumps(HEAD | {"rows": {"3.2": row}} | head))
        return folder

    return make


def test_a_picture_of_the_studys_own_is_shown(study):
    folder = study()
    assert as_block(RECORD | {"path": "figures/own.png"}, folder) == Picture(
        folder / "figures" / "own.png", "A figure."
    )
    assert "missing" in as_block(RECORD | {"path": "figures/gone.png"}, folder).text


@pytest.fixture
def secret(tmp_path):
    return png(tmp_path / "home" / "secret.png", 200)


SCRIPT = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
OUTSIDE = {  # what a study calls a picture of its own, what lies there then, and the reason that is given
    "absolute": ("{secret}", {}, "is not a .png file within"),
    "parent": ("../home/secret.png", {}, "is not a .png file within"),
    "within": ("figures/../../home/secret.png", {}, "is not a .png file within"),
    "link": ("link.png", {"link.png": ("link", "{secret}")}, "link that leads out"),
    "linked folder": ("linked/secret.png", {"linked": ("link", "{secret}/..")}, "link that leads out"),
    "loop": ("loop.png", {"loop.png": ("link", "loop.png")}, "link to nothing"),
    "folder": ("folder.png", {"folder.png": ("folder", "")}, "is a folder"),
    "pipe": ("pipe.png", {"pipe.png": ("pipe", "")}, "is a FIFO"),
    "svg": ("page.svg", {"page.svg": ("text", SCRIPT)}, "is not a .png file within"),
    "svg as png": ("script.png", {"script.png": ("text", SCRIPT)}, "is not a PNG image"),
    "text as png": ("words.png", {"words.png": ("text", "root:x:0:0")}, "is not a PNG image"),
    "linked vectors": ("v.png", {"v.png": ("png", ""), "v.pdf": ("link", "{secret}")}, "link that leads out"),
    "no pdf": ("v.png", {"v.png": ("png", ""), "v.pdf": ("text", "root:x:0:0")}, "is not a PDF"),
    "data": ("data:image/png;base64,AAAA", {}, "is not a .png file within"),
    "nothing": ("", {}, "is not a .png file within"),
    "nul": ("figures/own.png\0.png", {}, "is not a .png file within"),
    "a number": (3, {}, "is no"),
    "no ending": ("/etc/passwd", {}, "is not a .png file within"),
    "dot": (".", {}, "is not a .png file within"),
}


def lay(path, kind, content):
    match kind:
        case "link":
            path.symlink_to(content)
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "text":
            path.write_text(content)
        case "png":
            png(path)


@pytest.mark.parametrize(("path", "laid", "why"), OUTSIDE.values(), ids=list(OUTSIDE))
def test_no_other_file_gets_into_a_report(path, laid, why, study, secret, diabolo):
    folder = study(RECORD | {"path": path.format(secret=secret) if isinstance(path, str) else path})
    for name, (kind, content) in laid.items():
        lay(folder / name, kind, content.format(secret=secret) if kind == "link" else content)
    code, out, err = diabolo("report", folder)
    assert (code, err.count("\n")) == (2, 1), (out, err)
    assert why in err
    assert not list(folder.glob("report.*"))


@pytest.mark.parametrize("path", ["https://example.org/x.png", "file://{secret}"])
def test_an_address_is_a_path_within_where_nothing_lies(path, study, secret, diabolo):
    folder = study(RECORD | {"path": path.format(secret=secret)})
    code, _, err = diabolo("report", folder)
    assert code == 0, err
    assert "is missing" in (folder / "report.md").read_text()


@pytest.mark.parametrize(
    "record",
    [
        {"block": "Path", "path": "figures/own.png"},
        {"block": "dataclass"},
        {"block": "Document", "title": "a", "about": "b", "blocks": []},
        {"block": "__builtins__"},
        {"block": ["Picture"]},
        {"block": None},
        {},
        {"block": "Paragraph"},
        {"block": "Paragraph", "text": 3},
        {"block": "Paragraph", "text": "a", "more": 1},
        {"block": "Paragraph", "text": "a", "cites": "row"},
        {"block": "Paragraph", "text": "a", "cites": [None]},
        {"block": "Heading", "text": "a", "level": 10**9},
        {"block": "Heading", "text": "a", "level": "1"},
        {"block": "Heading", "text": "a", "anchor": ["x"]},
        {"block": "Table", "columns": ["a"], "rows": [["x", "y"]], "caption": "c"},
        {"block": "Table", "columns": ["a"], "rows": [[{"x": 1}]], "caption": "c"},
        {"block": "Table", "columns": ["a"], "rows": "abc", "caption": "c"},
        {"block": "Table", "columns": ["a"], "rows": [], "caption": "c", "links": ["x"]},
        {"block": "Verdict", "claim": "a", "measured": "b", "state": "<script>"},
        {"block": "Code", "text": None},
        {"block": "Bullets", "items": [1]},
        {"block": "Picture", "path": "figures/own.png"},
        {"block": "Picture", "path": "figures/own.png", "caption": None},
    ],
    ids=lambda record: str(record)[:50],
)
def test_what_is_no_block_is_refused_in_a_sentence(record, study, diabolo):
    code, _, err = diabolo("report", study(record))
    assert (code, err.count("\n")) == (2, 1), err
    assert "results.json" in err


@pytest.mark.parametrize(
    "head",
    [
        {"study": 3}, {"study": ["pca"]}, {"parameters": []}, {"parameters": {"data": {"a": 1}}}, {"quick": "yes"},
        {"versions": {}}, {"versions": "1"}, {"at": 5}, {"images": []}, {"images": {"data": 3}},
        {"images": {"data": {"name": "x", "parts": {"test": ["1", 2, "c"]}, "unchecked": None}}},
        {"images": {"data": {"name": "x", "parts": {"test": [1, 2]}, "unchecked": None}}},
        {"rows": []}, {"rows": {"3.2": 3}}, {"rows": {"3.2": {"numbers": {}, "blocks": {}}}},
        {"rows": {"3.2": {"numbers": {"a": 1}, "blocks": []}}},
        {"rows": {"3.2": {"numbers": {"a": {"value": "1", "unit": "x"}}, "blocks": []}}},
        {"rows": {"3.2": {"numbers": {"a": {"value": 1, "unit": "x", "low": "0", "high": 2}}, "blocks": []}}},
        {"rows": {"3.2": {"numbers": {}, "blocks": [], "report": {"title": 1}}}},
    ],
    ids=lambda head: str(head)[:60],
)  # fmt: skip
def test_results_of_another_shape_are_refused_in_a_sentence(head, study, diabolo):
    code, _, err = diabolo("report", study(**head))
    assert (code, err.count("\n")) == (2, 1), err
    assert "is not that of a study" in err


@pytest.fixture
def scored(honest, stranger, secret, tmp_path):
    """scored(name): a run that has been evaluated, whose scores name that figure."""
    run = stranger()
    figure = {"about": {}, "scores": {}, "skipped": {}, "seconds": {}, "figures": []}
    about = {
        "model": "vae", "run": None, "weights": "x", "seed": 0, "at": "2026-01-01T00:00:00+00:00",
        "test": {"name": "digits", "split": "test", "images": 40, "shape": [1, 8, 8], "fingerprint": "f"},
    }  # fmt: skip

    def make(**changes):
        (run / "evaluation").mkdir(exist_ok=True)
        (run / "evaluation" / "scores.json").write_text(json.dumps(figure | {"about": about} | changes))
        return run

    return make


HOSTILE = [
    "../../home/secret",
    "{secret}",
    "a/../../../home/secret",
    "..",
    ".",
    "",
    "a\nb",
    3,
    "sub/secret",
    "..\\secret",
]


def test_scores_neither_show_nor_take_away_what_lies_elsewhere(scored, secret, diabolo):
    for name in HOSTILE:
        run = scored(figures=[name.format(secret=secret.with_suffix("")) if isinstance(name, str) else name])
        with pytest.raises(DiaboloError, match="is no name of a figure"):
            Evaluation.read(run / "evaluation")
    code, _, err = diabolo("evaluate", run, "--measures", "reconstruction")
    assert code == 0, err
    assert secret.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"about": []}, {"about": {"test": 3}}, {"skipped": {"a": 3}}, {"skipped": []}, {"scores": {"a": {"b": 3}}},
        {"scores": {"a": {"b": {"value": "1", "unit": "x", "n": 3}}}}, {"figures": "abc/def"},
        {"scores": {"a": {"b": {"value": 1, "unit": "x", "n": 3, "low": "0", "high": 1}}}},
        {"scores": {"a": {"b": {"value": 1, "unit": 4, "n": 3}}}}, {"scores": []},
    ],
    ids=str,
)  # fmt: skip
def test_scores_of_another_shape_are_refused_in_a_sentence(changes, scored):
    with pytest.raises(DiaboloError, match="was edited or damaged") as caught:
        Evaluation.read(scored(**changes) / "evaluation")
    assert "\n" not in str(caught.value)


def test_a_picture_that_is_a_link_is_not_shown(scored, secret, diabolo):
    run = scored(figures=["linked"])
    (run / "evaluation" / "linked.png").symlink_to(secret)
    code, _, err = diabolo("report", run, "--no-notebook")
    assert (code, err.count("\n")) == (2, 1), err
    assert "leads out of" in err


# --- links of a study's folder ------------------------------------------------------------------------------------------


def link_the_results(folder, secret):
    (folder / "results.json").rename(secret.parent / "results.json")
    (folder / "results.json").symlink_to(secret.parent / "results.json")


def link_the_figures(folder, secret):
    (folder / "figures" / "own.png").unlink()
    (folder / "figures").rmdir()
    (folder / "figures").symlink_to(secret.parent)


def link_something_deep(folder, secret):
    (folder / "figures" / "more").mkdir()
    (folder / "figures" / "more" / "linked").symlink_to(os.path.relpath(secret, folder / "figures" / "more"))


def link_to_nothing(folder, secret):
    (folder / "trained").symlink_to("nowhere")


def lay_a_fifo(folder, secret):
    os.mkfifo(folder / "notes")


def lay_a_socket(folder, secret):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(folder / "s"))


@pytest.mark.parametrize(
    "lay", [link_the_results, link_the_figures, link_something_deep, link_to_nothing, lay_a_fifo, lay_a_socket]
)
def test_a_study_folder_with_a_way_out_is_refused_by_all_that_touch_it(
    lay, study, secret, diabolo, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    folder = study()
    before = secret.read_bytes()
    lay(folder, secret)
    left = sorted(secret.parent.iterdir())
    for words in (
        ["report", folder],
        ["study", "pca", "--data", "digits", "--quick", "--only", "3.2", "--out", folder],
    ):
        code, _, err = diabolo(*words)
        assert (code, err.count("\n")) == (2, 1), err
        assert "link" in err or "is a FIFO" in err or "is a socket" in err
    assert sorted(secret.parent.iterdir()) == left
    assert secret.read_bytes() == before
    assert not list(folder.rglob("report.*"))
    assert not (folder / ".lock").exists()
