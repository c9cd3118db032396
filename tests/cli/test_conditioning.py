"""Conditional models on the command line: trained, drawn, sampled by class and from images, and refused in a sentence."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from diabolo import zoo
from diabolo.data import load
from diabolo.runs import loading as folders
from diabolo.runs.config import Config
from diabolo.training.fit import fit

DRAWN = {"curves", "health", "samples", "reconstructions", "latent"}
FEW = ["--n-train", "150", "--n-test", "40", "--batch-size", "50", "--epochs", "2", "--quiet"]


def _run(folder, name, data="digits", **options):
    train, _ = load(data, n_train=60, n_test=20)
    torch.manual_seed(0)
    model = zoo.build(name, train.shape, hidden=(16,), **options)
    return fit(model, train, epochs=1, batch_size=20, seed=0, out=folder, quiet=True).path


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Finished runs of conditional models; not to be written into."""
    folder = tmp_path_factory.mktemp("told")
    return {
        "cvae": _run(folder, "cvae", latent_dim=3),
        "completion": _run(folder, "completion", latent_dim=3),
        "completion_plain": _run(folder, "completion_plain"),
        "faces": _run(
            folder, "cvae", "faces", latent_dim=3, condition="factors", columns=load("faces")[0].factors.shape[1]
        ),
        "vae": _run(folder, "vae", latent_dim=3),
    }


@pytest.fixture
def images(tmp_path):
    """Two image files of 8×8 grey pixels."""
    paths = []
    for i in range(2):
        path = tmp_path / f"{i}.png"
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (8, 8), dtype=np.uint8)).save(path)
        paths.append(path)
    return paths


@pytest.mark.parametrize(
    ("words", "figures"),
    [
        (["cvae", "--latent-dim", "3"], DRAWN),
        (["cvae", "--latent-dim", "2", "--condition", "embedding"], DRAWN),
        (["completion", "--latent-dim", "3"], DRAWN),
        (["completion_plain"], DRAWN - {"latent"}),
    ],
)
def test_conditional_models_train_and_draw(words, figures, diabolo):
    answer = diabolo("train", *words, "--hidden", "16", *FEW)
    assert (answer.code, answer.err) == (0, "")
    (path,) = Path("runs").glob("0001-*")
    assert {p.stem for p in (path / "figures").iterdir()} == figures


@pytest.mark.parametrize(("condition", "what"), [("attributes", "attributes"), ("factors", "factors")])
def test_the_width_of_a_vector_comes_from_the_data(condition, what, diabolo):
    words = ["--data", "faces", "--condition", condition, "--hidden", "8", "--no-figures", *FEW]
    assert diabolo("train", "cvae", *words).code == 0
    width = getattr(load("faces")[0], what).shape[1]
    assert Config.read(Path("runs/0001-cvae-faces")).as_dict()["model"]["condition"] == {
        "part": "conditions.Vector", "reads": condition, "width": width,
    }  # fmt: skip


def test_samples_of_asked_for_classes(told, diabolo):
    assert diabolo("sample", told["cvae"], "--label", "3", "5", "--n", "5", "--out", "x.npy").code == 0
    model = folders.load(told["cvae"])
    np.testing.assert_array_equal(np.load("x.npy"), model.sample(5, 0, torch.tensor([3, 5, 3, 5, 3])).numpy())
    assert diabolo("sample", told["cvae"], "--n", "12", "--out", "y.npy").code == 0
    np.testing.assert_array_equal(np.load("y.npy"), model.sample(12, 0, torch.arange(12) % 10).numpy())


@pytest.mark.parametrize("name", ["completion", "completion_plain"])
def test_images_are_completed(name, told, images, diabolo):
    assert diabolo("sample", told[name], "--images", *images, "--n", "4", "--out", "x.npy").code == 0
    x = torch.from_numpy(np.stack([np.asarray(Image.open(p)) for p in images])[:, None]).float() / 255
    wanted = folders.load(told[name]).sample(4, 0, x[[0, 1, 0, 1]]).numpy()
    np.testing.assert_allclose(np.load("x.npy"), wanted, atol=1e-6)
    assert diabolo("reconstruct", told[name], *images, "--out", "r.npy").code == 0
    assert np.load("r.npy").shape == (2, 1, 8, 8)


def test_samples_of_given_factors(told, diabolo):
    width = folders.load(told["faces"]).condition.width
    values = ["0.5"] * width
    assert diabolo("sample", told["faces"], "--values", *values, "--n", "2", "--out", "x.npy").code == 0
    wanted = folders.load(told["faces"]).sample(2, 0, torch.full((1, width), 0.5)).numpy()
    np.testing.assert_allclose(np.load("x.npy"), wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "words", "says"),
    [
        ("completion", [], "need --images: its model is conditioned on images"),
        ("faces", [], "need --values: its model is conditioned on factors"),
        ("faces", ["--values", "1", "0"], "are wanted, not"),
        ("cvae", ["--label", "10"], "there is no class 10 in"),
        ("cvae", ["--label", "-1"], "there is no class -1 in"),
        ("cvae", ["--values", "1"], "takes no --values; its model takes --label"),
        ("vae", ["--label", "1"], "takes no --label; its model is given nothing"),
        ("completion", ["--images", "nowhere.png"], "nowhere.png"),
    ],
)
def test_samples_that_cannot_be_are_refused(name, words, says, told, refused):
    assert says in refused(2, "sample", told[name], *words, "--out", "x.npy")


@pytest.mark.parametrize("words", [["--label", "3"], ["--label", "3", "7"]])
def test_what_image_files_do_not_carry_is_told(words, told, images, diabolo):
    x = torch.from_numpy(np.stack([np.asarray(Image.open(p)) for p in images])[:, None])
    model, y = folders.load(told["cvae"]), torch.tensor([3, int(words[-1])])
    assert diabolo("encode", told["cvae"], *images, *words, "--out", "z.npy").code == 0
    np.testing.assert_array_equal(np.load("z.npy"), model.encode(x, y).numpy())
    assert diabolo("reconstruct", told["cvae"], *images, *words, "--out", "r.npy").code == 0
    np.testing.assert_array_equal(np.load("r.npy"), model.reconstruct(x, y).numpy())


@pytest.mark.parametrize(
    ("name", "words", "says"),
    [
        ("cvae", [], "conditioned on labels, which image files do not carry: give --label"),
        ("faces", [], "conditioned on factors, which image files do not carry: give --values"),
        ("cvae", ["--label", "10"], "there is no class 10 in"),
        ("cvae", ["--label", "-1"], "there is no class -1 in"),
        ("cvae", ["--label", "1", "2", "3"], "one --label for all, or one for each of 2 images, not 3"),
        ("cvae", ["--label", "1", "--values", "1"], "takes no --values; its model takes --label"),
        ("vae", ["--label", "1"], "takes no --label; its model is given nothing besides the image"),
        ("completion", ["--label", "1"], "takes no --label; its model is given nothing besides the image"),
        ("faces", ["--values", "1"], "are wanted, not"),
    ],
)
def test_image_files_carry_no_labels(name, words, says, told, images, refused):
    for verb in ("encode", "reconstruct"):
        assert says in refused(2, verb, told[name], *images, *words, "--out", "x.npy")
    assert not Path("x.npy").exists()


def test_a_model_without_a_code_has_none_to_write(told, images, refused):
    assert "without a code" in refused(2, "encode", told["completion_plain"], *images)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--classes", "5"], "digits (train): the label 9 is none of the 5 classes"),
        (["--condition", "attributes"], "this model needs attributes, and digits (train) has none"),
        (["--likelihood", "perceptual"], "--features RUN"),
        (["--features", "runs/0001"], "features is for the likelihood perceptual, not bernoulli"),
        (["--corruption", "occlusion", "--level", "0.6..0.1"], "must lie in [0, 1], the lower end first"),
        (["--corruption", "masking", "--level", "some"], "a range such as 0.1..0.6"),
    ],
)
def test_trainings_that_cannot_be_are_refused(words, says, refused):
    assert says in refused(2, "train", "cvae", "--hidden", "8", *FEW, *words)
    assert not Path("runs").exists()


def test_an_unknown_condition_suggests_the_nearest(refused):
    assert "did you mean 'label'" in refused(2, "train", "cvae", "--hidden", "8", *FEW, "--condition", "lable")


@pytest.mark.parametrize(
    "words",
    [
        ["--likelihood", "continuous-bernoulli"],
        ["--likelihood", "ms-ssim"],
        ["--likelihood", "gaussian", "--sigma", "0.1"],
        ["--likelihood", "gaussian", "--sigma", "learned"],
        ["--likelihood", "laplace", "--scale", "0.1"],
        ["--corruption", "occlusion", "--level", "0.1..0.6"],
        ["--corruption", "gaussian", "--level", "0.2"],
    ],
)
def test_likelihoods_and_corruptions_by_name(words, diabolo):
    answer = diabolo("train", "vae", "--hidden", "8", "--no-figures", *FEW, *words)
    assert (answer.code, answer.err) == (0, "")


def test_features_of_a_run(told, diabolo):
    words = ["--likelihood", "perceptual", "--features", told["vae"], "--pixel-weight", "0.5"]
    assert (
        diabolo("train", "undercomplete", "--hidden", "8", "--latent-dim", "3", "--no-figures", *FEW, *words).code == 0
    )
    (path,) = Path("runs").glob("0001-*")
    likelihood = Config.read(path).as_dict()["model"]["likelihood"]
    assert likelihood["network"]["part"] == "nets.MLPEncoder"
    assert likelihood["pixel"] == 0.5


def test_files_are_judged_by_the_classes_of_a_table(told, pictures, diabolo, refused, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("file,label\na/1.png,3\na/2.jpg,3\nb/1.png,5\nc.bmp,0\n", encoding="utf-8")
    for verb in ("score", "duplicates"):
        assert refused(2, verb, told["cvae"], pictures).endswith(
            "holds a model conditioned on labels, which these images do not carry: name their classes by --labels"
        )
        assert diabolo(verb, told["cvae"], pictures, "--labels", table).code == 0
    with open("scores.csv", newline="", encoding="utf-8") as file:
        one = [float(row["reconstruction error"]) for row in csv.DictReader(file)]
    table.write_text("file,label\na/1.png,8\na/2.jpg,3\nb/1.png,5\nc.bmp,0\n", encoding="utf-8")
    assert diabolo("score", told["cvae"], pictures, "--labels", table).code == 0
    with open("scores.csv", newline="", encoding="utf-8") as file:
        other = [float(row["reconstruction error"]) for row in csv.DictReader(file)]
    assert [a != b for a, b in zip(one, other, strict=True)] == [True, False, False, False]  # told of another class
