"""Models from elsewhere on the command line: `evaluate` and `compare`."""

import json
import shutil
from pathlib import Path

import pytest


def test_a_model_from_elsewhere_is_evaluated_on_a_named_data_set(diabolo):
    few = ("--data", "digits", "--n-test", 40, "--n-train", 100)
    answer = diabolo("evaluate", "pca:6", *few, "--measures", "reconstruction", "--batch", 16)
    assert (answer.code, answer.err) == (0, ""), answer
    record = json.loads(Path("evaluation/scores.json").read_text())
    assert record["about"]["model"] == "pca:6"
    assert record["about"]["test"]["images"] == 40
    assert "pca:6: 40 test images of digits" in answer.out


def test_what_was_done_for_it_is_printed(diabolo, tmp_path):
    import torch
    from safetensors.torch import save_file

    folder = tmp_path / "theirs"
    folder.mkdir()
    told = {"name": "AEConfig", "input_dim": [1, 8, 8], "latent_dim": 2}
    (folder / "model_config.json").write_text(json.dumps(told))
    sizes = {
        "encoder.layers.0.0": (5, 64),
        "encoder.embedding": (2, 5),
        "decoder.layers.0.0": (5, 2),
        "decoder.layers.1.0": (64, 5),
    }
    state = {f"{name}.weight": torch.randn(size) for name, size in sizes.items()}
    state |= {f"{name}.bias": torch.zeros(size[0]) for name, size in sizes.items()}
    save_file(state, folder / "model.safetensors")
    few = ("--data", "digits", "--n-test", 40, "--n-train", 100)
    answer = diabolo("evaluate", f"pythae:{folder}", *few, "--measures", "reconstruction")
    assert answer.code == 0, answer
    assert f"AE {tmp_path.name}/theirs: 40 test images" in answer.out
    assert f"from: pythae:{folder}" in answer.out
    assert "range: 0 to 1" in answer.out


def test_a_run_beside_pca(runs, diabolo):
    run = shutil.copytree(runs["vae"], "run")
    answer = diabolo("compare", run, "pca", "pca:30", "--measures", "reconstruction")
    assert answer.code == 0, answer
    models = json.loads(Path("comparison/comparison.json").read_text())["models"]
    first, second, third = models
    assert (first, third) == ("vae", "pca:30")
    assert second.startswith("pca:")


def test_a_table_goes_into_a_folder_that_is_made(diabolo):
    words = ["--data", "digits", "--n-test", 30, "--n-train", 60, "--measures", "reconstruction"]
    answer = diabolo("compare", "pca:2", "pca:3", *words, "--out", "new/folder/table.md")
    assert answer.code == 0, answer
    assert [path.name for path in Path("new/folder").iterdir()] == ["table.md"]
    assert "pca:3" in Path("new/folder/table.md").read_text()


def test_models_from_elsewhere_alone_need_a_data_set(diabolo, refused):
    assert "not known on which images" in refused(2, "compare", "pca:2", "pca:3")
    answer = diabolo(
        "compare", "pca:2", "pca:3", "--data", "digits", "--n-test", 30, "--n-train", 60, "--measures", "reconstruction"
    )
    assert answer.code == 0, answer
    assert "30 test images of digits" in answer.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("evaluate", "pca:6"), "give (train, test)"),
        (("evaluate", "pcb:6", "--data", "digits"), "unknown kind of model from elsewhere 'pcb'; did you mean 'pca'"),
        (("evaluate", "onnx:nowhere", "--data", "digits"), "there is no folder 'nowhere'"),
        (("evaluate", "diffusers:nowhere", "--data", "digits"), "there is no folder 'nowhere'"),
        (("evaluate", "pca:many", "--data", "digits"), "not 'many'"),
        (("evaluate", "pca:6", "--data", "digits", "--batch", "0"), "batch must be a whole number of at least 1"),
        (
            ("evaluate", "pca:6", "--data", "digits", "--measures", "protocols", "--protocol", "rfid"),
            "unknown protocol 'rfid'",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(refused, words, said):
    assert said in refused(2, *words)


def test_options_of_a_data_set_are_not_those_of_runs(runs, refused):
    run = shutil.copytree(runs["vae"], "run")
    assert "--n-test is for models from elsewhere alone" in refused(2, "compare", run, "pca", "--n-test", 10)
