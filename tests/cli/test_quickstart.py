"""`diabolo quickstart`: the first minutes with diabolo, and the smallest study."""

import json
from pathlib import Path

import pytest
from PIL import Image

from diabolo.runs.folder import RunFolder
from diabolo.runs.loading import load

SMALL = ("--epochs", "3", "--n-train", "300", "--n-test", "60")


@pytest.fixture(scope="module")
def started(tmp_path_factory, module_diabolo):
    """A short quickstart: its answer, and its folder."""
    out = tmp_path_factory.mktemp("quickstart") / "out"
    return module_diabolo("quickstart", *SMALL, "--out", out), out


@pytest.fixture(scope="module")
def module_diabolo():
    import contextlib
    import io

    from diabolo.cli.main import main

    def run(*words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main([str(word) for word in words])
        return out.getvalue(), err.getvalue()

    return run


def runs_in(folder: Path) -> dict[str, Path]:
    return {path.parent.parent.name.split("-")[0]: path.parent for path in folder.glob("trained/*/*/model.safetensors")}


def test_three_runs_are_left(started):
    _, out = started
    runs = runs_in(out)
    assert set(runs) == {"pca", "undercomplete", "vae"}
    assert all(load(path).latent_shape == (8,) for path in runs.values())
    history = RunFolder(runs["vae"]).history
    assert len(history) == 3
    assert history[-1]["weights"] == {"kl": 0.5}


def test_the_figures_can_be_opened_and_are_in_the_report(started):
    _, out = started
    figures = sorted(out.glob("figures/*.png"))
    assert [path.stem for path in figures] == ["1-side-by-side", "2-curves", "3-samples", "4-map"]
    for path in figures:
        with Image.open(path) as image:
            assert min(image.size) > 200
        assert f"figures/{path.name}" in (out / "report.md").read_text()
    assert (out / "report.html").read_text().count("data:image/") >= 4


def test_the_numbers_are_true_and_little_else_is_said(started):
    (out, err), folder = started
    assert err == ""
    assert len(out.splitlines()) < 40
    numbers = json.loads((folder / "results.json").read_text())["rows"]["1"]["numbers"]
    for name, run in runs_in(folder).items():
        label = {"pca": "PCA", "vae": "VAE"}.get(name, name)
        assert f"{load(run).summary().parameters:,}" in out
        if name != "vae":  # whose reconstruction term is not the squared error
            error = RunFolder(run).history[-1]["validation"]["reconstruction"]
            assert numbers[label]["value"] == pytest.approx(error, rel=1e-3)


def test_it_ends_with_three_findings(started):
    (out, _), folder = started
    rows = json.loads((folder / "results.json").read_text())["rows"]
    told = [block["text"] for block in rows["answers"]["blocks"]]
    assert len(told) == 3
    assert out.index(told[0]) < out.index(told[2]) < out.index("look at:")
    page = (folder / "report.md").read_text()
    assert page.index("## Conclusion") < page.index("## 1 Before and after") < page.index("## How this was made")


def test_it_says_where_to_look_and_how_to_go_on(started):
    (out, _), folder = started
    for told in (str(folder / "report.html"), f"diabolo sample {runs_in(folder)['vae']}", "--data mnist"):
        assert told in out


def test_the_same_seed_gives_the_same_models(started, module_diabolo, tmp_path):
    _, folder = started
    module_diabolo("quickstart", *SMALL, "--out", tmp_path)
    one, other = runs_in(folder), runs_in(tmp_path)
    for name in ("undercomplete", "vae"):
        assert (one[name] / "model.safetensors").read_bytes() == (other[name] / "model.safetensors").read_bytes()


def test_colour_images_do_as_well(diabolo):
    words = ["--data", "patches", "--n-train", "100", "--n-test", "20", "--epochs", "1"]
    assert diabolo("quickstart", *words).code == 0
    assert Path("quickstart/figures/1-side-by-side.png").is_file()


def test_ctrl_c_stops_it_all(refused, monkeypatch):
    import dataclasses

    from diabolo.studies.engine import trained as module

    fit = module.fit
    monkeypatch.setattr(module, "fit", lambda *a, **o: dataclasses.replace(fit(*a, **o), status="interrupted"))
    assert "the same line goes on" in refused(130, "quickstart", "--n-train", "100", "--n-test", "50", "--epochs", "1")
    assert not Path("quickstart/report.html").exists()
