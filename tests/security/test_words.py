"""Names of runs, data, classes and files are shown as they are, wherever they go: they give no orders and open no tags."""

import base64
import csv
import hashlib
import os
import re
import shlex
import unicodedata

import nbformat
import numpy as np
import pytest
from markdown_it import MarkdownIt
from PIL import Image

from diabolo import figures, zoo
from diabolo.doctor.prescription import line_of
from diabolo.errors import DiaboloError
from diabolo.plain import cell, visible
from diabolo.reports import html, markdown, pdf
from diabolo.reports.document import Bullets, Code, Document, Heading, Paragraph, Prose, Table, Verdict
from diabolo.runs.config import Config
from diabolo.terminal import Terminal, say

ACTING = "\x1b[31m\x1b]0;title\x07\x1b]8;;https://evil\x1b\\\x9b2J\x85\r\x08\x00\x7f\u202e\u2066\u200f\u2028\ufeff\U000e0041\u200b"
MARKUP = "[red]red[/red] [link=https://evil]x[/link] :smile: [/]"
TAGS = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'><a href='javascript:alert(1)'>"
BLANK = "`\n\n<script>alert(2)</script>\n\n![x](https://evil/x.png) [y](javascript:alert(3))\n\n"
MATHS = "$\\frac{$ $x^2$ $"
NAME = f"name {ACTING}{MARKUP}{TAGS}{BLANK}{MATHS}"


def acts(text):
    """Characters of `text` that a terminal or page would not show."""
    return {c for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


@pytest.mark.parametrize("character", ACTING.translate({ord(c): None for c in "[]0;:/tileh2Jpsvm31\\8"}) + "\udcff\n\t")
def test_what_acts_is_written_out(character):
    assert not acts(visible(f"a{character}b"))
    assert re.fullmatch(r"a\\[xunrtU]?[0-9a-f]*b", visible(f"a{character}b"))


def test_what_shows_is_left_as_it_is():
    for text in (
        "plain",
        "ärger β x̂ ₂ 日本語 עברית العربية",
        "👩\N{ZERO WIDTH JOINER}🔬",
        "می\N{ZERO WIDTH NON-JOINER}خواهم",
        "a\\x1b",
    ):
        assert visible(text) == text
    assert visible("a\nb\tc", lines=True) == "a\nb\tc"


def hostile(config):
    config["name"] = NAME
    config["data"]["train"]["name"] = config["data"]["validation"]["name"] = NAME
    config["options"] = {"epochs": 2, "name": NAME, NAME: "x"}
    config["units"] = dict(config["units"]) | {NAME: NAME}


@pytest.mark.parametrize("verb", ["info", "evaluate", "doctor", "sample", "resume"])
def test_a_terminal_is_given_no_orders(verb, stranger, diabolo):
    run = stranger(hostile)
    words = {"evaluate": ["--measures", "reconstruction"], "resume": ["--epochs", "3"]}.get(verb, [])
    code, out, err = diabolo(verb, run, *words)
    assert code in (0, 1, 2)
    assert "Traceback" not in err
    assert not acts(out), sorted(acts(out))
    assert not acts(err), sorted(acts(err))
    if verb in ("info", "evaluate"):
        assert "[red]red[/red]" in re.sub(r"\s", "", out)
    if verb == "info":
        assert not any(line.startswith(("<script>", "![")) for line in out.splitlines())


def test_folders_and_errors_are_shown_not_obeyed(tmp_path, diabolo, capsys):
    folder = tmp_path / "run \x1b[2J\u202e[red]\n"
    code, out, err = diabolo("info", folder)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert not acts(err)
    assert "[red]" in err
    say(f"{ACTING}\n{MARKUP}")
    say(ACTING, error=True)
    terminal = Terminal()
    terminal.print(MARKUP, ACTING)
    out, err = capsys.readouterr()
    assert not acts(out + err)
    assert out.splitlines()[0].endswith(MARKUP)
    assert re.sub(r"\s", "", out).count(re.sub(r"\s", "", MARKUP)) == 2
    assert not acts(str(DiaboloError(NAME)))


DOCUMENT = Document(
    NAME,
    NAME,
    [
        Heading(NAME, 2, NAME), Paragraph(NAME, (NAME,)), Prose(NAME), Bullets((NAME,)), Code(NAME, f"sh\n{TAGS}"),
        Prose(f"`{NAME}` **{NAME}** [{NAME}](https://a.b/\"><script>) and !![x](https://a.b/y.png)"),
        Table((NAME,), [(NAME,)], NAME, NAME, (NAME,)), Verdict(NAME, NAME, "met", NAME),
    ],
)  # fmt: skip


def test_markdown_holds_no_html_but_its_own(tmp_path):
    text = markdown.render(DOCUMENT, tmp_path)
    assert not acts(text)
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    tags = set(re.findall(r"<(/?\w+)", page))
    assert not tags & {"script", "img", "title", "/script", "/title"}, tags
    assert all(re.fullmatch(r"#[\w-]*|https://\S*", url) for url in re.findall(r'href="([^"]*)"', page))


def test_html_holds_no_tags_but_its_own_and_allows_no_other_script(tmp_path):
    page = html.render(DOCUMENT)
    assert not acts(page)
    assert page.count("<script") == page.count("</script>") == 1
    assert page.count("<title>") == page.count("</title>") == 1
    assert page.count("<img") == 1  # that of enlarged figures
    assert not re.search(r"<[^>]*\son\w+=", page)
    assert all(re.match(r"#[\w-]*$|https://", url) for url in re.findall(r'href="([^"]*)"', page))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    assert policy.startswith("default-src 'none'; img-src data:")
    for tag in ("style", "script"):
        inner = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r"\sstyle=", page)


def test_pdf_reads_no_markup():
    assert pdf.render(DOCUMENT).startswith(b"%PDF")
    typst = '#read("/etc/passwd") #import "x" $x$ *b* @a <b> \\ #{panic()}'
    assert pdf.render(
        Document(
            typst, typst, [Heading(typst), Paragraph(typst), Prose(f"`{typst}`"), Table((typst,), [(typst,)], typst)]
        )
    )


def test_a_report_of_a_hostile_run_is_whole(stranger, diabolo):
    run = stranger(hostile)
    code, _, err = diabolo("report", run, "--no-notebook")
    assert code == 0, err
    text = (run / "report.md").read_text() + (run / "report.html").read_text()
    assert not acts(text)
    assert "<script>alert" not in text.replace("\\<", "")


def test_figures_take_formulas_and_orders_for_words(tmp_path):
    x = np.zeros((4, 1, 8, 8))
    for name in (MATHS, "$\\frac{", "$5", "a $x$ b", ACTING, "\udcff", NAME):
        for ending in (".png", ".pdf"):
            assert figures.save(figures.sample_grid(x, name), tmp_path / f"figure{ending}").stat().st_size > 1000


FORMULAS = [
    "=1+1.png",
    "+1.png",
    "-1.png",
    "@SUM(1).png",
    "\t=1.png",
    "\r=1.png",
    "\n=1.png",
    " =1.png",
    "＝1.png",
    "'=1.png",
    "'a.png",
]
PLAIN = ["a=1.png", "1.png", 'a"b.png', "a;=1+1.png", "a,=1.png", "a\n=1.png", "ä.png"]


def test_names_in_csv_are_no_formulas_and_can_be_had_back(honest, diabolo, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in FORMULAS + PLAIN:
        Image.new("L", (8, 8)).save(folder / name, "png")
    code, _, err = diabolo("encode", honest["vae"], folder, "--out", tmp_path / "codes.csv")
    assert code == 0, err
    with (tmp_path / "codes.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "z1", "z2", "z3"]
    cells = [row[0] for row in rows[1:]]
    assert not any(re.match(r"\s*[=+\-@＝＋－＠]", c) for c in cells)
    assert sorted(c.removeprefix("'") for c in cells) == sorted(FORMULAS + PLAIN)
    assert all(c.startswith("'") == (c.removeprefix("'") in FORMULAS) for c in cells)
    assert all(float(number) == 0 or number[0] in "-0123456789" for row in rows[1:] for number in row[1:])
    text = (tmp_path / "codes.csv").read_bytes().decode()
    assert '"a;=1+1.png"' in text  # another separator makes no cell of the rest
    assert cell("") == '""'


def test_the_line_that_the_doctor_gives_is_quoted_and_names_no_code(stranger):
    config = {}
    stranger(lambda told: config.update(told))
    recipe = dict(config["recipe"])
    config["recipe"] = recipe | {"x; touch y #": 1, "net": "$(touch y)"}
    config["options"] |= {"trust": "evil", "a\nb": 1}
    config["data"]["train"]["origin"]["load"] |= {"trust": "evil", "; touch z": "`touch y`"}
    from diabolo.doctor.prescription import flags

    line = " ".join(flags(line_of(Config.parse(config))))
    words = shlex.split(line)
    assert "--trust" not in words
    assert not {"touch", "x;", ";", "#"} & set(words)
    config["recipe"] = recipe | {"encoder": "antigravity:X", "decoder": "antigravity:X", "net": "custom"}
    assert line_of(Config.parse(config)) is None


def test_a_progress_line_is_no_markup(capsys, tiny_pixels, tmp_path):
    from diabolo.training.fit import fit

    model = zoo.undercomplete((1, 8, 8), 2, hidden=(4,))
    model.name = f"{MARKUP}{ACTING}"
    fit(model, tiny_pixels(40), epochs=1, batch_size=20, out=tmp_path / "runs", name="a", device="cpu")
    out = capsys.readouterr().out
    assert MARKUP in out
    assert not acts(out)
    assert os.listdir(tmp_path / "runs") == ["0001-a"]


def test_the_title_of_a_notebook_is_words(stranger):
    from diabolo.reports import notebook

    made = notebook.make(notebook.script(), NAME)
    nbformat.validate(made)
    head = made.cells[1].source.splitlines()[0]
    assert not acts(head)
    assert "<script" not in head.replace("\\<", "")
