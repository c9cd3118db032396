"""Numbers in any units: scaled by the model, given back in the units that they came in."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import diabolo
from diabolo.codec import as_input
from diabolo.data import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.pictured import as_pictures, pictures_of
from diabolo.scaling import SCALINGS, Affine, Unscaled, as_scaling, usual

RANDOM = np.random.default_rng(0)
TABLE = RANDOM.normal(size=(300, 5)) * [1, 10, 0.1, 5, 3] + [4000, -3, 0, 1e6, 7]
SIGNALS = (RANDOM.normal(size=(60, 2, 16)) * [[1], [50]] + [[100], [-4]]).astype(np.float32)
DEEP = RANDOM.integers(0, 4096, (40, 1, 8, 8)).astype(np.uint16)


def quietly(model, images, tmp_path, **options):
    return diabolo.fit(model, images, out=tmp_path / "runs", quiet=True, **{"epochs": 2, "threads": 1, **options})


@pytest.mark.parametrize("kind", ["real", "unit", "standard", "robust"])
@pytest.mark.parametrize("x", [TABLE, SIGNALS, TABLE.astype(np.float32), DEEP])
def test_what_is_scaled_is_undone(kind, x):
    images = Images(x)
    scaling = Affine(kind, images.shape)
    scaling.fit(images)
    z = scaling(torch.from_numpy(x.astype(np.float64)))
    assert z.dtype == torch.float32
    spread = x.astype(np.float64).std(0)
    assert np.all(np.abs(scaling.undo(z).numpy() - x) <= 1e-5 * spread + 1e-6 * np.abs(x))


def test_standard_is_that_of_each_feature_or_channel():
    scaling = Affine("standard", (5,))
    scaling.fit(Images(TABLE))
    assert np.allclose(scaling.shift, TABLE.mean(0), rtol=1e-12)
    assert np.allclose(scaling.scale, TABLE.std(0), rtol=1e-9)
    scaling = Affine("standard", (2, 16))
    scaling.fit(Images(SIGNALS))
    wide = SIGNALS.astype(np.float64)
    assert np.allclose(scaling.shift.flatten(), wide.mean((0, 2)), rtol=1e-9)
    assert np.allclose(scaling.scale.flatten(), wide.std((0, 2)), rtol=1e-9)


def test_one_pass_finds_what_numpy_finds(monkeypatch):
    monkeypatch.setattr("diabolo.data.images.CHUNK_BYTES", 400)
    scaling = Affine("standard", (5,))
    scaling.fit(Images(TABLE))
    assert np.allclose(scaling.scale, TABLE.std(0), rtol=1e-9)
    unit = Affine("unit", (5,))
    unit.fit(Images(TABLE))
    assert np.allclose(unit.shift, TABLE.min(0))
    assert np.allclose(unit.scale, np.ptp(TABLE, axis=0))


def test_robust_is_not_moved_by_outliers():
    x = TABLE.copy()
    x[:5] = 1e9
    scaling = Affine("robust", (5,))
    scaling.fit(Images(x))
    assert np.allclose(scaling.scale, TABLE.std(0), rtol=0.3)
    assert np.allclose(scaling.shift, np.median(x, axis=0))


def test_what_is_constant_is_not_divided_by_nothing():
    x = np.full((50, 3), 0.1)
    x[:, 1] = np.arange(50)
    x[:, 2] = 1e8
    for kind in ("standard", "unit", "robust"):
        scaling = Affine(kind, (3,))
        scaling.fit(Images(x))
        assert scaling.scale[[0, 2]].tolist() == [1, 1]
        assert scaling(torch.from_numpy(x)).isfinite().all()


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_whole_numbers_that_are_0_or_1_are_those_floats(kind, tmp_path):
    """As a table of 0 and 1 holds them, or one of categories alone: they are in [0, 1], and nothing scales them."""
    bits = np.random.default_rng(0).integers(0, 2, (60, 6))
    run = quietly("vae", bits.astype(kind), tmp_path, latent_dim=2)
    same = quietly("vae", bits.astype(np.float32), tmp_path, latent_dim=2)
    assert run.model.scaling.kind == "none"
    assert run.history[-1]["train"] == same.history[-1]["train"]
    assert torch.equal(run.model.encode(bits.astype(kind)), same.model.encode(bits.astype(np.float32)))
    with pytest.raises(DiaboloError, match=r"images are uint8 in 0 … 255 or float in \[0, 1\], not torch"):
        run.model.encode(bits.astype(kind) + 1)


@pytest.mark.filterwarnings("ignore:.* and float32 keeps steps of:UserWarning")
@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint32])
def test_whole_numbers_are_read_as_the_same_floats_are(kind, tmp_path):
    """Around 1.7e9, as seconds since 1970 are, float32 has every 128th number."""
    x = 1_700_000_000 + np.random.default_rng(0).integers(0, 1000, (200, 3))
    run = quietly("undercomplete", x.astype(kind), tmp_path, latent_dim=2)
    same = quietly("undercomplete", x.astype(np.float64), tmp_path, latent_dim=2)
    assert run.history[-1]["train"] == same.history[-1]["train"]
    for rows in (torch.from_numpy(x.astype(kind)), x.astype(kind), torch.from_numpy(x.astype(np.float64))):
        assert torch.equal(run.model.encode(rows), same.model.encode(x.astype(np.float64)))


@pytest.mark.parametrize(
    ("around", "kind", "warned"), [(1e8, float, True), (1e8, int, True), (1e8, "f4", False), (1e6, float, False)]
)
def test_steps_of_float32_are_warned_of_where_data_are_finer(around, kind, warned, recwarn):
    """Around 10⁸ float32 has every eighth number: a reconstruction without an error of its own is off by 8² / 12."""
    x = (around + np.random.default_rng(0).normal(0, 10, (400, 2)) * [1, 1e7]).astype(kind)
    scaling = diabolo.scaling.Affine("standard", (2,))
    scaling.fit(diabolo.data.Images(x, name="log", feature_names=("time", "size")))
    back = scaling.undo(scaling(torch.from_numpy(x))).double().numpy()
    wanted = [str(w.message) for w in recwarn]
    assert len(wanted) == warned
    if warned:
        assert "feature 'time' of log lies around 1e+08 and varies by" in wanted[0]
        assert "float32 keeps steps of 8 there" in wanted[0]
        assert np.square(back - x)[:, 0].mean() == pytest.approx(8**2 / 12, rel=0.2)


def test_black_and_white_are_the_unit_range_of_pictures():
    images = Images(DEEP, span=(0, 4095))
    assert usual(images) == "unit"
    scaling = Affine("unit", images.shape)
    scaling.fit(images)
    assert (scaling.shift.item(), scaling.scale.item(), scaling.shown) == (0, 4095, (0, 4095))
    assert np.allclose(pictures_of(images, scaling).images, np.rint(DEEP / 4095 * 255), atol=1)


@pytest.mark.parametrize(
    ("x", "wanted"),
    [
        (np.zeros((2, 1, 4, 4), np.uint8), "none"), (np.full((2, 3), 0.5), "none"), (TABLE, "standard"),
        (np.zeros((2, 3), np.uint8), "none"), (SIGNALS, "standard"), (np.array([[0.0, 1.5]]), "standard"),
    ],
)  # fmt: skip
def test_which_scaling_suits(x, wanted):
    assert usual(Images(x)) == wanted


def test_as_scaling_by_name():
    assert [as_scaling(name, (3,)).kind for name in SCALINGS] == list(SCALINGS)
    with pytest.raises(UnknownNameError, match="standard"):
        as_scaling("standart", (3,))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 250.0])
def test_nats_are_those_of_the_units_of_the_data(scale):
    """−log N(x; x_hat, σ²) of scaled numbers, plus Σ log scale, is scipy's in the units of the data."""
    x = RANDOM.normal(size=(200, 3)) * scale + 7 * scale
    model = diabolo.zoo.vae((3,), 2, hidden=(8,), scaling="standard", sigma=0.5)
    model.scaling.fit(Images(x))
    raw = torch.from_numpy(RANDOM.normal(size=(200, 3))).float()
    found = model.score(raw, model.scaling(torch.from_numpy(x)))
    shift, each = (t.numpy() for t in (model.scaling.shift, model.scaling.scale))
    wanted = -stats.norm.logpdf(x, raw.numpy() * each + shift, 0.5 * each).sum(1)
    assert np.allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-4)


def test_two_scalings_of_the_same_density_have_the_same_nats():
    x = torch.from_numpy(TABLE)
    nats = []
    for kind in ("standard", "robust", "unit"):
        model = diabolo.zoo.vae((5,), 2, hidden=(8,), scaling=kind, likelihood="gaussian", sigma="learned")
        model.scaling.fit(Images(TABLE))
        scaled = model.scaling(x)
        sigma = torch.from_numpy(TABLE.std(0)) / model.scaling.scale  # that of the data, in scaled numbers
        centre = model.scaling(torch.from_numpy(TABLE.mean(0)).expand_as(x))
        density = torch.distributions.Normal(centre, sigma.float()).log_prob(scaled).sum(1)
        nats.append(float((-density + model.scaling.volume()).mean()))
    assert np.allclose(nats, nats[0], atol=0.01)


def test_pictures_of_8_bits_are_what_they_were_bit_for_bit():
    train, test = diabolo.data.load("digits", n_train=20, n_test=10)
    model = diabolo.zoo.build_for("vae", train, 0, latent_dim=2, hidden=(8,))
    assert type(model.scaling) is Unscaled
    assert not any("scaling" in name for name in model.state_dict())
    x = torch.from_numpy(test.images)
    assert torch.equal(
        as_input(x, model.input_shape, model.device),
        as_input(x, model.input_shape, model.device, scaling=model.scaling),
    )


@pytest.mark.parametrize("recipe", ["vae", "undercomplete", "sparse", "denoising", "pca", "iwae", "contractive"])
def test_a_model_speaks_the_units_of_the_data(recipe, tmp_path):
    images, few = Images(TABLE), Images(TABLE[:20])
    small = {} if recipe == "pca" else {"hidden": (16,), "lr": 1e-2, "epochs": 30}
    run = quietly(recipe, images, tmp_path, latent_dim=3, **small)
    x_hat = run.model.reconstruct(torch.from_numpy(few.images)).numpy()
    assert np.all(np.abs(x_hat - TABLE[:20]) < 5 * TABLE.std(0))
    assert np.abs(run.model.sample(50).numpy().mean(0) - TABLE.mean(0)).max() < 3 * TABLE.std(0).max()
    again = diabolo.load(run.path)
    assert torch.equal(again.encode(few.images), run.model.encode(few.images))
    assert torch.equal(again.reconstruct(few.images), run.model.reconstruct(few.images))


def test_deep_pictures_come_back_with_more_than_256_levels(tmp_path):
    ramp = (np.linspace(0, 4095, 64).reshape(1, 1, 8, 8) * RANDOM.uniform(0.2, 1, (200, 1, 1, 1))).astype(np.uint16)
    images = Images(ramp, span=(0, 4095))
    run = quietly("undercomplete", images, tmp_path, latent_dim=2, hidden=(32,), epochs=20)
    x_hat = run.model.reconstruct(images.images).numpy()
    assert len(np.unique(x_hat.round())) > 256
    assert np.abs(x_hat - ramp).mean() < 200
    scores = diabolo.evaluate(run, (images, images), measures=["reconstruction"])["reconstruction"].scores
    error = np.square(x_hat - ramp).mean((1, 2, 3))
    assert scores["MSE"].value == pytest.approx(error.mean(), rel=1e-5)
    assert scores["PSNR"].value == pytest.approx((10 * np.log10(4095**2 / error)).mean(), rel=1e-5)


def test_the_error_of_negative_floats_is_in_their_units(tmp_path):
    x = (RANDOM.normal(size=(80, 1, 8, 8)).cumsum(3) * 300 - 1000).astype(np.float32)
    images = Images(x)
    run = quietly("pca", images, tmp_path, latent_dim=8)
    scores = diabolo.evaluate(run, (images, images), measures=["reconstruction"])["reconstruction"].scores
    error = np.square(run.model.reconstruct(x).numpy() - x).mean()
    assert scores["MSE"].value == pytest.approx(error, rel=1e-4)
    assert "PSNR" not in scores
    assert "SSIM" not in scores
    assert scores["FVU"].value == pytest.approx(error / x.var(0).mean(), rel=1e-4)


def test_a_model_that_is_trained_on_keeps_its_units(tmp_path):
    model = diabolo.zoo.vae((5,), 2, hidden=(8,), scaling="standard")
    quietly(model, Images(TABLE), tmp_path)
    before = model.scaling.shift.clone()
    quietly(model, Images(TABLE + 100), tmp_path)
    assert torch.equal(model.scaling.shift, before)
    other = diabolo.zoo.vae((5,), 2, hidden=(8,), scaling="standard")
    run = quietly(model, Images(TABLE), tmp_path)
    quietly(other, Images(TABLE + 100), tmp_path, init=str(run.path))
    assert torch.equal(other.scaling.shift, before)


def test_resume_ends_where_the_whole_training_ends(tmp_path):
    images = Images(TABLE)
    whole = quietly("vae", images, tmp_path, latent_dim=2, hidden=(8,), epochs=4)
    half = quietly("vae", images, tmp_path, latent_dim=2, hidden=(8,), epochs=2, schedule="constant", lr=1e-3)
    more = diabolo.resume(half.path, images, epochs=4)
    straight = quietly("vae", images, tmp_path, latent_dim=2, hidden=(8,), epochs=4, schedule="constant", lr=1e-3)
    for name, tensor in straight.model.state_dict().items():
        assert torch.equal(tensor, more.model.state_dict()[name]), name
    assert math.isfinite(whole.history[-1]["train"]["total"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"likelihood": "bernoulli"}, "gives numbers from 0 to 1"),
        ({"likelihood": diabolo.likelihoods.SquaredError()}, "a likelihood with a linear output"),
        ({"corruption": "salt-and-pepper"}, "SaltAndPepper needs pictures"),
        ({"observation": "binarised"}, "Binarised needs pictures"),
        ({"scaling": "standart"}, "did you mean 'standard'"),
    ],
)
def test_parts_that_need_numbers_from_0_to_1_are_refused(options, says):
    with pytest.raises(DiaboloError, match=says):
        diabolo.zoo.undercomplete((5,), 2, **{"scaling": "standard", **options})


def test_noise_is_not_clipped_where_numbers_are_any(tmp_path):
    model = diabolo.zoo.denoising((5,), 2, hidden=(8,), scaling="standard")
    model.scaling.fit(Images(TABLE))
    noisy = model.corrupt(TABLE).numpy()
    away = (noisy - TABLE) / TABLE.std(0)
    assert away.std() == pytest.approx(model.corruption.sigma, rel=0.1)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.full((2, 5), np.nan), "NaN or infinity"),
        (np.zeros((2, 4)), r"expected images \(N, 5\)"),
        ("text", "must be an array"),
    ],
)
def test_inference_refuses_what_training_refuses(x, says):
    model = diabolo.zoo.vae((5,), 2, hidden=(8,), scaling="standard")
    for ask in (model.encode, model.reconstruct, model.loss):
        with pytest.raises(DiaboloError, match=says):
            ask(x)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_pictures_of_other_units_are_black_to_white(low, width):
    x = (np.linspace(0, 1, 16).reshape(1, 1, 4, 4) * width + low).astype(np.float64)
    images = Images(x, span=(low, low + width)) if low + width > low else Images(x)
    scaling = Affine("unit", images.shape)
    scaling.fit(images)
    shown = scaling.as_picture(torch.from_numpy(x))
    assert shown.min() >= 0
    assert shown.max() <= 1
    if images.span:
        assert shown.flatten()[0].item() == pytest.approx(0, abs=1e-6)
        assert shown.flatten()[-1].item() == pytest.approx(1, abs=1e-6)


def test_a_pictured_codec_is_the_codec_in_other_units(tmp_path):
    images = Images(DEEP, span=(0, 4095))
    model = quietly("pca", images, tmp_path, latent_dim=4).model
    shown = as_pictures(model)
    x = torch.from_numpy(DEEP.astype(np.float32))
    assert torch.allclose(shown.encode(x / 4095), model.encode(x), atol=1e-4)
    assert torch.allclose(shown.reconstruct(x / 4095), (model.reconstruct(x) / 4095).clamp(0, 1), atol=1e-6)
    assert torch.allclose(shown.sample(3), (model.sample(3) / 4095).clamp(0, 1), atol=1e-6)
    assert shown.name == "pca"


@pytest.mark.parametrize(
    ("x", "options", "says"),
    [
        (
            TABLE,
            {"scaling": "none"},
            r"numbers from .* and this model takes those in \[0, 1\]: make it with scaling='standard'",
        ),
        (TABLE, {"likelihood": "poisson"}, "scores counts, .* the data hold -"),
        (np.abs(TABLE), {"likelihood": "poisson"}, "the data hold fractions"),
        (np.abs(TABLE), {"likelihood": "negative-binomial", "scaling": "standard"}, "use scaling 'real'"),
    ],
)
def test_numbers_that_a_model_cannot_score_are_refused_before_training(x, options, says, tmp_path):
    with pytest.raises(DiaboloError, match=says):
        quietly("vae", Images(x), tmp_path, latent_dim=2, hidden=(8,), **options)
    assert not list(tmp_path.glob("runs/0*"))


def test_counts_are_scored_as_they_are(tmp_path):
    x = RANDOM.poisson(np.exp(RANDOM.normal(size=(300, 1)) + np.arange(4)))
    run = quietly("vae", Images(x), tmp_path, latent_dim=1, hidden=(16,), likelihood="poisson", epochs=60, lr=1e-2)
    assert run.model.scaling.kind == "real"
    assert np.allclose(run.model.reconstruct(torch.from_numpy(x)).mean(0), x.mean(0), rtol=0.5)


@pytest.mark.parametrize("corruption", ["gaussian", "masking", "salt-and-pepper"])
def test_what_corrupts_pictures_corrupts_those_of_16_bits(corruption, tmp_path):
    x = np.random.default_rng(0).integers(0, 4096, (40, 1, 8, 8)).astype(np.uint16)
    images = diabolo.data.as_images(x, range=(0, 4095))
    run = diabolo.fit(
        "denoising", images, images, corruption=corruption, level=0.3, latent_dim=2, hidden=(8,), epochs=1,
        out=tmp_path, quiet=True, threads=1,
    )  # fmt: skip
    assert run.model.scaling.kind == "unit"
    seen = run.model.corrupt(images.images).numpy()
    assert seen.min() >= -1e-3
    assert seen.max() <= 4095.001  # clipped at black and white
    assert np.abs(seen - x).max() > 500
    found = diabolo.evaluate(diabolo.load(run.path), (images, images), measures=["reconstruction"])
    assert found["reconstruction"].scores["denoising MSE"].value > 1e4  # in units of the data, squared


def test_clipped_noise_needs_black_and_white():
    clipped = diabolo.corruptions.GaussianNoise(0.1)
    with pytest.raises(DiaboloError, match=r"GaussianNoise needs pictures .* scaled by 'standard': use scaling 'unit'"):
        diabolo.zoo.denoising((4,), 2, hidden=(4,), scaling="standard", corruption=clipped)
    assert not diabolo.zoo.denoising((4,), 2, hidden=(4,), scaling="standard").corruption.clip
    assert diabolo.zoo.denoising((4,), 2, hidden=(4,), scaling="unit").corruption.clip
