"""Every recipe makes the model it says, learns, and refuses what it does not know."""

import pytest
import torch
from sklearn.datasets import load_digits

from diabolo import bottlenecks, corruptions, likelihoods, schedules, zoo
from diabolo.autoencoder import Autoencoder
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.pca import PCA
from diabolo.randomness import Draws, generator

SHAPE = (1, 8, 8)


@pytest.fixture(scope="module")
def digits():
    return torch.from_numpy(load_digits().images[:64, None]).float() / 16


@pytest.fixture(scope="module")
def labels():
    return torch.from_numpy(load_digits().target[:64])


@pytest.mark.parametrize("net", ["mlp", "conv"])
@pytest.mark.parametrize(
    ("name", "options", "share"),
    [
        ("undercomplete", {"latent_dim": 16}, 0.1),
        ("undercomplete", {"latent_dim": 16, "likelihood": likelihoods.Laplace(0.1, "linear")}, 0.3),
        ("undercomplete", {"latent_dim": 16, "likelihood": likelihoods.Gaussian("optimal", "linear")}, 0.1),
        ("sparse", {"latent_dim": 32, "sparsity": 1e-4}, 0.1),
        ("topk", {"latent_dim": 32, "active": 8}, 0.2),
        ("kl_sparse", {"latent_dim": 32, "rate": 0.2, "rate_weight": 1e-3}, 0.3),
        ("contractive", {"latent_dim": 32, "contraction": 1e-3}, 0.3),
        ("rae", {"latent_dim": 16}, 0.1),
        ("rae", {"latent_dim": 16, "gradient_penalty": 1e-5}, 0.3),
        ("denoising", {"latent_dim": 16, "corruption": "masking", "level": 0.1}, 0.3),
        ("joint", {"latent_dim": 16, "alpha": 0.01}, 0.1),
        ("m2", {"latent_dim": 16, "likelihood": likelihoods.Gaussian(0.1)}, 0.6),
        ("vae", {"latent_dim": 16, "beta": 0.01, "likelihood": likelihoods.SquaredError("image")}, 0.3),
        ("vae", {"latent_dim": 16, "beta": "linear(0, 0.1, 0.5)"}, 0.4),
        ("vae", {"latent_dim": 16, "free_bits": 2.0}, 0.6),
        ("vae", {"latent_dim": 16, "capacity": 20.0}, 0.6),
        ("iwae", {"latent_dim": 16, "likelihood": likelihoods.Gaussian(0.1)}, 0.5),
        ("iwae", {"latent_dim": 16, "likelihood": likelihoods.Gaussian(0.1), "gradient": "dreg"}, 0.5),
    ],
)
def test_sixty_four_digits_are_learnt_by_heart(name, options, share, net, digits, labels):
    torch.manual_seed(0)
    model = zoo.build(name, SHAPE, net=net, **options)
    known = None if model.needs_column is None else labels.where(torch.arange(64) % 2 == 0, -1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    draws, steps, totals = Draws(generator(0, "test")), 150, []
    for i in range(steps):
        loss = model.loss(digits, draws, i / steps, known)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        totals.append(loss.total.item())
    assert totals[-1] < totals[0]
    # far better than the best that knows nothing of each image: their mean
    error = (model.reconstruct(digits, labels) - digits).square().mean()
    assert error < share * (digits.mean(0) - digits).square().mean()


@pytest.mark.parametrize("net", ["mlp", "conv"])
@pytest.mark.parametrize("name", ["joint", "classifier", "m2"])
def test_the_labels_of_sixty_four_digits_are_learnt_by_heart(name, net, digits, labels):
    torch.manual_seed(0)
    model = zoo.build(name, SHAPE, net=net)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        loss = model.loss(digits, Draws(generator(0, "test")), y=labels)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        losses.append(loss.terms["classification"].item())
    assert losses[-1] < 0.1 * losses[0]
    assert (model.predict(digits).argmax(1) == labels).all()


def test_a_linear_autoencoder_comes_near_pca_and_never_beyond(digits):
    flat = digits.flatten(1)
    pca = PCA((64,), 5)
    pca.solve(flat.numpy())
    best = (pca.reconstruct(flat) - flat).square().mean().item()
    torch.manual_seed(0)
    model = zoo.undercomplete((64,), 5, hidden=(), likelihood=likelihoods.SquaredError(output="linear"))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(600):
        optimizer.zero_grad()
        model.loss(flat).total.backward()
        optimizer.step()
    error = (model.reconstruct(flat) - flat).square().mean().item()
    assert best * (1 - 1e-4) < error < best * 1.05


def test_each_recipe_has_its_parts():
    ae = zoo.undercomplete(SHAPE, 3)
    assert (ae.name, ae.latent_shape, ae.input_shape) == ("undercomplete", (3,), SHAPE)
    assert isinstance(ae.bottleneck, bottlenecks.Identity)
    assert isinstance(ae.corruption, corruptions.Clean)
    sparse = zoo.sparse(SHAPE, 3, sparsity=0.5)
    assert isinstance(sparse.bottleneck, bottlenecks.Sparse)
    assert sparse.bottleneck.weights["l1"](0.0) == 0.5
    denoising = zoo.denoising(SHAPE, 3, corruption="masking", level=0.4)
    assert isinstance(denoising.corruption, corruptions.Masking)
    assert denoising.corruption.p == 0.4
    vae = zoo.vae(SHAPE, 3, beta=4.0, likelihood="gaussian")
    assert isinstance(vae.bottleneck, bottlenecks.Gaussian)
    assert isinstance(vae.likelihood, likelihoods.Gaussian)
    assert vae.bottleneck.weights["kl"](0.0) == 4.0
    assert vae.units == {"reconstruction": "nats per image", "kl": "nats per image"}
    assert isinstance(zoo.pca(SHAPE, 3), PCA)
    assert zoo.pca(SHAPE, 3).name == "pca"


def test_the_call_of_the_readme():
    model = zoo.vae(input_shape=(1, 28, 28), latent_dim=16, net="mlp", hidden=(512, 512), activation="silu", beta=1.0)
    widths = [tuple(m.weight.shape) for m in model.modules() if isinstance(m, torch.nn.Linear)]
    assert widths == [(512, 784), (512, 512), (32, 512), (512, 16), (512, 512), (784, 512)]
    assert sum(isinstance(m, torch.nn.SiLU) for m in model.modules()) == 4


CODED = sorted(
    name for name in zoo.RECIPES if "latent_dim" in zoo.options_of(name)
)  # others have a code of its own shape


@pytest.mark.parametrize("name", sorted(zoo.RECIPES))
def test_every_recipe_by_name(name):
    model = zoo.build(name, [1, 8, 8], **({"latent_dim": 5} if name in CODED else {}))
    assert isinstance(model, Autoencoder | PCA)
    assert (model.name, model.input_shape) == (name, SHAPE)
    assert name not in CODED or model.latent_shape[0] == 5 or name == "unet"  # whose skips are part of the code
    assert zoo.RECIPES[name].__doc__.split(":")[0]
    defaults = {option: default for option, (_, default) in zoo.options_of(name).items()}
    assert type(zoo.build(name, (1, 16, 16), **defaults)) is type(model)


def test_options_are_those_of_recipe_and_net():
    assert set(zoo.options_of("pca")) == {"latent_dim", "scaling"}
    assert set(zoo.options_of("vae")) == {
        "latent_dim", "beta", "free_bits", "capacity", *zoo.PartOptions.__annotations__,
    }  # fmt: skip
    assert {"net", "likelihood", "corruption", "condition", "hidden", "activation"} <= set(zoo.options_of("vae"))
    assert zoo.options_of("vae")["latent_dim"][1] == 16
    assert zoo.options_of("vae")["likelihood"][1] == "bernoulli"
    assert zoo.options_of("sparse")["likelihood"][1] == "squared-error"


def test_two_models_share_nothing():
    one, other = zoo.vae(SHAPE, 3), zoo.vae(SHAPE, 3)
    assert not {id(p) for p in one.parameters()} & {id(p) for p in other.parameters()}
    torch.manual_seed(0)
    one = zoo.vae(SHAPE, 3)
    torch.manual_seed(0)
    other = zoo.vae(SHAPE, 3)
    assert all(torch.equal(p, q) for p, q in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("vea", {}, "unknown model 'vea'; did you mean 'vae'"),
        ("vae", {"betta": 2}, "unknown option 'betta' of the model 'vae'; did you mean 'beta'"),
        ("pca", {"net": "mlp"}, "unknown option 'net' of the model 'pca'"),
        ("undercomplete", {"beta": 2}, "unknown option 'beta' of the model 'undercomplete'"),
        ("vae", {"net": "covn"}, "did you mean 'conv'"),
        ("vae", {"net": "conv", "hidden": (3,)}, "unknown option 'hidden' of the net 'conv'"),
        ("vae", {"channels": (3,)}, "unknown option 'channels' of the net 'mlp'"),
        ("vae", {"likelihood": "bernouli"}, "did you mean 'bernoulli'"),
        ("vae", {"activation": "rellu"}, "did you mean 'relu'"),
        ("denoising", {"corruption": "maskin"}, "did you mean 'masking'"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(name, options, says):
    with pytest.raises(UnknownNameError, match=says):
        zoo.build(name, SHAPE, **options)


def test_an_unknown_option_is_refused_by_the_recipe_itself():
    with pytest.raises(UnknownNameError, match="did you mean 'hidden'"):
        zoo.vae(SHAPE, 3, hiddens=(3,))


@pytest.mark.parametrize("name", CODED)
@pytest.mark.parametrize("latent_dim", [0, -4])
def test_no_code_is_refused(name, latent_dim):
    with pytest.raises(DiaboloError, match=str(latent_dim)):
        zoo.build(name, SHAPE, latent_dim=latent_dim)


@pytest.mark.parametrize("name", ["undercomplete", "vae"])
def test_a_code_as_large_as_the_image_is_warned_of(name):
    with pytest.warns(UserWarning, match="no bottleneck"):
        zoo.build(name, SHAPE, latent_dim=64)


@pytest.mark.parametrize("shape", [(), (0,), (1, 0, 8), (1, -8, 8)])
@pytest.mark.parametrize("name", sorted(zoo.RECIPES))
def test_an_image_without_pixels_is_refused(name, shape):
    with pytest.raises(DiaboloError):
        zoo.build(name, shape, latent_dim=1)


@pytest.mark.parametrize(
    ("name", "options"),
    [("vae", {"beta": "lots"}), ("vae", {"beta": "linear(0)"}), ("sparse", {"sparsity": "linaer(0, 1)"}),
     ("denoising", {"level": -1.0}), ("denoising", {"corruption": "masking", "level": 2.0}),
     ("denoising", {"corruption": "none", "level": 0.5}), ("vae", {"beta": -1.0}), ("sparse", {"sparsity": -1e-4}),
     ("kl_sparse", {"rate": 1.0}), ("kl_sparse", {"rate_weight": "linear(1, -1)"}), ("topk", {"active": 0}),
     ("topk", {"active": 5}), ("contractive", {"contraction": -1.0}), ("rae", {"decoder_l2": -1.0})],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(name, options):
    with pytest.raises(DiaboloError):
        zoo.build(name, SHAPE, latent_dim=4, **options)


def test_a_schedule_may_be_given_as_an_object():
    model = zoo.vae(SHAPE, 3, beta=schedules.Linear(0.0, 2.0))
    assert model.loss(torch.rand(2, *SHAPE), progress=0.5).weights["kl"] == 1.0
