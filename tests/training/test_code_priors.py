"""A prior is fitted to the codes of a run, found again with it, and refused where it is of something else."""

import numpy as np
import pytest
import torch

import diabolo
from diabolo import zoo
from diabolo.errors import DiaboloError, NoPriorError
from diabolo.randomness import Draws, generator
from diabolo.runs import files
from diabolo.training.fit import fit, resume

SMALL = {"width": 8, "layers": 1, "heads": 2, "epochs": 2, "batch_size": 16, "threads": 1, "quiet": True}
SMALL |= {"lr": 1e-3, "schedule": "constant"}


@pytest.fixture
def trained(tiny_pixels, tmp_path):
    """trained(name, **options): images, held-out images and the run of a small model."""

    def make(name="vqvae", **options):
        torch.manual_seed(0)
        net = {"width": 16, "residual_width": 8, "residual_layers": 1} if name in ("vqvae", "fsq") else {}
        model = zoo.build(name, (1, 8, 8), **net, **options)
        x, held = tiny_pixels(), tiny_pixels(20, seed=1)
        how = {"epochs": 1, "batch_size": 16, "threads": 1, "quiet": True, "out": tmp_path / "runs"}
        return x, held, fit(model, x, held, **how)

    return make


@pytest.mark.parametrize("case", [("vqvae", {"codes": 12}), ("vqvae", {"codes": 270}), ("fsq", {"levels": (5, 4, 3)})])
def test_a_run_samples_from_the_prior_fitted_to_it(case, trained):
    name, options = case
    x, held, run = trained(name, **options)
    with pytest.raises(NoPriorError, match=f"diabolo fit-prior {run.path}"):
        diabolo.load(run.path).sample(3)
    prior = diabolo.fit_prior(run.path, x, held, **SMALL)
    assert prior.path.parent == run.path / "prior"
    assert prior.config.units == {"total": "nats per map", "nll": "nats per map"}
    line = prior.history[-1]["train"]
    assert line["bits_per_code"] == pytest.approx(line["nll"] / 4 / np.log(2), rel=1e-5)
    model = diabolo.load(run.path)
    samples = model.sample(5, seed=3)
    assert torch.equal(samples, diabolo.load(run.path).sample(5, seed=3))
    draws = Draws(generator(3, "sample"))
    maps = prior.model.draw(5, draws, torch.device("cpu"))
    assert torch.equal(samples, model.decode(model.bottleneck.codes_of(maps)))
    assert set(model.state_dict()) == set(run.model.state_dict())  # the prior is none of its weights


def test_the_codes_it_learns_are_those_of_the_images(trained):
    x, held, run = trained(codes=270)
    prior = diabolo.fit_prior(run.path, x, held, **SMALL)
    maps, _ = diabolo.data.load(str(run.path / "prior" / "codes.npz"))
    model = diabolo.load(run.path)
    low, high = np.split(maps.images[:, 0].astype(np.int64), 2, 1)
    wanted = model.bottleneck.indices_of(model.encode(x)).numpy()
    np.testing.assert_array_equal(low + 256 * high, wanted)
    assert prior.model.input_shape == maps.shape


def test_an_unfinished_prior_goes_on_bit_for_bit(trained):
    x, held, run = trained(codes=12)
    whole = diabolo.fit_prior(run.path, x, held, **SMALL | {"epochs": 4})
    half = diabolo.fit_prior(run.path, x, held, **SMALL)
    rest = resume(half.path, epochs=4)
    state = whole.model.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in rest.model.state_dict().items())


def test_a_prior_of_other_weights_is_not_used(trained):
    x, held, run = trained(codes=12)
    prior = diabolo.fit_prior(run.path, x, held, **SMALL)
    resume(run.path, x, held, epochs=2)
    with pytest.raises(
        NoPriorError, match=f"the one in {prior.path} is of other weights; fit one with: diabolo fit-prior"
    ):
        diabolo.load(run.path).sample(2)


def test_what_cannot_be_is_refused(trained, tiny_pixels):
    x, held, run = trained("undercomplete", latent_dim=3)
    with pytest.raises(DiaboloError, match="whose codes are not discrete"):
        diabolo.fit_prior(run.path, x, held, **SMALL)
    x, held, run = trained(codes=12)
    with pytest.raises(DiaboloError, match="not those that"):
        diabolo.fit_prior(run.path, tiny_pixels(seed=9), held, **SMALL)
    with pytest.raises(DiaboloError, match="a multiple of its heads"):
        diabolo.fit_prior(run.path, x, held, **SMALL | {"heads": 3})
    broken, _, other = trained(codes=12)
    tensors, about = files.read_tensors(other.path / "model.safetensors")
    files.write_tensors(other.path / "model.safetensors", {n: t * float("nan") for n, t in tensors.items()}, about)
    with pytest.raises(DiaboloError, match="the codes of array hold NaN or infinity"):
        diabolo.fit_prior(other.path, broken, held, **SMALL)
    assert not (other.path / "prior").exists()
    prior = diabolo.fit_prior(run.path, x, held, **SMALL)
    with pytest.raises(DiaboloError, match=f"holds a prior over codes: load the run that it belongs to, {run.path}"):
        diabolo.load(prior.path)


@pytest.mark.parametrize("codes", [12, 270])
def test_maps_three_codes_wide_are_no_pictures_in_colour(codes, tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (24, 1, 12, 12), np.uint8)
    torch.manual_seed(0)
    model = zoo.vqvae((1, 12, 12), codes=codes, kmeans=False, width=8, residual_width=4)
    run = fit(model, x, epochs=1, batch_size=16, threads=1, quiet=True, out=tmp_path)
    prior = diabolo.fit_prior(run.path, x, **SMALL)
    assert prior.model.input_shape == (1, 3 if codes < 256 else 6, 3)
    assert diabolo.load(run.path).sample(2, seed=0).shape == (2, 1, 12, 12)
    assert resume(prior.path, epochs=3).status == "finished"
