"""Any net × bottleneck × likelihood × corruption × condition × objective trains, saves, loads and goes on, or is refused with a
reason when it is made."""

import json
import math
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import diabolo
from diabolo import corruptions, likelihoods, nets, zoo
from diabolo.conditions import CONDITIONS
from diabolo.data.columns import column
from diabolo.data.images import Images
from diabolo.errors import DiaboloError
from diabolo.observations import OBSERVATIONS
from diabolo.zoo.recipe import CHOICES

N = 24  # images
OF_THE_CLOCK = ("seconds", "images_per_second", "peak_memory_mib")
# kept small, so that two steps take milliseconds
SMALL: dict[str, dict[str, Any]] = {
    "hidden": {"mlp": (8,)},
    "channels": {"conv": (4, 6), "resnet": (4, 6), "unet": (4, 6)},
    "width": {"vq-conv": 8},
    "residual_width": {"vq-conv": 4},
    "residual_layers": {"vq-conv": 1, "resnet": 1},
}
OWN: dict[str, dict[str, Any]] = {
    "vqvae": {"codes": 8},
    "fsq": {"levels": (3, 4), "latent_dim": 2},
    "factorvae": {"critic_width": 4, "critic_layers": 1},
    "iwae": {"importance_samples": 2},
}
MODELS = sorted(set(zoo.RECIPES) - {"pca"})
NETS = sorted(set(nets.NETS) - {"custom"})  # needs a module of the user's
LIKELIHOODS = sorted(set(likelihoods.LIKELIHOODS) - {"perceptual"})  # needs a trained network
SHAPES = [(1, 8, 8), (1, 16, 16), (3, 16, 12), (1, 28, 28), (10,)]


@st.composite
def combinations(draw):
    """A recipe, a shape, and what is said of the parts; None is the recipe's own choice."""
    name = draw(st.sampled_from(MODELS))
    net = draw(st.sampled_from([None, *NETS]))
    used = net or CHOICES[name].get("net") or "mlp"
    options = {
        "net": net,
        "latent_dim": draw(st.sampled_from([None, 1, 3])),
        "likelihood": draw(st.sampled_from([None, *LIKELIHOODS])),
        "corruption": draw(st.sampled_from([None, None, *sorted(corruptions.CORRUPTIONS)])),
        "condition": draw(st.sampled_from([None, None, *sorted(CONDITIONS)])),
        "observation": draw(st.sampled_from([None, None, *sorted(OBSERVATIONS)])),
        "classes": 3,
        "columns": 2,
        **{option: by_net[used] for option, by_net in SMALL.items() if used in by_net},
        **OWN.get(name, {}),
    }
    known = zoo.options_of(name)
    return name, draw(st.sampled_from(SHAPES)), {k: v for k, v in options.items() if v is not None and k in known}


def images(shape):
    """Images, or vectors, of which everything is known."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (N, *shape), dtype=np.uint8)
    columns, named = random.integers(0, 2, (N, 2)), ("one", "two")
    return Images(
        pixels if len(shape) == 3 else (pixels / 255).astype(np.float32),
        labels=random.integers(0, 3, N),
        attributes=columns.astype(bool),
        attribute_names=named,
        factors=columns.astype(np.float32),
        factor_names=named,
    )


def history(run):
    return [{key: value for key, value in line.items() if key not in OF_THE_CLOCK} for line in run.history]


def check(name, shape, options):
    """What became of the combination: "trained", or the reason why it was refused."""
    torch.manual_seed(0)
    try:
        model = zoo.build(name, shape, **options)
    except DiaboloError as error:
        return str(error)
    x = images(shape)
    with tempfile.TemporaryDirectory() as folder:
        common = {
            "batch_size": 12,
            "precision": "float32",
            "device": "cpu",
            "threads": 1,
            "quiet": True,
            "schedule": "constant",
        }
        if isinstance(model, diabolo.Autoencoder) and model.likelihood.counts:
            with pytest.raises(DiaboloError, match="scores counts") as refused:
                diabolo.fit(model, x, x, epochs=1, out=folder, **common)
            return str(refused.value)
        run = diabolo.fit(model, x, x, epochs=1, out=folder, **common)
        assert all(math.isfinite(v) for split in ("train", "validation") for v in run.history[0][split].values())
        json.dumps(run.history, allow_nan=False)
        y, pixels, loaded = column(x, model.needs_column), torch.from_numpy(x.images), diabolo.load(run.path)
        codes = run.model.encode(pixels, y)
        assert codes.shape == (N, *model.latent_shape)
        pairs = [(codes, loaded.encode(pixels, y))]
        if model.objective.trains_decoder:
            pairs.append((run.model.reconstruct(pixels, y), loaded.reconstruct(pixels, y)))
        for one, other in pairs:
            assert torch.equal(one, other)
            assert one.isfinite().all()
        gone_on = diabolo.resume(run.path, x, x, epochs=2)
        torch.manual_seed(0)
        whole = diabolo.fit(zoo.build(name, shape, **options), x, x, epochs=2, out=Path(folder) / "whole", **common)
        assert history(gone_on) == history(whole)
        for key, tensor in whole.model.state_dict().items():
            assert torch.equal(gone_on.model.state_dict()[key], tensor), key
    return "trained"


@settings(max_examples=50, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(combinations())
def test_any_combination_trains_saves_loads_and_resumes_or_is_refused_with_a_reason(combination):
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        became = check(*combination)
    assert became, "refused, but with no reason"
    event("trained" if became == "trained" else "refused")


@pytest.mark.parametrize("name", MODELS)
def test_every_recipe_with_its_own_choices(name):
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        options = {"latent_dim": 3} if "latent_dim" in zoo.options_of(name) else {}
        net = CHOICES[name].get("net") or "mlp"
        small = {option: by_net[net] for option, by_net in SMALL.items() if net in by_net}
        assert check(name, (1, 16, 16), options | small | {"classes": 3} | OWN.get(name, {})) == "trained"
