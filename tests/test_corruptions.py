"""What is drawn follows its law: moments and shares within five standard errors, at fixed seeds."""

import json
import math

import pytest
import torch

from diabolo import parts
from diabolo.corruptions import CORRUPTIONS, Clean, Dropout, GaussianNoise, Masking, SaltAndPepper, as_corruption
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator

N = 500  # images of 3×16×16 grey pixels
X = torch.full((N, 3, 16, 16), 0.5)
PIXELS, VALUES = N * 16 * 16, N * 3 * 16 * 16
EVERY = [Clean(), GaussianNoise(0.1), GaussianNoise(0.1, clip=False), Masking(), SaltAndPepper(), Dropout()]
every = pytest.mark.parametrize("corruption", EVERY, ids=lambda c: type(c).__name__)


def draws(seed=0):
    return Draws(generator(seed, "test"))


def share(mask, p, n):
    """A share of n independent draws lies within five standard errors of p."""
    return abs(mask.double().mean().item() - p) <= 5 * math.sqrt(p * (1 - p) / n)


def test_gaussian_noise_has_the_moments_of_a_normal():
    e = (GaussianNoise(0.2, clip=False)(X, draws()) - X).double() / 0.2
    assert abs(e.mean()) < 5 / math.sqrt(VALUES)
    assert abs(e.var() - 1) < 5 * math.sqrt(2 / VALUES)
    assert abs(e.pow(4).mean() - 3) < 5 * math.sqrt(96 / VALUES)


def test_gaussian_noise_differs_from_value_to_value():
    e = GaussianNoise(0.2, clip=False)(X, draws()) - X
    correlation = torch.corrcoef(e.transpose(0, 1).flatten(1))
    assert (correlation - torch.eye(3)).abs().max() < 5 / math.sqrt(PIXELS)


def test_clipping_keeps_noise_within_the_range_of_pixels():
    noisy, clipped = (GaussianNoise(1.0, clip)(X, draws()) for clip in (False, True))
    assert torch.equal(clipped, noisy.clamp(0, 1))
    assert share(noisy < 0, 0.3085, VALUES)  # P(e < −½)
    assert clipped.min() == 0
    assert clipped.max() == 1


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_masking_blacks_out_whole_pixels(p):
    masked = Masking(p)(X, draws())
    assert torch.equal(masked, masked[:, :1].expand_as(X))  # all channels of a pixel share its fate
    assert set(masked.unique().tolist()) == {0.0, 0.5}
    assert share(masked[:, 0] == 0, p, PIXELS)


@pytest.mark.parametrize("p", [0.1, 0.5, 1.0])
def test_salt_and_pepper_are_equally_likely(p):
    speckled = SaltAndPepper(p)(X, draws())
    assert torch.equal(speckled, speckled[:, :1].expand_as(X))
    assert share(speckled[:, 0] == 0, p / 2, PIXELS)
    assert share(speckled[:, 0] == 1, p / 2, PIXELS)
    assert set(speckled.unique().tolist()) <= {0.0, 0.5, 1.0}


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean(p):
    thinned = Dropout(p)(X, draws())
    assert torch.allclose(thinned.unique(), torch.tensor([0.0, 0.5 / (1 - p)]))
    assert share(thinned == 0, p, VALUES)
    assert not torch.equal(thinned[:, 0], thinned[:, 1])  # value by value, not pixel by pixel


def test_pixels_and_images_are_independent():
    for corruption in (Masking(0.5), SaltAndPepper(0.5), Dropout(0.5)):
        hit = (corruption(X, draws()) != 0.5)[:, 0].double() if not isinstance(corruption, Dropout) else None
        if hit is None:
            hit = (corruption(X, draws()) == 0)[:, 0].double()
        for one, other in ((hit[:-1], hit[1:]), (hit[:, :-1], hit[:, 1:]), (hit[:, :, :-1], hit[:, :, 1:])):
            correlation = torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]
            assert abs(correlation) < 5 / math.sqrt(one.numel())


def test_masks_are_not_shared_over_the_numbers_of_a_vector():
    x = torch.full((2000, 30), 0.5)
    hit = Masking(0.5)(x, draws()) == 0
    assert share(hit, 0.5, hit.numel())
    assert not torch.equal(hit[:, 0], hit[:, 1])


@pytest.mark.parametrize("corruption", [GaussianNoise(0.0), Masking(0.0), SaltAndPepper(0.0), Dropout(0.0), Clean()])
def test_none_of_it_is_the_identity(corruption):
    x = torch.rand(20, 3, 8, 8)
    assert torch.equal(corruption(x, draws()), x)


def test_all_of_it_is_black():
    assert Masking(1.0)(X, draws()).abs().max() == 0


@every
def test_the_target_stays_clean(corruption):
    x = torch.rand(20, 3, 8, 8)
    kept = x.clone()
    corrupted = corruption(x, draws())
    assert torch.equal(x, kept)
    assert (corrupted.shape, corrupted.dtype) == (x.shape, x.dtype)


@every
@pytest.mark.parametrize("shape", [(9, 1, 8, 8), (9, 3, 5, 7), (9, 12)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_any_shape_and_type(corruption, shape, dtype):
    x = torch.rand(shape).to(dtype)
    corrupted = corruption(x, draws())
    assert (corrupted.shape, corrupted.dtype) == (shape, dtype)


@every
def test_it_repeats_with_the_seed_and_in_windows(corruption):
    x = torch.rand(20, 3, 8, 8)
    whole = corruption(x, draws())
    assert torch.equal(corruption(x, draws()), whole)
    halves = [corruption(x[i : i + 10], Draws(generator(0, "test"), (i, 20))) for i in (0, 10)]
    assert torch.equal(torch.cat(halves), whole)
    if not isinstance(corruption, Clean):
        assert not torch.equal(corruption(x, draws(1)), whole)


@every
def test_corruptions_survive_a_run_folder(corruption):
    x = torch.rand(20, 3, 8, 8)
    again = parts.build(json.loads(json.dumps(parts.describe(corruption))))
    assert torch.equal(again(x, draws()), corruption(x, draws()))


def test_by_name_and_level():
    made = {name: as_corruption(name) for name in CORRUPTIONS}
    assert {name: type(c) for name, c in made.items()} == {
        "none": Clean,
        "gaussian": GaussianNoise,
        "masking": Masking,
        "salt-and-pepper": SaltAndPepper,
        "dropout": Dropout,
    }
    assert as_corruption("gaussian", 0.25).sigma == 0.25
    assert as_corruption("masking", 0.0).p == 0.0  # zero is a level, not "none given"
    mine = Masking(0.7)
    assert as_corruption(mine) is mine


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: as_corruption("gausian"), "did you mean 'gaussian'"),
        (lambda: as_corruption("none", 0.5), "level"),
        (lambda: as_corruption(Masking(0.7), 0.1), "level"),
        *(
            (lambda c=c: c(-0.1), r"must lie in \[0, .*not -0.1")
            for c in (GaussianNoise, Masking, SaltAndPepper, Dropout)
        ),
        *((lambda c=c: c(1.1), r"must lie in \[0, .*not 1.1") for c in (Masking, SaltAndPepper, Dropout)),
        *((lambda c=c: c(float("nan")), "not nan") for c in (GaussianNoise, Masking, SaltAndPepper, Dropout)),
        (lambda: Dropout(1.0), "not 1.0"),
    ],
)
def test_nonsense_is_refused(make, says):
    with pytest.raises(DiaboloError, match=says):
        make()
