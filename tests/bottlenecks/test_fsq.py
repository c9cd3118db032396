"""FSQ against vector-quantize-pytorch on the same inputs, and by counting."""

import itertools
import math

import pytest
import torch
import vector_quantize_pytorch
from hypothesis import given, settings
from hypothesis import strategies as st

from diabolo.bottlenecks import FSQ
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, generator

LEVELS = st.lists(st.integers(3, 9), min_size=1, max_size=4).map(tuple)


def bottleneck(levels, size=3, seed=0):
    torch.manual_seed(seed)
    return FSQ((5, size, size), levels)


@settings(max_examples=25, deadline=None)
@given(levels=LEVELS, seed=st.integers(0, 99))
def test_codes_indices_and_gradients_are_those_of_vector_quantize_pytorch(levels, seed):
    fsq, other = bottleneck(levels), vector_quantize_pytorch.FSQ(list(levels), channel_first=True)
    one = 2 * torch.randn(4, len(levels), 3, 3, generator=generator(seed))
    one.requires_grad_()
    two = one.detach().clone().requires_grad_()
    fsq.unquantised = lambda _: one
    latent = fsq(one, Draws())
    q, indices = other(two)
    torch.testing.assert_close(latent.z, q, rtol=1e-5, atol=1e-6)
    assert torch.equal(fsq.indices_of(latent.code), indices.long())
    assert torch.equal(fsq.indices(one), indices.long())
    assert torch.equal(fsq.codes_of(indices.long()), latent.code)
    slope = torch.randn(q.shape, generator=generator(seed, "slope"))
    (latent.z * slope).sum().backward()
    (q * slope).sum().backward()
    torch.testing.assert_close(one.grad, two.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("levels", [(3,), (4, 3), (5, 8, 3)])
def test_the_implied_codebook_is_every_choice_of_levels(levels):
    fsq = bottleneck(levels)
    every = fsq.codes_of(torch.arange(fsq.codes).view(-1, 1, 1)).flatten(1)
    wanted = {tuple((i - n // 2) / (n // 2) for i, n in zip(choice, levels, strict=True))
              for choice in itertools.product(*map(range, levels))}  # fmt: skip
    assert {tuple(row) for row in every.double().tolist()} == wanted
    assert fsq.codes == math.prod(levels) == len(wanted)
    assert torch.equal(fsq.indices_of(every[:, :, None, None]).flatten(), torch.arange(fsq.codes))


def test_far_away_is_the_outermost_level():
    fsq = bottleneck((4, 5))
    far = torch.tensor([[[[90.0]], [[-90.0]]]])
    assert fsq.indices_of(far).item() == 3 + 4 * 0
    fsq.unquantised = lambda _: far
    assert fsq.indices(far).item() == 3


def test_use_is_watched_and_dead_codes_are_told():
    fsq = bottleneck((3, 3))
    latent = fsq(torch.randn(7, 45, generator=generator(0)), Draws())
    counts = fsq.indices_of(latent.code).flatten().bincount(minlength=9).double()
    p = counts[counts > 0] / counts.sum()
    assert latent.logged["perplexity"].item() == pytest.approx(math.exp(-(p * p.log()).sum()), rel=1e-5)
    assert torch.equal(fsq.usage.double(), counts)
    assert fsq.diagnose(torch.randn(7, 45), latent).values["dead_codes"] == (counts == 0).sum()
    assert latent.penalties == {}


@pytest.mark.parametrize("levels", [(), (2, 5), (5, 0)])
def test_what_cannot_be_is_refused(levels):
    with pytest.raises(DiaboloError, match="levels must be"):
        bottleneck(levels)


def test_channels_begin_standardised():
    fsq = bottleneck((5, 4, 3))
    x = 3 * torch.randn(50, 45, generator=generator(0)) + 2
    fsq.initialise(lambda: x, Draws())
    z = fsq.unquantised(x)
    torch.testing.assert_close(z.mean((0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(z.std((0, 2, 3), correction=0), torch.ones(3))


@pytest.mark.parametrize("images", [1, 6])
def test_channels_that_do_not_vary_begin_as_they_are(images):
    fsq = bottleneck((5, 4, 3))
    weight = fsq.to_code.weight.detach().clone()
    fsq.initialise(lambda: torch.full((images, 45), 0.5), Draws())
    assert torch.equal(fsq.to_code.weight, weight)
    assert fsq.unquantised(torch.full((1, 45), 0.5)).abs().max() < 1e-5
    assert all(p.isfinite().all() for p in fsq.parameters())


def test_channels_of_any_deviation_begin_with_1_and_by_a_thousandth_at_least():
    quantiser = FSQ((3, 2, 2), levels=(5, 5, 5))
    size = torch.tensor([0.5, 20.0, 1e-4]).view(1, 3, 1, 1)
    with torch.no_grad():
        quantiser.to_code.weight.copy_(torch.eye(3)[:, :, None, None])
        quantiser.to_code.bias.fill_(0.3)
    features = (size * torch.randn(40, 3, 2, 2, generator=torch.Generator().manual_seed(0)) + 2).flatten(1)
    quantiser.initialise(lambda: features, None)
    vectors = quantiser.unquantised(features)
    assert vectors.std((0, 2, 3), correction=0).tolist() == pytest.approx([1, 1, 0.1], rel=0.2)
    assert vectors.mean((0, 2, 3)).abs().max() < 1e-2
    assert set(quantiser.state_dict()) == {"to_code.weight", "to_code.bias", "usage"}


def test_the_implied_codebook_can_be_counted():
    with pytest.raises(DiaboloError, match=r"the levels of 3 channels make 1.68e\+07 codes"):
        FSQ((3, 2, 2), levels=(256, 256, 257))


def test_vectors_outside_have_the_outermost_index():
    quantiser = FSQ((2, 1, 1), levels=(4, 3))
    far = torch.tensor([[9.0, 9.0], [-9.0, -9.0], [0.0, 0.0]]).view(3, 2, 1, 1)
    assert quantiser.indices_of(far).flatten().tolist() == [3 + 4 * 2, 0, 2 + 4 * 1]


def test_a_codebook_of_just_so_many_codes_is_counted():
    assert FSQ((3, 2, 2), levels=(256, 256, 256)).codes == 2**24
