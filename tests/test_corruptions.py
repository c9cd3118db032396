"""What is drawn follows its law: moments and shares within five standard errors, at fixed seeds."""

import json
import math

import pytest
import torch

from diabolo import parts
from diabolo.corruptions import (
    CORRUPTIONS,
    Clean,
    Dropout,
    GaussianNoise,
    Masking,
    Occlusion,
    SaltAndPepper,
    as_corruption,
)
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator

N = 500  # images of 3×16×16 grey pixels
X = torch.full((N, 3, 16, 16), 0.5)
PIXELS, VALUES = N * 16 * 16, N * 3 * 16 * 16
LEVELLED = [GaussianNoise, Masking, SaltAndPepper, Dropout, Occlusion]
EVERY = [
    Clean(),
    GaussianNoise(0.1),
    GaussianNoise(0.1, clip=False),
    Masking(),
    SaltAndPepper(),
    Dropout(),
    Occlusion(),
]
EVERY += [made((0.1, 0.6)) for made in LEVELLED]
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


@pytest.mark.parametrize(
    "corruption", [*(made(0.0) for made in LEVELLED), *(made((0, 0)) for made in LEVELLED), Clean()]
)
def test_none_of_it_is_the_identity(corruption):
    x = torch.rand(20, 3, 8, 8)
    assert torch.equal(corruption(x, draws()), x)


def test_all_of_it_is_black():
    assert Masking(1.0)(X, draws()).abs().max() == 0


# --- a block ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "side"), [(0.5, 6), (0.25, 3), (1.0, 12), (0.29, 3)])
def test_occlusion_hides_one_square_that_lies_within(size, side):
    x = torch.ones(400, 3, 12, 17)
    hidden = Occlusion(size)(x, draws()) == 0
    assert torch.equal(hidden, hidden[:, :1].expand_as(x))
    assert (hidden[:, 0].sum((1, 2)) == side * side).all()
    assert (hidden[:, 0].any(1).sum(1) == side).all()
    assert (hidden[:, 0].any(2).sum(1) == side).all()


def test_the_block_is_anywhere_with_equal_chance():
    n = 6000
    hidden = Occlusion(0.5)(torch.ones(n, 1, 8, 10), draws())[:, 0] == 0
    top, left = hidden.any(2).int().argmax(1), hidden.any(1).int().argmax(1)
    for first, places in ((top, 5), (left, 7)):
        counts = torch.bincount(first, minlength=places)
        assert len(counts) == places
        for count in counts.tolist():
            assert abs(count / n - 1 / places) < 5 * math.sqrt(1 / places * (1 - 1 / places) / n)
    assert abs(torch.corrcoef(torch.stack([top.float(), left.float()]))[0, 1]) < 5 / math.sqrt(n)


def test_of_a_vector_a_run_is_hidden():
    hidden = Occlusion(0.3)(torch.ones(300, 10), draws()) == 0
    assert (hidden.sum(1) == 3).all()
    assert ((hidden[:, 1:] != hidden[:, :-1]).sum(1) <= 2).all()
    assert hidden.any(0).all()


# --- a level drawn for each image -----------------------------------------------------------------------------------------


def test_the_level_is_drawn_uniformly_for_each_image():
    x = torch.full((3000, 1, 16, 16), 0.5)
    for corruption in (Masking((0.2, 0.6)), SaltAndPepper("0.2..0.6"), Dropout([0.2, 0.6])):
        hit = corruption(x, draws()) != 0.5 if not isinstance(corruption, Dropout) else corruption(x, draws()) == 0
        shares = hit.double().flatten(1).mean(1)
        assert abs(shares.mean() - 0.4) < 5 * math.sqrt((0.4**2 / 12 + 0.25 / 256) / 3000)
        # of an image: variance of the level, and of 256 draws at that level (E p (1 − p) = 0.4 − 0.16 − 0.4²/12)
        wanted = 0.4**2 / 12 + (0.24 - 0.4**2 / 12) / 256
        assert shares.var().item() == pytest.approx(wanted, rel=0.1)
    sigma = (GaussianNoise((0.1, 0.5), clip=False)(x, draws()) - x).double().flatten(1).std(1)
    assert abs(sigma.mean() - 0.3) < 0.01
    assert sigma.var().item() == pytest.approx(0.4**2 / 12, rel=0.12)
    sides = (Occlusion((0.25, 0.75))(x, draws()) == 0).flatten(1).sum(1).double().sqrt()
    assert sides.unique().tolist() == [4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert abs(sides.mean() - 8) < 5 * 2.4 / math.sqrt(3000)


def test_a_range_of_no_width_is_a_level():
    for made in LEVELLED:
        assert torch.equal(made((0.3, 0.3))(X, draws()), made(0.3)(X, draws()))
        assert torch.equal(made("0.1..0.6")(X, draws()), made((0.1, 0.6))(X, draws()))


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
        "occlusion": Occlusion,
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
        *((lambda c=c: c(-0.1), r"must lie in \[0, .*not -0.1") for c in LEVELLED),
        *((lambda c=c: c(1.1), r"must lie in \[0, .*not 1.1") for c in (Masking, SaltAndPepper, Dropout, Occlusion)),
        *((lambda c=c: c(float("nan")), "not nan") for c in LEVELLED),
        *((lambda c=c, v=v: c(v), "range such as 0.1..0.6") for c in LEVELLED for v in ("lots", "0.1..", (0.1, "a"))),
        *((lambda c=c, v=v: c(v), "must lie in") for c in LEVELLED for v in ((0.6, 0.1), "0.6..0.1", (-0.1, 0.1))),
        *((lambda c=c: c((0.1, 0.2, 0.3)), "range such as") for c in LEVELLED),
        (lambda: GaussianNoise(float("inf")), "inf"),
        (lambda: Dropout(1.0), "not 1.0"),
    ],
)
def test_nonsense_is_refused(make, says):
    with pytest.raises(DiaboloError, match=says):
        make()
