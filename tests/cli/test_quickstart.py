"""`diabolo quickstart`: the first minutes with diabolo."""

from pathlib import Path

import pytest
from PIL import Image

from diabolo.training.runs import load, read_history


@pytest.fixture(scope="module")
def started(tmp_path_factory, module_diabolo):
    """A short quickstart: its answer, and the folder of its runs."""
    out = tmp_path_factory.mktemp("quickstart") / "runs"
    return module_diabolo("quickstart", "--epochs", "3", "--n-train", "300", "--n-test", "60", "--out", out), out


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


def test_three_runs_are_left(started):
    _, out = started
    assert sorted(p.name for p in out.iterdir()) == ["0001-pca-digits", "0002-undercomplete-digits", "0003-vae-digits"]
    for path in out.iterdir():
        assert load(path).latent_shape == (8,)
    assert len(read_history(out / "0003-vae-digits")) == 3


def test_the_figures_can_be_opened(started):
    _, out = started
    figures = sorted(out.glob("*/figures/*.png"))
    assert [f"{p.parts[-3][5:]}/{p.stem}" for p in figures] == [
        "pca-digits/latent", "pca-digits/reconstructions", "pca-digits/samples",
        "undercomplete-digits/curves", "undercomplete-digits/latent", "undercomplete-digits/reconstructions",
        "undercomplete-digits/samples",
        "vae-digits/curves", "vae-digits/latent", "vae-digits/reconstructions", "vae-digits/samples",
        "vae-digits/side-by-side",
    ]  # fmt: skip
    for path in figures:
        with Image.open(path) as image:
            assert min(image.size) > 200


def test_the_table_is_true_and_little_else_is_said(started):
    (out, err), folder = started
    assert err == ""
    assert len(out.splitlines()) < 20
    for name in ("pca", "undercomplete", "vae"):
        path = next(folder.glob(f"*-{name}-digits"))
        row = next(line for line in out.splitlines() if line.startswith(f"│ {name} "))
        cells = [cell.strip() for cell in row.strip("│").split("│")]
        last = read_history(path)[-1]["validation"]
        assert cells[1] == f"{load(path).summary().parameters:,}"
        assert cells[4] == (f"{last['total']:.1f}" if name == "vae" else "")
        if name != "vae":  # whose reconstruction term is not the squared error
            assert float(cells[3]) == pytest.approx(last["reconstruction"], abs=1e-4)


def test_it_says_where_to_look_and_how_to_go_on(started):
    (out, _), folder = started
    vae = folder / "0003-vae-digits"
    for told in (str(vae / "figures" / "side-by-side.png"), f"diabolo sample {vae}", "--data mnist"):
        assert told in out


def test_the_same_seed_gives_the_same_models(started, module_diabolo, tmp_path):
    _, folder = started
    module_diabolo("quickstart", "--epochs", "3", "--n-train", "300", "--n-test", "60", "--out", tmp_path)
    for name in ("0002-undercomplete-digits", "0003-vae-digits"):
        assert (tmp_path / name / "model.safetensors").read_bytes() == (
            folder / name / "model.safetensors"
        ).read_bytes()


def test_colour_images_do_as_well(diabolo):
    words = ["--data", "patches", "--size", "12", "--n-train", "100", "--n-test", "20", "--epochs", "1"]
    assert diabolo("quickstart", *words).code == 0
    assert Path("runs/0003-vae-patches/figures/side-by-side.png").is_file()


def test_ctrl_c_stops_it_all(refused, monkeypatch):
    import dataclasses

    from diabolo.training import fit as module

    fit = module.fit
    monkeypatch.setattr(module, "fit", lambda *a, **o: dataclasses.replace(fit(*a, **o), status="interrupted"))
    assert "diabolo resume RUN" in refused(130, "quickstart", "--n-train", "100", "--epochs", "1")
    assert [p.name for p in Path("runs").iterdir()] == ["0001-pca-digits"]
