"""The rest of what `fit` promises: refusals, closed form, extras."""

import random

import numpy as np
import pytest
import torch

import diabolo
from diabolo import zoo
from diabolo.errors import DiaboloError
from diabolo.training.options import TrainOptions


@pytest.mark.parametrize(
    "wrong",
    [
        {"lr": "fast"}, {"lr": None}, {"weight_decay": None}, {"weight_decay": "0.1"}, {"min_delta": None}, {"name": 5},
        {"clip_norm": "1"}, {"ema": "yes"}, {"device": None}, {"device": 0}, {"out": 3}, {"schedule": None},
        {"schedule": ["cosine"]}, {"precision": None}, {"graph": None}, {"tensorboard": 2}, {"quiet": "yes"},
        {"threads": 1.0}, {"seed": None},
    ],
    ids=str,
)  # fmt: skip
def test_an_option_of_the_wrong_kind_is_refused_by_name(wrong, train, tiny_model, tiny_pixels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DiaboloError, match=next(iter(wrong))):
        train(tiny_model(), tiny_pixels(), **wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "numbers",
    [
        {"lr": np.float32(0.01)}, {"lr": np.float64(0.01)}, {"lr": torch.tensor(0.01)}, {"epochs": np.int64(1)},
        {"batch_size": np.int32(16)}, {"seed": np.uint32(7)}, {"ema": np.float32(0.5)}, {"clip_norm": 1},
        {"weight_decay": np.float16(0.5)}, {"lr": 1},
    ],
    ids=str,
)  # fmt: skip
def test_numbers_of_numpy_and_torch_are_numbers(numbers, train, tiny_model, tiny_pixels):
    """Options come out of `np.linspace` and the like; config.json takes plain numbers only."""
    run = train(tiny_model(), tiny_pixels(), **({"epochs": 1} | numbers))
    ((name, value),) = numbers.items()
    assert run.config.options[name] == pytest.approx(float(value))
    assert diabolo.load(run.path).name == "undercomplete"


def test_the_options_that_are_kept_give_the_same_options_again():
    options = TrainOptions(epochs=3, lr=0.1, ema=0.5, name="x")
    assert TrainOptions.of(**options.as_dict()) == options
    assert options.but(epochs=4).epochs == 4
    assert options.epochs == 3


def test_a_model_without_weights_to_train_is_refused(train, tiny_model, tiny_pixels, tmp_path):
    model = tiny_model().requires_grad_(False)
    with pytest.raises(DiaboloError, match=r"no weights|nothing to train|frozen"):
        train(model, tiny_pixels())
    assert not (tmp_path / "runs").exists()


def test_a_pca_of_more_components_than_images_is_refused_before_a_folder_is_made(
    train, tiny_model, tiny_pixels, tmp_path
):
    with pytest.raises(DiaboloError, match="at least as many images"):
        train(tiny_model("pca", latent_dim=40), tiny_pixels(10))
    assert not (tmp_path / "runs").exists()


def test_a_pca_is_that_of_scikit_learn_whatever_the_options(train, tiny_model, tiny_pixels):
    from sklearn.decomposition import PCA

    x = tiny_pixels()
    run = train(tiny_model("pca"), x, epochs=50, batch_size=64, ema=0.9)
    flat = x.reshape(len(x), -1) / 255
    theirs = PCA(4).fit(flat)
    ours = run.model.encode(x).numpy()
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs.transform(flat)), atol=1e-4)
    assert len(run.history) == len((run.path / "metrics.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (np.zeros((0, 1, 8, 8), np.uint8), "empty"),
        (np.full((20, 1, 8, 8), np.nan, np.float32), "NaN"),
        (np.full((20, 1, 8, 8), 200.0, np.float32), r"takes those in \[0, 1\]"),
        ([[1, 2], [3]], "cannot become one array"),
    ],
    ids=["empty", "nan", "range", "ragged"],
)
def test_bad_images_are_refused_before_a_folder_is_made(images, says, train, tiny_model, tmp_path):
    for given in ((images, None), (np.zeros((20, 1, 8, 8), np.uint8), images)):
        with pytest.raises(DiaboloError, match=says):
            train(tiny_model(), *given)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("kind", ["uint8", "float", "tensor", "images"])
def test_any_usual_array_is_the_same_training(kind, train, tiny_model, tiny_pixels, weights):
    x = tiny_pixels()
    given = {
        "uint8": x,
        "float": x.astype(np.float64) / 255,
        "tensor": torch.from_numpy(x),
        "images": diabolo.data.as_images(x),
    }[kind]
    assert torch.equal(weights(train(tiny_model(), given).model), weights(train(tiny_model(), x).model))


@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_the_modes_while_it_trains_and_validates(net, train, tiny_model, tiny_pixels, monkeypatch):
    from diabolo.autoencoder import Autoencoder

    modes, loss = [], Autoencoder.loss

    def noted(self, x, *args, **kwargs):
        (mode,) = {module.training for module in self.modules()}
        modes.append((mode, torch.is_grad_enabled(), next(self.parameters()).dtype, torch.is_autocast_enabled("cpu")))
        return loss(self, x, *args, **kwargs)

    monkeypatch.setattr(Autoencoder, "loss", noted)
    model = tiny_model("vae", net=net).eval()
    train(model, tiny_pixels(32), tiny_pixels(20), epochs=2, precision="bf16")
    training, validating = (True, True, torch.bfloat16, True), (False, False, torch.float32, False)
    before = (False, True, torch.float32, False)  # one look at what the loss minimises
    assert modes == [before, *[training, training, validating, validating] * 2]
    assert not model.training


def test_validation_changes_nothing_of_the_training(train, tiny_model, tiny_pixels, weights):
    x = tiny_pixels()
    for name, net in (("vae", "mlp"), ("vae", "conv"), ("undercomplete", "conv")):
        without, beside = (train(tiny_model(name, net=net), x, held) for held in (None, tiny_pixels(33, seed=1)))
        assert torch.equal(weights(without.model), weights(beside.model))


def test_validation_has_the_same_noise_every_time(train, tiny_model, tiny_pixels):
    run = train(tiny_model("vae"), tiny_pixels(), tiny_pixels(30, seed=1), epochs=3, lr=1e-12)
    totals = [line["validation"]["total"] for line in run.history]
    assert totals == pytest.approx([totals[0]] * 3, rel=1e-6)


def test_no_generator_of_anybody_is_disturbed(train, tiny_model, tiny_pixels):
    model, x = tiny_model("denoising", net="conv"), tiny_pixels()
    states = torch.random.get_rng_state(), random.getstate(), np.random.get_state()
    train(model, x, x[:20], store="host")
    assert torch.equal(states[0], torch.random.get_rng_state())
    assert random.getstate() == states[1]
    assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), states[2], strict=True))


def test_the_global_generator_does_not_matter(train, tiny_model, tiny_pixels, weights):
    models = [tiny_model("vae") for _ in range(2)]
    torch.manual_seed(1)
    one = train(models[0], tiny_pixels())
    torch.manual_seed(2)
    other = train(models[1], tiny_pixels())
    assert torch.equal(weights(one.model), weights(other.model))


def test_two_models_of_one_seed_see_the_images_in_one_order(train, tiny_model, tiny_pixels, monkeypatch):
    from diabolo.autoencoder import Autoencoder

    seen, loss = [], Autoencoder.loss

    def noted(self, x, *args):
        seen.extend([x.clone()] * self.training)
        return loss(self, x, *args)

    monkeypatch.setattr(Autoencoder, "loss", noted)
    for name, seed in (("vae", 3), ("undercomplete", 3), ("undercomplete", 4)):
        train(tiny_model(name), tiny_pixels(48), seed=seed)
    first, second, other = seen[:6], seen[6:12], seen[12:]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert not torch.equal(first[0], first[3])  # nor are two epochs alike


# --- extras -----------------------------------------------------------------------------------------------------------


def test_tensorboard_events_say_what_metrics_say(train, tiny_model, tiny_pixels):
    pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    x, held = tiny_pixels(), tiny_pixels(20, seed=1)
    run = train(tiny_model("vae"), x, held, tensorboard=True)
    run = diabolo.resume(run.path, x, held, epochs=4)
    events = EventAccumulator(str(run.path / "tensorboard"))
    events.Reload()
    assert {"total/train", "kl/validation", "lr", "images_per_second"} <= set(events.Tags()["scalars"])
    for split in ("train", "validation"):
        for term in ("total", "reconstruction", "kl"):
            found = [(event.step, event.value) for event in events.Scalars(f"{term}/{split}")]
            assert found == [(line["epoch"], pytest.approx(line[split][term], rel=1e-6)) for line in run.history]


def test_an_epoch_done_twice_is_one_event(train, tiny_model, tiny_pixels, monkeypatch, tmp_path):
    """The fourth epoch was over but not in the checkpoint of the third: it is trained, and drawn, once more."""
    pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from diabolo.training.loop import Loop

    epoch = Loop._epoch

    def failing(self, number, state):
        if number == 4:
            raise MemoryError
        return epoch(self, number, state)

    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_epoch", failing)
        with pytest.raises(MemoryError):
            train(tiny_model(), tiny_pixels(), epochs=6, checkpoint_every=3, tensorboard=True)
    (path,) = (tmp_path / "runs").iterdir()
    diabolo.resume(path, tiny_pixels())
    events = EventAccumulator(str(path / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("total/train")] == [1, 2, 3, 4, 5, 6]


def test_tensorboard_is_asked_for_before_training_starts(train, tiny_model, tiny_pixels, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # as if it were not installed
    with pytest.raises(DiaboloError, match=r"pip install 'diabolo\[tensorboard\]'"):
        train(tiny_model(), tiny_pixels(), tensorboard=True)
    assert not (tmp_path / "runs").exists()


def test_images_on_disk_train_to_the_same_bits(train, tiny_model, tiny_pixels, weights, tmp_path):
    """A memory map that stays one, against the same pixels in memory and on the device."""
    np.save(tmp_path / "x.npy", tiny_pixels())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    found = [
        weights(train(tiny_model("vae", net="conv"), images, store=store).model)
        for images, store in ((tiny_pixels(), "device"), (mapped, "device"), (mapped, "host"), (mapped, "disk"))
    ]
    assert all(torch.equal(found[0], other) for other in found[1:])


def test_float16_learns_and_never_without_a_scaler(train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels(), precision="float16", epochs=30, lr=1e-2)
    plain = train(tiny_model(), tiny_pixels(), precision="float32", epochs=30, lr=1e-2)
    assert run.history[-1]["train"]["total"] == pytest.approx(plain.history[-1]["train"]["total"], rel=0.1)
    scale, _ = diabolo.runs.files.read_tensors(run.path / diabolo.runs.checkpoint.FILE)
    assert float(scale["scaler/model/scale"]) > 1


def test_vectors_train_too(train):
    x = np.random.default_rng(0).random((60, 9), dtype=np.float32)
    torch.manual_seed(0)
    run = train(zoo.vae((9,), 2, hidden=(8,), likelihood="gaussian"), x, x[:10])
    assert diabolo.load(run.path).reconstruct(torch.from_numpy(x)).shape == (60, 9)
    assert run.config.train.shape == (9,)
