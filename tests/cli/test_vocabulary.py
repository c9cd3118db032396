"""What is printed, drawn and reported of a table, of signals and of volumes is said of rows, signals and volumes."""

import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from diabolo.figures import saving

PICTURES = re.compile(r"\b(?:images?|pixels?)\b", re.IGNORECASE)
ALLOWED = {
    r"Images\('": "the repr of the class Images, by which Python shows a data set",
    r"pixels a side": "the size of the pictures that a measure left out would have needed",
}
KINDS = {
    "row": ("table.csv", (), "per number"),
    "signal": ("waves.npy", ("--axes", "NCL"), "per number"),
    "volume": ("blobs.npy", ("--axes", "NCDHW"), "per voxel"),
}
MEASURES = (
    "learned",
    "likelihood",
    "reconstruction",
    "rate",
    "probes",
    "few_labels",
    "usage",
    "prior_hole",
    "memorisation",
)


def written(folder: Path, kind: str) -> Path:
    """Data of that kind, with some structure, in a file."""
    random = np.random.default_rng(0)
    path = folder / KINDS[kind][0]
    hidden = random.normal(size=(120, 2))
    if kind == "row":
        x = hidden @ random.normal(size=(2, 13)) + 0.1 * random.normal(size=(120, 13))
        lines = [",".join(map(repr, [*map(float, row), f"c{int(h[0] > 0)}"])) for row, h in zip(x, hidden, strict=True)]
        heads = [f"m{i}" for i in range(13)]
        path.write_text("\n".join([",".join([*heads, "kind"]), *(line.replace("'", "") for line in lines)]) + "\n")
    elif kind == "signal":
        at = np.linspace(0, 6, 16)
        np.save(path, np.sin(at * (1.5 + 0.2 * hidden[:, :, None])).astype(np.float32))
    else:
        z, y, x = np.indices((5, 5, 5))
        middle = 2 + hidden[:, :, None, None, None] / 2
        blobs = np.exp(-((z - middle[:, 0]) ** 2 + (y - middle[:, 1]) ** 2 + (x - 2) ** 2) / 3)
        np.save(path, blobs[:, None].astype(np.float32))
    return path


def left(text: str) -> list[str]:
    """Where `text` still speaks of images or pixels."""
    for allowed in ALLOWED:
        text = re.sub(allowed, "", text)
    return [text[max(0, found.start() - 40) : found.end() + 40] for found in PICTURES.finditer(text)]


def read(page: str) -> str:
    """What a page of HTML shows."""
    page = re.sub(r"(?s)<(style|script).*?</\1>", " ", page)
    return unescape(re.sub(r"<[^>]*>", " ", page))


@pytest.fixture
def drawn(monkeypatch) -> list[str]:
    """All words of the figures that are saved."""
    texts: list[str] = []
    plain = saving.rendered

    def rendered(figure, kind):
        content = plain(figure, kind)
        texts.extend(text.get_text() for text in figure.findobj(Text))
        return content

    monkeypatch.setattr(saving, "rendered", rendered)
    return texts


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_no_picture_is_called_one(diabolo, drawn, tmp_path, kind):
    _, axes, per = KINDS[kind]
    path = written(tmp_path, kind)
    labels = ("--label-column", "kind") if kind == "row" else ()
    train = ("--data", path, *axes, *labels, "--net", "mlp", "--hidden", 8, "--latent-dim", 2)
    said = [
        diabolo("train", "vae", *train, "--epochs", 2),
        diabolo("train", "undercomplete", *train, "--epochs", 1, "--no-figures"),
    ]
    first, second = sorted((tmp_path / "runs").iterdir())
    said += [
        diabolo("resume", first, "--epochs", 3, "--no-figures"),
        diabolo("evaluate", first, "--all", "--measures", *MEASURES, "--importance-samples", 5),
        diabolo("evaluate", second, "--measures", "learned", "reconstruction"),
        diabolo("doctor", first),
        diabolo("score", first, path, "--false-alarms", 0.2),
        diabolo("compare", first, second, "--measures", "learned", "reconstruction"),
        diabolo("compare", first, second, "--measures", "reconstruction", "--out", "table.md"),
        diabolo("report", first, "--no-notebook"),
    ]
    codes = [answer.code for answer in said]  # 1: memorisation takes more of them, and a reason is printed
    assert codes == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0], [answer.err for answer in said if answer.code]
    for answer in said:
        assert left(answer.out) == []
        assert left(answer.err) == []
    everything = "".join(answer.out for answer in said)
    assert f"{kind}s/s" in everything
    assert f"squared error {per} on 12 test {kind}s" in everything
    assert f"mean training {kind}" in everything
    for page in (first / "report.html", tmp_path / "comparison" / "comparison.html"):
        assert left(read(page.read_text())) == []
        assert f"squared error {per}" in page.read_text()
    for text in (first / "report.md", tmp_path / "table.md"):
        assert left(text.read_text()) == []
    assert left("\n".join(drawn)) == []
    assert any(f"per {kind}" in text for text in drawn)
    assert "squared error per pixel" in (first / "evaluation" / "scores.json").read_text()


def test_pictures_are_still_images_of_pixels(diabolo, runs, tmp_path, monkeypatch):
    """Word for word what is said without any vocabulary."""

    def told() -> list[str]:
        out = str(tmp_path / "evaluation")
        answers = [
            diabolo("doctor", runs["vae"]),
            diabolo("evaluate", runs["vae"], "--measures", "reconstruction", "--out", out),
        ]
        return [text for answer in answers for text in (answer.out, answer.err)]

    before = told()
    assert "squared error per pixel" in "".join(before)
    assert "50 test images of digits" in "".join(before)
    monkeypatch.setattr("diabolo.vocabulary.of", lambda *_: str)
    assert told() == before
