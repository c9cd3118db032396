"""What was exported is judged as the run is: `diabolo compare RUN onnx:FOLDER`."""

import pytest

import diabolo
from diabolo.cli.main import main

MEASURES = ("reconstruction", "generation", "probes", "anomaly")


@pytest.mark.parametrize("recipe", ["vae", "pca", "vqvae"])
def test_an_exported_folder_has_the_scores_of_its_run(recipe, trained, tmp_path):
    kind = {"latent_dim": 4, "codes": 8, "net": "conv", "channels": (4,)} if recipe == "vqvae" else {"latent_dim": 8}
    images = diabolo.data.load("digits", n_train=300, n_test=150)
    run = trained(recipe, images[0], **kind)
    folder = diabolo.export(run, tmp_path / "exported", images=images[1])
    ours, theirs = (diabolo.evaluate(it, images, MEASURES) for it in (run, f"onnx:{folder}"))
    compared = 0
    for measure, panel in theirs.sections.items():
        for name, score in panel.scores.items():
            own = ours[measure].scores.get(name)
            if own is not None and own.split == score.split:
                assert score.value == pytest.approx(own.value, rel=1e-4, abs=1e-5), (measure, name)
                compared += 1
    assert compared > 10


def test_both_stand_in_one_table(trained, tmp_path, capsys):
    images = diabolo.data.load("digits", n_train=150, n_test=100)
    run = trained("pca", images[0], latent_dim=4)
    folder = diabolo.export(run, tmp_path / "mine")
    out = tmp_path / "table.csv"
    main(["compare", str(run.path), f"onnx:{folder}", "--measures", "reconstruction", "--out", str(out)])
    lines = capsys.readouterr().out.splitlines()
    ours, theirs = (next(line.split() for line in lines if line.startswith(name)) for name in ("pca ", "onnx:"))
    assert theirs[0].endswith("/mine")
    assert ours[1:] == theirs[1:]
    assert out.is_file()
