"""A stranger's folder that a training or a study begins from."""

import os

import pytest

from diabolo.runs.loading import load


def train(run):
    line = "train vae --data digits --n-train 120 --n-test 40 --latent-dim 3 --hidden 8 --epochs 1 --batch-size 40 --no-figures"
    return [*line.split(), "--init", run]


def test_weights_are_taken_over_and_nothing_else(stranger, canary, diabolo, tmp_path, monkeypatch):
    private = tmp_path / "private"  # not there: it would be missed if it were looked for

    def edit(config):
        config.update(name="\x1b]0;owned\x07")
        config["model"]["encoder"] = {"part": "lurking.Encoder", "input_shape": [1, 8, 8]}
        config["data"]["train"]["origin"] = {"load": {"name": str(private), "root": None}, "part": "train"}

    run = stranger(edit)
    mark = canary(run, "lurking", "torch", "numpy")
    code, out, err = diabolo(*train(run))
    assert code == 0, err
    assert "tensors taken over" in out + err
    assert "\x1b]0;" not in out + err
    assert not mark.exists()
    assert load(next((tmp_path / "runs").iterdir())).name == "vae"


@pytest.mark.parametrize("kind", ["a FIFO", "a link out", "a bomb", "a lie"])
def test_a_folder_that_is_none_is_one_sentence_and_no_run_is_made(kind, stranger, diabolo, tmp_path):
    run = stranger()
    weights = run / "model.safetensors"
    weights.rename(tmp_path / "aside")
    match kind:
        case "a FIFO":
            os.mkfifo(weights)
        case "a link out":
            weights.symlink_to(tmp_path / "aside")
        case "a bomb":
            (run / "config.json").write_text("[" * 100_000)
        case "a lie":
            weights.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    code, out, err = diabolo(*train(run))
    assert (code, err.count("\n")) == (2, 1), (out, err)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [("a FIFO", "take it away"), ("full", "--out"), ("a bomb", "--out"), ("a list", "--out"), ("no rows", "--out")],
)
def test_results_that_cannot_be_read_stop_a_study_in_one_sentence(kind, remedy, diabolo, tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    results = folder / "results.json"
    match kind:
        case "a FIFO":
            os.mkfifo(results)
        case "full":
            with open(results, "wb") as file:
                file.truncate(2**40)
        case "a bomb":
            results.write_text("[" * 100_000)
        case "a list":
            results.write_text("[]")
        case "no rows":
            results.write_text('{"study": "pca", "rows": 3}')
    code, out, err = diabolo("study", "pca", "--quick", "--data", "digits", "--out", folder)
    assert (code, out, err.count("\n")) == (2, "", 1), (out, err)
    assert "results.json" in err
    assert remedy in err
    assert [path.name for path in folder.iterdir()] == ["results.json"]
