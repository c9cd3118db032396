"""The recipes of discrete codes: they learn, their options arrive, and a training of them goes on bit for bit."""

import pytest
import torch
from sklearn.datasets import load_digits

from diabolo import zoo
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator
from diabolo.runs.loading import load
from diabolo.training.fit import fit, resume

SHAPE = (1, 8, 8)
SMALL = {"width": 16, "residual_width": 8, "residual_layers": 1}


@pytest.fixture(scope="module")
def digits():
    return torch.from_numpy(load_digits().images[:64, None]).float() / 16


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vqvae", {"codes": 64, "latent_dim": 8}),
        ("vqvae", {"codes": 64, "latent_dim": 8, "estimator": "rotation"}),
        ("vqvae", {"codes": 64, "latent_dim": 8, "codebook": "loss"}),
        ("vqvae", {"codes": 64, "latent_dim": 8, "kmeans": False, "net": "conv", "channels": (16,)}),
        ("fsq", {}),
    ],
)
def test_sixty_four_digits_are_learnt_by_heart(name, options, digits):
    torch.manual_seed(0)
    net = {} if "net" in options else {"width": 32, "residual_width": 16}
    model = zoo.build(name, SHAPE, **net, **options)
    model.initialise(digits)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    draws, totals = Draws(generator(0, "test")), []
    for _ in range(200 if name == "vqvae" else 400):
        loss = model.loss(digits, draws)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        totals.append(loss.total.item())
    assert totals[-1] < 0.5 * totals[0]
    error = (model.reconstruct(digits) - digits).square().mean()
    assert error < 0.35 * (digits.mean(0) - digits).square().mean()
    if name == "vqvae":
        assert loss.logged["used_codes"] > 40


def test_options_arrive():
    model = zoo.vqvae(
        SHAPE, 6, 9, codebook="loss", commitment=0.5, codebook_weight=2.0, reconstruction_weight=3.0, **SMALL
    )
    loss = model.loss(torch.rand(4, *SHAPE))
    assert loss.weights == {"reconstruction": 3.0, "codebook": 2.0, "commitment": 0.5}
    bottleneck = zoo.vqvae(SHAPE, 6, 9, codebook_decay=0.5, kmeans=False, restart=0.0, **SMALL).bottleneck
    assert (bottleneck.codes, bottleneck.latent_shape, bottleneck.decay, bottleneck.kmeans, bottleneck.restart) == (
        9,
        (6, 2, 2),
        0.5,
        False,
        0.0,
    )


@pytest.mark.parametrize(
    ("options", "levels"),
    [({}, (8, 5, 5, 5)), ({"latent_dim": 2}, (8, 5)), ({"latent_dim": 6}, (8, 5, 5, 5, 5, 5)),
     ({"levels": (7,), "latent_dim": 3}, (7, 7, 7)), ({"levels": (4, 3), "latent_dim": 2}, (4, 3))],
)  # fmt: skip
def test_levels_and_channels(options, levels):
    assert zoo.fsq(SHAPE, **options, **SMALL).bottleneck.levels == levels


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("vqvae", {"net": "mlp"}, "a code map needs an encoder that ends in a map"),
        ("fsq", {"net": "mlp"}, "a code map needs an encoder that ends in a map"),
        ("fsq", {"levels": (7, 5), "latent_dim": 3}, "levels are given for 2 channels, but latent_dim is 3"),
        ("vqvae", {"codebook": "em"}, "did you mean 'ema'"),
        ("vqvae", {"commitment": -0.1}, "commitment"),
        ("vqvae", {"reconstruction_weight": -1.0}, "reconstruction"),
    ],
)
def test_what_cannot_be_is_refused(name, options, says):
    with pytest.raises(DiaboloError, match=says):
        zoo.build(name, SHAPE, **options)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("options", [{"codes": 12}, {"codes": 12, "codebook": "loss"}])
def test_a_training_goes_on_bit_for_bit(options, precision, tiny_pixels, tmp_path):
    def model():
        torch.manual_seed(0)
        return zoo.vqvae(SHAPE, 4, restart=0.5, codebook_decay=0.8, **options, **SMALL)

    how = {
        "batch_size": 16,
        "lr": 3e-3,
        "schedule": "constant",
        "precision": precision,
        "threads": 1,
        "quiet": True,
        "out": tmp_path,
    }
    x, held = tiny_pixels(), tiny_pixels(20, seed=1)
    whole = fit(model(), x, held, epochs=4, **how)
    half = fit(model(), x, held, epochs=2, **how)
    rest = resume(half.path, x, held, epochs=4)
    state = whole.model.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in rest.model.state_dict().items())
    again = load(rest.path)
    assert torch.equal(again.encode(x), whole.model.encode(x))
    assert {"perplexity", "used_codes"} <= set(whole.history[0]["train"])
    assert whole.history[-1]["health"]["dead_codes"] <= 12


def test_a_codebook_larger_than_the_vectors_is_refused(tiny_pixels, tmp_path):
    with pytest.raises(DiaboloError, match=r"a codebook of 512 codes is larger than the 280 vectors"):
        fit(zoo.vqvae(SHAPE, **SMALL), tiny_pixels(), out=tmp_path, batch_size=16, quiet=True)
    assert not list(tmp_path.iterdir())
