import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diabolo.data.portable_random import permutation, uniform, words
from diabolo.errors import DiaboloError


def test_the_stream_is_fixed():
    # written down once: another machine or numpy must give the same
    assert [hex(word) for word in words(2, 42)] == ["0xeaafbebf7f55d256", "0xe9366c1894d944c8"]
    assert permutation(8, 42).tolist() == [5, 3, 7, 2, 1, 0, 4, 6]


@given(st.integers(0, 300), st.integers(0, 2**63))
def test_a_permutation_has_every_number_once(n, seed):
    assert sorted(permutation(n, seed)) == list(range(n))


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 2**32))
def test_the_first_rows_do_not_depend_on_how_many(rows, more, seed):
    few, many = uniform((rows, 3), seed), uniform((rows + more, 3), seed)
    assert np.array_equal(few, many[:rows])
    assert ((many >= 0) & (many < 1)).all()


def test_streams_and_seeds_differ():
    assert not set(words(1000, 0, stream=0)) & set(words(1000, 0, stream=1))
    assert not set(words(1000, 0)) & set(words(1000, 1))


def test_uniform_is_uniform():
    draws = uniform((100_000,), seed=3)
    assert abs(draws.mean() - 0.5) < 0.005
    assert abs(draws.var() - 1 / 12) < 0.002


@pytest.mark.parametrize("seed", [-1, 1.5, "x", True, None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(DiaboloError, match="a seed is a whole number"):
        words(1, seed)
