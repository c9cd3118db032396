"""Batches are cut the same way however many processes share them."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from diabolo import distributed
from diabolo.training.batches import plan, shuffled


def cut(order, batch_size, world, rank, every=False):
    """The plan of one of several processes."""
    real = distributed.world, distributed.rank
    distributed.world, distributed.rank = lambda: world, lambda: rank
    try:
        return plan(order, batch_size, every)
    finally:
        distributed.world, distributed.rank = real


@given(n=st.integers(1, 200), size=st.integers(1, 40))
def test_one_process_sees_every_image_once(n, size):
    batches = cut(torch.arange(n), size, 1, 0)
    assert torch.cat(batches.batches).tolist() == list(range(n))
    assert set(batches.windows) == {None}
    assert batches.sizes == [len(batch) for batch in batches.batches]
    if n > 1 and size > 1:
        assert min(batches.sizes) >= 2
        assert max(batches.sizes) <= size + 1
        assert batches.sizes[:-1] == [size] * (len(batches.sizes) - 1)


@given(n=st.integers(8, 300), size=st.integers(1, 20), world=st.integers(2, 4))
def test_several_processes_share_the_batches_that_one_would_have(n, size, world):
    one = cut(torch.arange(n), size * world, 1, 0)
    shares = [cut(torch.arange(n), size, world, rank) for rank in range(world)]
    lost = set(range(n))
    assert (
        len({tuple(share.sizes) for share in shares}) == 1
    )  # equally many each, or gradients would be weighted wrongly
    whole = [batch for batch in one.batches if len(batch) >= world]
    assert len(shares[0].batches) == len(whole)
    for i, batch in enumerate(whole):
        joint = torch.cat([share.batches[i] for share in shares]).tolist()
        assert joint == batch.tolist()[: len(joint)]
        assert len(batch) - len(joint) < world
        for rank, share in enumerate(shares):
            assert share.windows[i] == (rank * share.sizes[i], len(joint))
        lost -= set(joint)
    assert len(lost) < world


@given(n=st.integers(8, 300), size=st.integers(1, 20), world=st.integers(2, 4))
def test_where_every_image_counts_none_is_left_out(n, size, world):
    shares = [cut(torch.arange(n), size, world, rank, every=True) for rank in range(world)]
    assert len({len(share.batches) for share in shares}) == 1  # as many steps each, or one would wait for ever
    seen = [torch.cat([share.batches[i] for share in shares]) for i in range(len(shares[0].batches))]
    assert torch.cat(seen).tolist() == list(range(n))
    for i, joint in enumerate(seen):
        sizes = [len(share.batches[i]) for share in shares]
        assert min(sizes) >= 1
        assert max(sizes) - min(sizes) <= 1
        assert [share.windows[i] for share in shares] == [(sum(sizes[:r]), len(joint)) for r in range(world)]
    assert {share.left_out for share in shares} == {0}


@given(n=st.integers(8, 300), size=st.integers(1, 20), world=st.integers(2, 4))
def test_what_is_left_out_is_counted(n, size, world):
    shares = [cut(torch.arange(n), size, world, rank) for rank in range(world)]
    assert {share.left_out for share in shares} == {n - sum(sum(share.sizes) for share in shares)}


def test_the_order_comes_from_seed_and_epoch_alone():
    assert torch.equal(shuffled(100, 1, 2), shuffled(100, 1, 2))
    assert not torch.equal(shuffled(100, 1, 2), shuffled(100, 1, 3))
    assert not torch.equal(shuffled(100, 1, 2), shuffled(100, 2, 2))
    assert sorted(shuffled(100, 1, 2).tolist()) == list(range(100))
    before = torch.random.get_rng_state()
    shuffled(10, 0, 0)
    assert torch.equal(before, torch.random.get_rng_state())
