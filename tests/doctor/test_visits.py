"""What is shown to the doctor may be whole, half, strange, or not there."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from diabolo import data, zoo
from diabolo.cli.main import main
from diabolo.data import Images
from diabolo.doctor import SYMPTOMS, Patient, diagnose
from diabolo.errors import DiaboloError
from diabolo.parts import part
from diabolo.runs.loading import load_run
from diabolo.training.fit import fit


def names(visit):
    return [illness.name for illness in visit]


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


@pytest.fixture(scope="module")
def healthy(digits, tmp_path_factory):
    """A finished run of a VAE; not to be written into."""
    torch.manual_seed(0)
    model = zoo.vae((1, 8, 8), latent_dim=4, hidden=(64,))
    return fit(model, *digits, epochs=20, lr=3e-3, out=tmp_path_factory.mktemp("runs"), quiet=True).path


@part
class Dropping(nn.Module):
    """An encoder with dropout; in training mode for ever unless `heeds`."""

    input_shape = (1, 8, 8)

    def __init__(self, heeds):
        super().__init__()
        self.layer, self.features, self.heeds = nn.Linear(64, 64), 64, heeds

    def forward(self, x):
        hidden = self.layer(x.flatten(1)).relu()
        return functional.dropout(hidden, 0.3, training=self.training or not self.heeds)


@part
class Normed(nn.Module):
    """An encoder whose batch norm takes the statistics of what it sees; unless `heeds`."""

    input_shape = (1, 8, 8)

    def __init__(self, heeds):
        super().__init__()
        self.layer, self.norm, self.features = nn.Linear(64, 64), nn.BatchNorm1d(64, track_running_stats=heeds), 64

    def forward(self, x):
        return self.norm(self.layer(x.flatten(1))).relu()


@part
class Widening(nn.Module):
    """A decoder of digits."""

    def __init__(self, code):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(code, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, z):
        return self.layers(z).unflatten(1, (1, 8, 8))


@pytest.mark.parametrize("encoder", [Dropping, Normed])
def test_a_net_that_stays_in_training_mode_is_named_and_one_that_heeds_it_is_not(encoder, digits, tmp_path):
    for heeds in (False, True):
        torch.manual_seed(0)
        model = zoo.undercomplete((1, 8, 8), latent_dim=8, net=[encoder(heeds), Widening(8)])
        run = fit(model, *digits, epochs=25, lr=3e-3, out=tmp_path, quiet=True)
        found = diagnose(run)
        assert ("evaluation in training mode" in names(found)) is not heeds
        if not heeds:
            assert names(found)[0] == "evaluation in training mode"
            assert "self.training" in found.illnesses[0].remedy.words


def test_images_that_were_trained_on_and_tested_with_are_left_out_by_the_line(digits, typed, tmp_path):
    train, test = (part.images for part in digits)
    nearly = np.clip(test[:40].astype(int) + 1, 0, 255).astype(np.uint8)
    np.savez("shared.npz", x_train=np.concatenate([train, test[40:80], nearly]), x_test=test)
    found = diagnose(
        typed("diabolo train undercomplete --data shared.npz --latent-dim 8 --hidden 64 --epochs 25 --lr 3e-3")
    )
    assert names(found) == ["leak between train and test"]
    assert "80 of" in found.illnesses[0].evidence
    after = typed(found.illnesses[0].remedy.command)
    assert load_run(after).config.train.images == len(train)
    assert names(diagnose(after)) == []


def test_codes_that_have_exploded_are_numerical_trouble(healthy, digits):
    run = load_run(healthy)
    with torch.no_grad():
        run.model.bottleneck.to_posterior.weight.mul_(1e6)
    assert names(diagnose(run, digits))[0] == "numerical trouble"


def test_weights_that_are_no_numbers_are_numerical_trouble(healthy, digits):
    run = load_run(healthy)
    with torch.no_grad():
        run.model.bottleneck.to_posterior.weight[0, 0] = torch.nan
    assert "nan" in diagnose(replace(run, history=[]), digits).illnesses[0].evidence


def test_without_its_images_the_history_is_read_and_the_rest_named(healthy, tmp_path):
    copy = tmp_path / "0001-vae-gone"
    shutil.copytree(healthy, copy)
    config = copy / "config.json"
    config.write_text(config.read_text().replace('"name": "digits"', f'"name": "{tmp_path}/gone.npz"'))
    lines = (copy / "metrics.jsonl").read_text().splitlines()
    (copy / "metrics.jsonl").write_text("\n".join(lines[:3]))
    found = diagnose(copy)
    assert names(found) == ["underfitting"]
    assert {"training mode", "blurry", "leak", "memorised"} <= set(found.unseen)
    assert all("gone.npz" in reason for reason in found.unseen.values())
    assert set(found.unseen) < {name.replace("_", " ") for name in SYMPTOMS}


def test_other_images_can_be_given_and_must_fit(healthy, digits):
    assert names(diagnose(healthy, digits)) == []
    other = data.load("faces", n_train=10, n_test=10)
    with pytest.raises(DiaboloError, match=r"the model is for images \(1, 8, 8\), and faces"):
        diagnose(healthy, other)


@pytest.mark.parametrize("name", ["undercomplete", "vae", "pca"])
def test_vectors_and_handfuls_can_be_shown(name, tmp_path):
    random = np.random.default_rng(0)
    x = (random.random((70, 2)) @ random.random((2, 12)) / 2).astype(np.float32)
    model = zoo.build(name, (12,), latent_dim=2, **({} if name == "pca" else {"hidden": (8,)}))
    options = {} if name == "pca" else {"epochs": 2, "batch_size": 20}
    run = fit(model, x[:60], out=tmp_path, quiet=True, **options)
    found = diagnose(run, (Images(x[:60]), Images(x[60:])))
    assert not found.unseen
    assert all(illness.remedy.command is None or "resume" in illness.remedy.command for illness in found)
    assert diagnose(run).unseen  # arrays cannot be found again
    assert len(diagnose(run, (Images(x[:1]), Images(x[:1])))) >= 0


def test_numbers_that_are_not_known_are_left_out_of_what_is_said(tmp_path):
    """The variance that is left is that of the known numbers, also of a pixel that is never known."""
    random = np.random.default_rng(0)
    whole = random.normal(size=(80, 1, 6, 6)).astype(np.float32) * 3 + 5
    x = np.where(random.random(whole.shape) < 0.2, np.nan, whole).astype(np.float32)
    x[:, :, 0, 0] = np.nan
    parts = Images(x[:60], missing=True, name="holes"), Images(x[60:], missing=True, name="holes", split="test")
    model = zoo.vae((1, 6, 6), 2, hidden=(8,), scaling="standard", likelihood="gaussian", masked=True)
    run = fit(model, *parts, epochs=2, out=tmp_path, quiet=True)
    patient = Patient(run, parts)
    for images, found in ((patient.few.test, patient.unexplained), (patient.few.train, patient.unexplained_train)):
        known = np.ma.masked_invalid(images.images.astype(np.float64))
        x_hat = run.model.reconstruct(torch.from_numpy(images.images)).numpy()
        wanted = ((x_hat - known) ** 2).mean() / ((known - known.mean(0)) ** 2).mean()
        assert found == pytest.approx(wanted, rel=1e-5)
    found = diagnose(run, parts)
    assert "and it compares whole images" in found.unseen["blurry"]
    assert not any("nan" in illness.evidence for illness in found)


def test_classes_are_read_off_the_data_and_the_rest_of_the_line_is_kept(typed):
    found = diagnose(
        typed(
            "diabolo train cvae --latent-dim 2 --hidden 16 8 --beta 0 --epochs 2 --lr 2e-3 --seed 3 --n-train 500 --data-seed 7"
        )
    )
    command = next(illness for illness in found if illness.name == "absent beta").remedy.command
    assert command == (
        "diabolo train cvae --latent-dim 2 --beta 1 --hidden 16 8 --data digits --n-train 500 --data-seed 7 --epochs 2 "
        "--lr 0.002 --seed 3"
    )


def test_an_option_that_the_recipe_does_not_have_is_not_prescribed(typed):
    """Importance-weighted models have no beta, and free bits neither."""
    found = diagnose(typed("diabolo train iwae --latent-dim 4 --hidden 64 64 64 64 --epochs 12 --lr 3e-3"))
    for illness in found:
        if illness.remedy.command is not None and " train " in illness.remedy.command:
            main([*illness.remedy.command.split()[1:], "--dry-run"])
            assert "--free-bits" not in illness.remedy.command


def test_a_symptom_that_dies_leaves_the_others(healthy, monkeypatch):
    def dies(patient):
        raise IndexError("past the end")

    monkeypatch.setitem(SYMPTOMS, "odd_one", dies)
    seen = diagnose(healthy)
    assert seen.unseen["odd one"] == "unexpected IndexError: past the end"
    assert set(seen.unseen) == {"odd one"}
