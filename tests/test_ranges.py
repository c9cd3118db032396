"""What an option may be is said once, and holds for whoever gives it."""

import inspect
import math
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import numpy as np
import pytest
import torch

from diabolo import evaluation, parts, ranges, zoo
from diabolo.corruptions import Masking
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.ranges import At, BelowOne, Count, Counts, Folder, Levels, Natural, PartOf, Positive, Seed, Share, Weight
from diabolo.training.options import TrainOptions


@pytest.mark.parametrize(
    ("hint", "value", "plain"),
    [
        (Count, 3, 3), (Count, np.int64(3), 3), (Count, torch.tensor(3), 3), (Natural, 0, 0), (Count | None, None, None),
        (Share, 1, 1.0), (Share, np.float32(0.5), 0.5), (Share, torch.tensor(0.25), 0.25), (BelowOne, 0, 0.0),
        (bool, np.True_, True), (Counts, [3, np.int32(2)], (3, 2)), (Counts, np.array([4, 5]), (4, 5)),
        (tuple[Count, ...], [], ()), (Count | Literal["bic"], "bic", "bic"), (str, "a", "a"), (Seed, 2**32 - 1, 2**32 - 1),
        (Annotated[float | str, At(0)], "learned", "learned"), (Path, "a/b", Path("a/b")), (Any, {}, {}),
        (tuple[float, float], (1, 2), (1.0, 2.0)), (Levels, (3, 8), (3, 8)), (float, -3, -3.0),
    ],
)  # fmt: skip
def test_what_is_allowed_comes_out_plain(hint, value, plain):
    found = ranges.check("option", value, hint)
    assert (found, type(found)) == (plain, type(plain))


@pytest.mark.parametrize(
    ("hint", "value", "says"),
    [
        (Count, 0, "a whole number of at least 1, not 0"), (Count, -3, "not -3"), (Count, True, "not True"),
        (Count, np.True_, "not True"), (Count, 2.0, "not 2.0"), (Count, np.float64(2), "not 2.0"), (Count, "2", "not '2'"),
        (Count, None, "not None"), (Count, [1], "not "), (Count, torch.tensor(True), "not "),
        (Count, np.array([1]), "not "), (Natural, -1, "of at least 0"), (Share, 1.01, "a number from 0 to 1, not 1.01"),
        (Share, math.nan, "not nan"), (float, math.inf, "a number, not inf"), (float, 1e300, "not 1e"),
        (float, 10**400, "not 1"),
        (Positive, 0, "above 0, not 0"), (PartOf, 1, "above 0 and below 1, not 1"), (BelowOne, 1, "at least 0 and below 1"),
        (Weight, -0.1, "of at least 0"), (Weight, False, "not False"), (bool, 1, "true or false, not 1"),
        (bool, "yes", "true or"),
        (str, "", "text that is not empty, not ''"), (str, "  ", "not empty"), (str, 3, "not 3"),
        (Counts, (), "one or more whole"),
        (Counts, (1, 0), "at least 1, not 0"), (Counts, "12", "not '12'"), (Counts, 3, "whole numbers, not 3"),
        (Levels, (8, 2), "at least 3, not 2"), (tuple[float, float], (1,), "2 numbers"), (Seed, 2**80, "to 4,294,967,295"),
        (Seed, -1, "from 0 to"), (Path, "", "a path is wanted"), (Folder, "", "a path, not ''"), (Folder, "a\0b", "null"),
        (Annotated[float | str, At(0)], -1, "a number of at least 0, not -1"),
        (Count | Literal["bic"], 0, "of at least 1, not 0"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_in_a_sentence(hint, value, says):
    with pytest.raises(DiaboloError, match=f"^option must be .*{says}|{says}") as error:
        ranges.check("option", value, hint)
    assert "\n" not in str(error.value)
    assert not str(error.value).endswith(".")


def test_a_wrong_name_gets_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown option 'adma'; did you mean 'adam'"):
        ranges.check("option", "adma", Literal["adam", "adamw"])


def test_a_function_sees_plain_values_and_its_own_defaults():
    @ranges.checked
    def draw(*codes: Count, share: Share = -1, out: Path = Path(), **more: Natural) -> Any:
        return codes, share, out, more

    assert draw(np.int64(2), share=1, out="x", k=np.int8(3)) == ((2,), 1.0, Path("x"), {"k": 3})
    assert draw()[1] == -1  # a default is the maker's own affair
    for wrong in ({"share": 2}, {"k": -1}):
        with pytest.raises(DiaboloError, match=next(iter(wrong))):
            draw(**wrong)
    with pytest.raises(DiaboloError, match="codes must be"):
        draw(1, 0)


def test_every_type_of_an_option_can_be_read():
    """A type that cannot is one that nobody checks."""
    functions = [*zoo.RECIPES.values(), *evaluation.MEASURES.values()]
    functions += [cls.__init__ for cls in parts.PARTS.values() if cls.__module__.startswith("diabolo.")]
    for function in functions:
        hints = get_type_hints(inspect.unwrap(function), include_extras=True)
        for name, parameter in inspect.signature(function).parameters.items():
            if name in hints and parameter.default not in (None, "", parameter.empty):
                ranges.check(name, parameter.default, hints[name])  # a default that is not allowed is a mistake


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("vae", {"latent_dim": True}, "latent_dim"), ("vae", {"latent_dim": 2.0}, "latent_dim"),
        ("vae", {"hidden": (16, 0)}, "hidden"), ("vae", {"hidden": (16.5,)}, "hidden"),
        ("vae", {"free_bits": math.inf}, "free_bits"),
        ("vae", {"beta": True}, "beta"), ("vae", {"net": ""}, "net"), ("vae", {"activation": ""}, "activation"),
        ("vae", {"dropout": 1}, "dropout"), ("vae", {"sigma": math.nan, "likelihood": "gaussian"}, "sigma"),
        ("cvae", {"classes": -1}, "classes"), ("cvae", {"condition": ""}, "condition"), ("joint", {"classes": 1}, "classes"),
        ("vae", {"condition": "attributes", "columns": -3}, "columns"), ("vae", {"net": "conv", "channels": ()}, "channels"),
        ("topk", {"active": 0}, "active"), ("kl_sparse", {"rate": 1.0}, "rate"), ("contractive", {"probes": -1}, "probes"),
        ("vqvae", {"codes": 10**18}, "codes"), ("vqvae", {"codebook_decay": 1.0}, "codebook_decay"),
        ("vqvae", {"residual_layers": 10**12}, "residual_layers"), ("fsq", {"levels": (5,) * 70}, "make 8.47e.48 codes"),
        ("iwae", {"importance_samples": 0}, "importance_samples"), ("denoising", {"level": -0.1}, "must lie in"),
        ("vae", {"checkpointing": 1}, "checkpointing"), ("vae", {"encoder": "", "net": "custom"}, "encoder"),
    ],
    ids=str,
)  # fmt: skip
def test_a_recipe_refuses_nonsense_by_name(name, options, says):
    with pytest.raises(DiaboloError, match=says):
        zoo.build(name, (1, 16, 16), **options)


def test_a_part_refuses_nonsense_by_name():
    with pytest.raises(DiaboloError, match="must lie in"):
        Masking(2.0)
    with pytest.raises(DiaboloError, match="range such as"):
        Masking(True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lr": 1e300}, {"lr": True}, {"seed": 2**80}, {"init": ""}, {"out": ""}, {"name": ""}, {"device": ""},
        {"threads": 10**6}, {"freeze": ("",)}, {"clip_norm": math.inf}, {"ema": True}, {"quiet": "no"},
        {"labelled_per_batch": 0},
    ],
    ids=str,
)  # fmt: skip
def test_a_training_refuses_nonsense_by_name(wrong):
    with pytest.raises(DiaboloError, match=next(iter(wrong))):
        TrainOptions.of(**wrong)


def test_numbers_of_numpy_become_plain_ones():
    options = TrainOptions.of(epochs=np.int64(3), lr=np.float32(0.5), quiet=np.bool_(True))
    assert [type(v) for v in (options.epochs, options.lr, options.quiet)] == [int, float, bool]
