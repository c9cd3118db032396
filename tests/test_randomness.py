"""Seeds that never change, and draws that do not depend on how many processes share them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diabolo import distributed
from diabolo.errors import DiaboloError
from diabolo.randomness import Draws, derive, generator


def test_derived_seeds_are_fixed():
    # written down once: another machine or Python must give the same
    assert derive(0) == 2631537505891389924
    assert derive(0, "order", 3) == 8244215730568551301
    assert derive(2**63, "sample") == 9104105542256795279


@given(st.integers(0, 2**64 - 1), st.text(max_size=5), st.integers(0, 1000))
def test_a_derived_seed_is_one_that_torch_takes(seed, purpose, epoch):
    value = derive(seed, purpose, epoch)
    assert 0 <= value < 2**63
    torch.Generator().manual_seed(value)


@pytest.mark.parametrize("seed", [None, -1, 2**80, 1.5, True, "0"])
def test_what_is_no_seed_is_refused(seed):
    """None among them: others take it for fresh randomness, and here it would be one more fixed seed."""
    with pytest.raises(DiaboloError, match="seed must be a whole number from 0"):
        derive(seed, "sample")


def test_purposes_have_nothing_in_common():
    seeds = {derive(s, p, e) for s in range(10) for p in ("order", "noise", "sample") for e in range(100)}
    assert len(seeds) == 3000
    assert derive(0, "ab") != derive(0, "a", "b")
    assert derive(1, 0) != derive(10)


def test_a_seed_from_numpy_is_the_same_seed():
    assert derive(np.int64(3), "sample") == derive(3, "sample")
    assert derive(3, "order", np.int64(7)) == derive(3, "order", 7)


def test_a_generator_starts_afresh_each_time():
    first, again, other = (torch.randn(5, generator=generator(s, "x")) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_normal_is_normal():
    e = Draws(generator(0, "test")).normal(torch.empty(1000, 1000))
    assert abs(e.mean()) < 5e-3
    assert abs(e.var() - 1) < 1e-2
    assert abs(e.pow(4).mean() - 3) < 0.05  # 1.8 for uniform numbers
    assert abs((e < 0).float().mean() - 0.5) < 5e-3


def test_uniform_is_uniform():
    u = Draws(generator(0, "test")).uniform(torch.empty(1000, 1000))
    assert 0 <= u.min() < 1e-4
    assert 1 - 1e-4 < u.max() < 1
    assert abs(u.mean() - 0.5) < 2e-3
    assert abs(u.var() - 1 / 12) < 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_numbers_are_like_what_they_are_for(dtype):
    for draw in (Draws(generator(0)).normal, Draws(generator(0)).uniform):
        numbers = draw(torch.empty(3, 4, 5, dtype=dtype))
        assert (numbers.shape, numbers.dtype) == ((3, 4, 5), dtype)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 30), st.integers(0, 2**32))
def test_windows_laid_together_are_the_whole_draw(sizes, width, seed):
    total = sum(sizes)
    whole = Draws(generator(seed))
    wanted = [whole.normal(torch.empty(total, width)), whole.uniform(torch.empty(total, 2, width))]
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    windows = [Draws(generator(seed), (start, total)) for start in starts]
    for i, shape in enumerate([(width,), (2, width)]):
        got = [(d.uniform if i else d.normal)(torch.empty(n, *shape)) for d, n in zip(windows, sizes, strict=True)]
        assert torch.equal(torch.cat(got), wanted[i])


def test_without_a_generator_the_global_one_is_used():
    torch.manual_seed(5)
    first = Draws().normal(torch.empty(4))
    torch.manual_seed(5)
    assert torch.equal(Draws().normal(torch.empty(4)), first)


def test_a_generator_of_ones_own_leaves_the_global_one_alone():
    before = torch.get_rng_state()
    Draws(generator(0)).normal(torch.empty(10))
    assert torch.equal(torch.get_rng_state(), before)


def test_whoever_shares_no_batch_draws_what_one_process_would(monkeypatch):
    x = torch.zeros(3, 2)
    alone = Draws(generator(2, "any")).normal(x)
    monkeypatch.setattr(distributed, "world", lambda: 2)
    draws = Draws(generator(2, "any"))
    assert torch.equal(draws.normal(x), alone)
    after = torch.rand(1, generator=draws.generator)
    monkeypatch.undo()
    draws = Draws(generator(2, "any"))
    draws.normal(x)
    assert torch.equal(torch.rand(1, generator=draws.generator), after)  # and no number more
