"""A number that is not finite stops training: the message names step and term, what was good and what was bad stay on disk."""

import json
import math

import pytest
import torch

import diabolo
from diabolo import zoo
from diabolo.bottlenecks import Gaussian, Latent
from diabolo.errors import DiaboloError
from diabolo.likelihoods import SquaredError
from diabolo.parts import part
from diabolo.runs import checkpoint, files
from diabolo.training.batches import shuffled
from diabolo.updates.record import NotFiniteError, StepRecord

MARK = 255  # the first pixel of the offending image


@part
class Poison(SquaredError):  # noqa: N818  # a likelihood, no exception
    """`value` for the marked image, in training, evaluation or both; or its gradient alone is NaN."""

    def __init__(self, value: str = "nan", when: str = "training"):
        super().__init__()
        self.value, self.when = value, when

    def loss(self, raw, x):
        good = super().loss(raw, x)
        if self.when not in ("both", "training" if self.training else "evaluation"):
            return good
        marked = x[:, 0, 0, 0] == MARK / 255
        if self.value == "gradient":
            return good + torch.where(
                marked, torch.where(marked, 0 * good, 1).abs().sqrt(), 0
            )  # 0, with derivative 0 / 0
        return torch.where(marked, float(self.value), good)


@part
class InfiniteKL(Gaussian):
    """A KL term that is infinite, and weighs nothing."""

    def forward(self, features, draws):
        latent = super().forward(features, draws)
        kl = latent.penalties["kl"]
        return Latent(latent.z, latent.code, {"kl": kl + math.inf})


@pytest.fixture
def marked(tiny_pixels):
    """marked(epoch, step): 70 images, one of which is marked, which comes at that step (from 0) of that epoch (from 0)."""

    def draw(epoch, step):
        x = tiny_pixels()
        number = int(shuffled(70, 0, epoch)[16 * step + 2])
        x[number, 0, 0, 0] = MARK
        return x, number

    return draw


def poisoned(value="nan", when="training"):
    torch.manual_seed(0)
    return zoo.undercomplete((1, 8, 8), 4, hidden=(16,), likelihood=Poison(value, when))


def is_finite(path):
    tensors, _ = files.read_tensors(path)
    return all(t.isfinite().all() for t in tensors.values() if t.is_floating_point())


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("step", [0, 2, 4])
@pytest.mark.parametrize("place", ["device", "host"])
def test_step_term_and_batch(value, step, place, train, marked, tmp_path):
    x, number = marked(0, step)
    with pytest.raises(NotFiniteError) as stopped:
        train(poisoned(value), x, epochs=3, store=place)
    error = stopped.value
    assert (error.term, error.step) == ("reconstruction", step)
    assert str(error.value) == value
    assert f"'reconstruction' became {value} at step {step + 1} of epoch 1" in str(error)
    assert "--clip-norm" in str(error)
    (path,) = (tmp_path / "runs").iterdir()
    batch, _ = files.read_tensors(path / "offending-batch.safetensors")
    wanted = shuffled(70, 0, 0)[16 * step : 16 * step + 16]
    assert number in wanted
    assert torch.equal(batch["x"], torch.from_numpy(x)[wanted].float() / 255)
    assert is_finite(path / checkpoint.FILE)
    said = f"the loss term 'reconstruction' became {value} at step {step + 1} of epoch 1"
    assert checkpoint.status(path) == f"broken off: {said}, after 0 epochs"


def test_in_a_later_epoch_the_checkpoint_before_it_is_left(train, marked, tmp_path, monkeypatch):
    """The image is poison from the third epoch on; without it the run can go on, with the bits of one never poisoned."""
    loss, epochs = Poison.loss, []

    def late(self, raw, x):
        return loss(self, raw, x) if len(epochs) >= 2 else SquaredError.loss(self, raw, x)

    monkeypatch.setattr(Poison, "loss", late)
    monkeypatch.setattr("diabolo.training.progress.Silence.epoch", lambda self, line: epochs.append(line))
    x, _ = marked(2, 1)
    with pytest.raises(NotFiniteError, match="at step 2 of epoch 3"):
        train(poisoned(), x, epochs=4)
    (path,) = (tmp_path / "runs").iterdir()
    assert checkpoint.status(path).startswith(
        "broken off: the loss term 'reconstruction' became nan at step 2 of epoch 3"
    )
    assert checkpoint.status(path).endswith("after 2 epochs")
    assert [json.loads(line)["epoch"] for line in (path / "metrics.jsonl").read_text().splitlines()] == [1, 2]
    assert is_finite(path / checkpoint.FILE)
    assert not (path / "model.safetensors").exists()
    with pytest.raises(DiaboloError, match=f"resuming would repeat .* --init {path} for the weights of epoch 2"):
        diabolo.load(path)

    monkeypatch.setattr(Poison, "loss", SquaredError.loss)
    weights, _ = files.read_tensors(path / checkpoint.FILE)
    started = train(poisoned(), x, epochs=1, lr=1e-30, init=path, precision="float32")
    for name, tensor in started.model.named_parameters():
        torch.testing.assert_close(tensor, weights[f"model/{name}"], msg=name)
    resumed = diabolo.resume(path, x)
    whole = train(poisoned(), x, epochs=4)
    assert all(torch.equal(a, b) for a, b in zip(resumed.model.parameters(), whole.model.parameters(), strict=True))


def test_weights_that_are_not_finite_to_begin_with_are_refused(train, tiny_model, tiny_pixels):
    model = tiny_model()
    with torch.no_grad():
        model.encoder.layers[0].bias[0] = math.nan
    with pytest.raises(
        DiaboloError, match=r"weights to begin with hold NaN or infinity, first in 'encoder\.layers\.0\.bias'"
    ):
        train(model, tiny_pixels())


def test_a_term_of_weight_zero_counts_too(train, tiny_pixels):
    model = zoo.vae((1, 8, 8), 4, hidden=(16,), beta=0.0)
    model = diabolo.Autoencoder(**(model.arguments | {"bottleneck": InfiniteKL(16, 4, beta=0.0)}))
    with pytest.raises(NotFiniteError) as stopped:
        train(model, tiny_pixels())
    assert stopped.value.term in ("reconstruction", "kl")
    assert stopped.value.step == 0


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_gradient_that_is_nan_at_the_last_step_of_an_epoch(epochs, train, marked, tmp_path, monkeypatch):
    """The losses of that epoch are all finite, the weights after it are not: they must not become a checkpoint."""
    x, _ = marked(epochs - 1, 4)
    model = poisoned("gradient")
    if epochs > 1:  # harmless before the last epoch
        epoch, loss = [], Poison.loss
        monkeypatch.setattr("diabolo.training.progress.Silence.epoch", lambda self, line: epoch.append(line))
        monkeypatch.setattr(Poison, "loss", lambda *a: (loss if len(epoch) == epochs - 1 else SquaredError.loss)(*a))
    with pytest.raises(NotFiniteError):
        train(model, x, epochs=epochs)
    (path,) = (tmp_path / "runs").iterdir()
    assert is_finite(path / checkpoint.FILE)
    assert not (path / "model.safetensors").exists()


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_validation_loss_that_is_not_finite_is_not_passed_over(value, train, tiny_pixels, tmp_path):
    x = tiny_pixels()
    x[3, 0, 0, 0] = MARK
    with pytest.raises(NotFiniteError, match="validation") as stopped:
        train(poisoned(value, "evaluation"), tiny_pixels(seed=2), x)
    assert stopped.value.term == "reconstruction"
    assert "--init" not in str(stopped.value)  # no epoch has ended well, so there are no weights worth it
    (path,) = (tmp_path / "runs").iterdir()
    assert is_finite(path / checkpoint.FILE)
    said = f"the validation loss became {value} after epoch 1, in its term 'reconstruction'"
    assert checkpoint.status(path) == f"broken off: {said}, after 0 epochs"


@pytest.mark.parametrize("name", ["vae", "undercomplete"])
def test_the_largest_learning_rate_that_is_taken(name, train, tiny_model, tiny_pixels, tmp_path):
    with pytest.raises(NotFiniteError, match="a learning rate too high") as stopped:
        train(tiny_model(name, hidden=(64,) * 6), tiny_pixels(), epochs=5, lr=1000)
    assert stopped.value.term in ("reconstruction", "kl")
    (path,) = (tmp_path / "runs").iterdir()
    assert is_finite(path / checkpoint.FILE)


def test_on_the_command_line_it_is_one_sentence_and_code_1(diabolo_cli, tmp_path):
    running = diabolo_cli(
        "train",
        "vae",
        "--lr",
        "1000",
        "--schedule",
        "constant",
        "--hidden",
        *6 * ["64"],
        "--no-figures",
        "--threads",
        1,
        "--out",
        tmp_path / "runs",
    )
    assert running.wait() == 1
    assert len(running.errors.strip().splitlines()) == 1
    assert running.errors.startswith("diabolo: the loss term ")
    assert "of epoch 1" in running.errors
    (path,) = (tmp_path / "runs").iterdir()
    assert (path / "offending-batch.safetensors").exists()


def test_the_users_model_gets_weights_of_its_own_back(train, marked):
    model = poisoned()
    with pytest.raises(NotFiniteError):
        train(model, marked(0, 2)[0], precision="bf16")
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in model.parameters())
    model.loss(torch.rand(3, 1, 8, 8)).total.backward()


# --- the table itself -------------------------------------------------------------------------------------------------


def losses(*rows):
    from diabolo.autoencoder import Loss

    for a, b in rows:
        a, b = torch.tensor(a), torch.tensor(b)
        yield Loss(a + b, {"reconstruction": a, "kl": b}, {})


def test_the_first_bad_number_is_found():
    record = StepRecord(["total", "reconstruction", "kl"], 4, torch.device("cpu"))
    for i, loss in enumerate(losses((1.0, 2.0), (1.0, math.inf), (math.nan, 1.0))):
        record.write(i, loss)
        assert record.seen_bad() == (i > 0)
    assert record.first_bad() == (1, "kl", math.inf)


def test_means_are_over_images_not_over_steps():
    record = StepRecord(["total", "reconstruction", "kl"], 3, torch.device("cpu"))
    for i, loss in enumerate(losses((1.0, 10.0), (2.0, 20.0), (7.0, 70.0))):
        record.write(torch.tensor([i]) if i else i, loss)
    assert record.first_bad() is None
    assert record.means([4, 4, 2]) == pytest.approx({"total": 28.6, "reconstruction": 2.6, "kl": 26.0})


def test_an_infinite_total_of_finite_terms():
    record = StepRecord(["total", "reconstruction", "kl"], 1, torch.device("cpu"))
    big = 3e38
    record.write(0, next(losses((big, big))))
    assert record.first_bad() == (0, "total", math.inf)
