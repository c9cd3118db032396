"""What the Markdown files of the repository point to is there, their commands are taken, and the README's Python runs."""

import re
import shlex
from pathlib import Path

import pytest

import user_cones
from diabolo.cli.main import build_app

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "docs").exists(), reason="a source distribution holds no docs")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("docs/**/*.md")])


def targets(page):
    """What the page's links and pictures point to, but for other sites."""
    found = re.findall(r"(?<=\]\()[^)\s]+(?=\))", page.read_text())
    return [target for target in found if not target.startswith(("http:", "https:", "mailto:"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_and_no_picture_is_broken(page):
    anchors = set(re.findall(r'<a id="([^"]+)">', page.read_text()))
    for target in targets(page):
        path, _, anchor = target.partition("#")
        assert (page.parent / path).exists(), target
        assert path or anchor in anchors, target


def test_every_picture_of_a_study_is_shown():
    pictures = sorted(ROOT.glob("docs/studies/*/figures/*.png"))
    shown = {(page.parent / target).resolve() for page in PAGES for target in targets(page)}
    assert pictures
    assert [picture for picture in pictures if picture.resolve() not in shown] == []


FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def lines_of_the_shell(page):
    """The commands in the page's fenced blocks and indented lines, without comments; of `a && b` both."""
    text = page.read_text(encoding="utf-8")
    blocks = [code for language, code in FENCED.findall(text) if language in ("", "bash")]
    indented = re.findall(r"^ {4}\w.*$", FENCED.sub("", text), re.M)
    lines = [line for block in [*blocks, *indented] for line in block.splitlines()]
    words = (shlex.split(command, comments=True) for line in lines for command in line.split(" && "))
    return [command for command in words if command]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_is_one_that_the_command_line_takes(page):
    app = build_app()
    for words in lines_of_the_shell(page):
        if "diabolo" in words[:6] and words[0] in ("diabolo", "python", "torchrun"):
            given = words[words.index("diabolo") + 1 :]
            if ":" in "".join(given[1:2]) or not given:  # a recipe of one's own: test_walkthroughs trains those
                continue
            if "--trust" in given:  # which `main` takes out for every verb
                at = given.index("--trust")
                del given[at : at + 2]
            app.parse_args(given, exit_on_error=False, print_error=False)
        elif words[0] == "python" and words[1].endswith(".py"):
            assert (ROOT / words[1]).exists(), words


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    """On digits instead of MNIST, for one epoch, with few samples; `Encoder` and `Decoder` are the reader's own."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    small = {'"mnist"': '"digits"', "(1, 28, 28)": "(1, 8, 8)", "epochs=10": "epochs=1", "samples=5000": "samples=20"}
    space = {"Encoder": user_cones.PartEncoder, "Decoder": lambda code: user_cones.PartDecoder(code, (1, 8, 8))}
    for block in (code for language, code in FENCED.findall(text) if language == "python"):
        for large, less in small.items():
            block = block.replace(large, less)
        exec(compile(block, "README.md", "exec"), space)
    assert space["z"].shape == (16, 16)
    assert space["x_hat"].shape == space["new"].shape == (16, 1, 8, 8)
    assert sorted(space["loss"].terms) == ["kl", "reconstruction"]
    assert 0 < space["found"]["probes"].scores["linear probe: codes"].value <= 1
