"""A model becomes plain JSON and comes back as it was; what cannot is refused in a sentence."""

import json
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from diabolo import corruptions, likelihoods, nets, parts, schedules, zoo
from diabolo.autoencoder import Autoencoder
from diabolo.bottlenecks import Bottleneck, Identity, Latent
from diabolo.errors import DiaboloError, NoPriorError, UnknownNameError
from diabolo.parts import build, describe, part
from diabolo.randomness import Draws, generator

MODELS = {
    "undercomplete": {},
    "undercomplete, laplace": {"likelihood": likelihoods.Laplace(0.1, "linear")},
    "sparse": {"sparsity": "linear(0, 1e-3, 0.3)"},
    "sparse, schedule": {"sparsity": schedules.Cosine(1e-3, 1e-4), "likelihood": likelihoods.SquaredError("image")},
    "topk": {"active": 2},
    "kl_sparse": {"rate": 0.1, "rate_weight": "cosine(1e-2, 1e-3)"},
    "contractive": {"contraction": "warm-up(1e-3, 0.2)", "probes": 2, "code_activation": "tanh"},
    "rae": {"code_l2": schedules.Linear(0.0, 1e-3), "decoder_l2": 1e-5, "gradient_penalty": 1e-5},
    "vae, free bits": {"free_bits": 0.25},
    "vae, capacity": {"beta": 100, "capacity": "linear(0, 10, 0.5)"},
    "completion": {},
    "completion_plain": {},
    "cvae": {},
    "cvae, embedding": {"condition": "embedding", "classes": 4, "likelihood": "continuous-bernoulli"},
    "denoising": {},
    "denoising, occlusion": {"corruption": "occlusion", "level": "0.1..0.6", "likelihood": "ms-ssim"},
    "denoising_conv": {},
    "linear": {},
    "unet": {"skips": False},
    "unet, with dropout": {"dropout": 0.2, "checkpointing": True},
    "denoising, masking": {"corruption": "masking", "level": 0.25},
    "denoising, speckled": {"corruption": corruptions.SaltAndPepper(0.3)},
    "fsq": {},
    "iwae": {"importance_samples": 3, "gradient": "dreg", "observation": "binarised"},
    "factorvae": {"gamma": 3.0, "critic_width": 4, "critic_layers": 1},
    "joint": {"alpha": "linear(0, 1)"},
    "classifier": {"corruption": "gaussian"},
    "m2": {"alpha": 2.0, "classes": 4},
    "vae": {"beta": 4},
    "vae, cyclical": {"beta": schedules.Cyclical(0.0, 1.0, 3), "likelihood": "gaussian"},
    "vqvae": {"codes": 16, "commitment": "linear(0, 0.5, 0.5)", "estimator": "rotation"},
    "vqvae, by its loss": {"codes": 16, "codebook": "loss", "codebook_weight": 0.5},
    "vae, learned sigma": {"likelihood": likelihoods.Gaussian("learned"), "activation": "gelu"},
}


def through_json(model):
    return build(json.loads(json.dumps(describe(model), allow_nan=False)))


def draws():
    return Draws(generator(0, "test"))


CONES = {net: {} for net in nets.NETS} | {
    "custom": {"encoder": "torch.nn:Flatten", "decoder": "user_cones:Decoder", "decoder_args": {"code": 5}}
}  # what each net needs to be told
SHAPES = {"conv1d": (3, 30), "conv3d": (3, 8, 9, 10)}
PAIRS = [(kind, net) for kind in MODELS for net in ("conv", "mlp", "unet")]
MAPS = ("denoising_conv", "fsq", "vqvae")  # their code is a map: mlp and unet have none
PAIRS = [p for p in PAIRS if p[1] == "unet" or not p[0].startswith("unet")]
PAIRS = [p for p in PAIRS if not p[0].startswith(MAPS) or p[1] == "conv" or p == ("denoising_conv", "unet")]
PAIRS += [(kind, net) for kind in ("undercomplete", "vae") for net in CONES if (kind, net) not in PAIRS]


@pytest.mark.parametrize(("kind", "net"), PAIRS)
def test_every_model_comes_back_as_it_was(kind, net):
    if net == "unet" and kind in ("factorvae", "iwae", "m2", "completion_plain"):
        pytest.skip("what goes around the code has no density, or nowhere to come from, and is refused")
    name = kind.partition(",")[0]
    code = {"latent_dim": 5} if "latent_dim" in zoo.options_of(name) else {}
    shape = SHAPES.get(net, (3, 28, 30))
    model = zoo.build(name, shape, net=net, **code, **CONES[net], **MODELS[kind])
    x = torch.rand(4, *shape, generator=torch.Generator().manual_seed(0))
    y = None if model.needs_column is None else torch.arange(4)
    told = model.condition.pick(x, y)
    model.loss(x, draws(), y=y)  # running statistics that are not those of a new model
    again = through_json(model)
    assert type(again) is Autoencoder
    again.load_state_dict(model.state_dict())
    assert str(again) == str(model)
    assert describe(again) == describe(model)
    assert torch.equal(again.encode(x, y), model.encode(x, y))
    if not model.objective.trains_decoder:
        assert torch.equal(again.predict(x, y), model.predict(x, y))
    else:
        assert torch.equal(again.reconstruct(x, y), model.reconstruct(x, y))
    if model.bottleneck.discrete:
        with pytest.raises(NoPriorError):
            again.sample(3)
    elif model.objective.trains_decoder:
        assert torch.equal(again.sample(4, y=told), model.sample(4, y=told))
    assert torch.equal(again.corrupt(x), model.corrupt(x))
    for progress in (0.0, 0.4, 1.0):
        one, other = (m.eval().loss(x, draws(), progress, y) for m in (again, model))
        assert torch.equal(one.total, other.total)
        assert one.weights == other.weights
    assert again.units == model.units


def test_every_recipe_is_covered():
    assert {kind.partition(",")[0] for kind in MODELS} | {"pca"} == set(zoo.RECIPES)


def test_every_part_of_the_zoo_is_found_by_its_name_in_a_new_process():
    lines = (
        "import sys",
        "from diabolo import parts",
        "if sys.argv[1:]:",
        "    print([name for name in sys.argv[1:] if not parts._known(name)])",
        "else:",
        "    import diabolo.metrics.generation, diabolo.updates, diabolo.zoo",
        "    print(*sorted(parts.PARTS))",
    )
    run = [sys.executable, "-c", "\n".join(lines)]
    names = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert len(names) > 50
    for name in ("nets.Blind", "updates.Adam", "heads.AttributeClassifier"):
        assert name in names
    assert subprocess.run([*run, *names], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_description_reads_like_the_call():
    bottleneck = zoo.vae((1, 8, 8), 4, hidden=(6,)).bottleneck
    wanted = {"part": "bottlenecks.Gaussian", "in_features": 6, "latent_dim": 4, "beta": 1.0}
    assert describe(bottleneck) == wanted | {"free_bits": 0.0, "capacity": None}
    assert describe(corruptions.Masking()) == {"part": "corruptions.Masking", "p": 0.3}
    assert describe(corruptions.Clean()) == {"part": "corruptions.Clean"}


def test_numbers_from_numpy_are_numbers():
    model = zoo.vae((1, 8, 8), np.int64(4), beta=np.float64(0.5), hidden=tuple(np.array([6, 7])))
    assert json.loads(json.dumps(describe(model)))["bottleneck"]["latent_dim"] == 4


# --- parts of one's own -------------------------------------------------------------------------------------------------


@part
class Doubled(Bottleneck):
    def __init__(self, in_features, latent_dim, factor=2.0):
        super().__init__(latent_dim)
        self.to_code, self.factor = nn.Linear(in_features, latent_dim), factor

    def forward(self, features, draws):
        z = self.factor * self.to_code(features)
        return Latent(z, z)


class Plainly(Identity):
    pass


@part
class Renamed(Identity):
    pass


@part
class Wider(Identity):
    def __init__(self, latent_dim, *, scale=1.0):
        super().__init__(6, latent_dim)
        self.scale = scale


@part
class Catching(nn.Module):
    def __init__(self, width, *more, **options):
        super().__init__()
        self.width, self.more, self.options = width, more, options


@part
@dataclass
class Step:
    at: float
    high: float = 1.0

    def __call__(self, progress):
        return self.high * (progress >= self.at)


def model_with(bottleneck):
    encoder, decoder = nets.build("mlp", (1, 4, 4), 3, hidden=(6,))
    return Autoencoder(encoder, bottleneck, decoder, likelihoods.SquaredError())


def test_a_part_of_ones_own_works_everywhere():
    model = model_with(Doubled(6, 3, factor=5.0))
    again = through_json(model)
    assert again.bottleneck.factor == 5.0
    again.load_state_dict(model.state_dict())
    x = torch.rand(3, 1, 4, 4)
    assert torch.equal(again.reconstruct(x), model.reconstruct(x))
    assert describe(model)["bottleneck"]["part"].endswith(".Doubled")
    assert describe(model)["bottleneck"]["part"] != "bottlenecks.Doubled"


def test_a_schedule_of_ones_own_is_kept_with_the_weight():
    model = zoo.vae((1, 4, 4), 3, beta=Step(0.5, 7.0))
    again = through_json(model)
    x = torch.rand(3, 1, 4, 4)
    assert [again.loss(x, progress=p).weights["kl"] for p in (0.2, 0.8)] == [0.0, 7.0]


def test_a_subclass_is_a_part_only_when_it_says_so():
    with pytest.raises(DiaboloError, match=r"a Plainly cannot be kept.*@diabolo.parts.part"):
        describe(model_with(Plainly(6, 3)))
    for bottleneck in (Renamed(6, 3), Wider(3, scale=2.0)):
        again = through_json(model_with(bottleneck)).bottleneck
        assert type(again) is type(bottleneck)
        assert getattr(again, "scale", 2.0) == 2.0


def test_a_subclass_leaves_its_parent_as_it_was():
    assert type(through_json(Identity(6, 3))) is Identity
    assert describe(Identity(6, 3))["part"] == "bottlenecks.Identity"


def test_no_argument_is_lost_in_silence():
    assert through_json(Catching(3)).width == 3
    try:
        again = through_json(Catching(3, 4, 5, depth=2))
    except DiaboloError:
        return
    assert (again.more, again.options) == ((4, 5), {"depth": 2})


@pytest.mark.parametrize("value", [nn.Linear(2, 2), lambda p: p, {1, 2}, torch.zeros(2), object()])
def test_what_is_no_part_is_refused_by_its_class(value):
    with pytest.raises(DiaboloError, match=f"a {type(value).__name__} cannot be kept in a run folder"):
        describe(value)
    with pytest.raises(DiaboloError, match="cannot be kept in a run folder"):
        describe(zoo.vae((1, 4, 4), 2, beta=lambda p: p))


# --- descriptions that were edited -----------------------------------------------------------------------------------------


ENCODER = {"part": "nets.ConvEncoder", "input_shape": [1, 8, 8], "layers": [[4, 4, 2, 1]]}
DECODER = {"part": "nets.ConvDecoder", "code_shape": 2, "output_shape": [1, 8, 8], "layers": [[4, 4, 2, 1]]}


@pytest.mark.parametrize(
    ("description", "says"),
    [
        ({"part": "bottlenecks.Gausian"}, "did you mean 'bottlenecks.Gaussian'"),
        ({"part": None}, "unknown part None"),
        ({"latent_dim": 3}, "unknown part None"),
        ({"part": 7}, "unknown part 7"),
        ({"part": ["nets.MLPEncoder"]}, "unknown part"),
        ({"part": {"part": "nets.MLPEncoder"}}, "unknown part"),
        ({"part": "bottlenecks.Identity"}, "cannot be built"),
        ({"part": "bottlenecks.Identity", "in_features": 3, "latent_dim": 2, "beta": 1}, "cannot be built.*beta"),
        (
            {"part": "bottlenecks.Identity", "in_features": 3, "latent_dim": 0},
            "latent_dim must be a whole number of at least 1",
        ),
        ({"part": "bottlenecks.Identity", "in_features": "x", "latent_dim": 2}, "in_features must be a whole"),
        ({"part": "bottlenecks.Identity", "in_features": -3, "latent_dim": 2}, "in_features must be a whole"),
        ({"part": "bottlenecks.Identity", "in_features": 3, "latent_dim": [2]}, "latent_dim must be a whole"),
        ({"part": "corruptions.Clean", "p": 1}, "corruptions.Clean cannot be built"),
        ({"part": "nets.MLPEncoder", "input_shape": 5}, "input_shape must be whole numbers"),
        ({"part": "nets.MLPEncoder", "input_shape": [1, "8", 8]}, "input_shape must be a whole number"),
        (ENCODER | {"layers": [[4, 4, 2]]}, "layers must be 4 whole numbers"),
        (ENCODER | {"layers": [[4, 4, 0, 1]]}, "nets.ConvEncoder"),
        (ENCODER | {"layers": "abc"}, "layers must be"),
        (DECODER | {"layers": []}, "nets.ConvDecoder"),
        (DECODER | {"norm": "betch"}, "did you mean 'batch'"),
        (
            {"part": "autoencoder.Autoencoder", "encoder": 1, "bottleneck": 2, "decoder": 3, "likelihood": 4},
            "encoder must be a Module",
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else json.dumps(v)[:50],
)
def test_an_edited_description_is_refused_in_a_sentence(description, says):
    with pytest.raises(DiaboloError, match=says):
        build(description)


def test_a_fault_deep_within_is_found():
    description = describe(zoo.vae((1, 8, 8), 4))
    description["encoder"]["activation"] = "rellu"
    with pytest.raises(UnknownNameError, match="did you mean 'relu'"):
        build(description)
    description["encoder"] = {"part": "corruptions.Clean"}
    with pytest.raises(DiaboloError, match=r"autoencoder.Autoencoder cannot be built"):
        build(description)


def test_plain_data_passes():
    assert build([1, "a", None, [2.5, True]]) == (1, "a", None, (2.5, True))
    assert describe((1, "a", None, [2.5, True])) == [1, "a", None, [2.5, True]]


def test_parts_of_the_same_name_in_two_rooms_are_two():
    names = {"bottlenecks.Gaussian", "likelihoods.Gaussian"}
    assert names <= set(parts.PARTS)
    assert parts.PARTS["bottlenecks.Gaussian"] is not parts.PARTS["likelihoods.Gaussian"]


@pytest.mark.parametrize("name", ["objective", "likelihood", "decoder"])
def test_a_part_that_was_replaced_afterwards_is_refused(name):
    """The run folder would keep the first, and its weights would fit another model, or none."""
    model, other = zoo.vae((1, 8, 8), 2, hidden=(4,)), zoo.iwae((1, 8, 8), 2, hidden=(4,), likelihood="gaussian")
    setattr(model, name, getattr(other, name))
    with pytest.raises(DiaboloError, match=f"{name} was replaced after the Autoencoder was made, .* as {name}=…"):
        describe(model)
