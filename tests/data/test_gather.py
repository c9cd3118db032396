"""Rows that may be more than memory holds."""

import numpy as np
import pytest

from diabolo.data import gather
from diabolo.errors import NotWrittenError


@pytest.fixture
def cramped(monkeypatch, tmp_path):
    """Little is held in memory, and what is more lies in a folder of the test."""
    monkeypatch.setattr(gather, "IN_MEMORY", 1000)
    monkeypatch.setattr(gather, "AT_MOST", 3000)
    monkeypatch.setattr(gather, "default_cache", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def pieces(n):
    rows = np.arange(n * 6, dtype=np.float32).reshape(n, 2, 3)
    return rows, (rows[i : i + 7] for i in range(0, n, 7))


def test_what_is_stacked_is_held_in_memory_while_it_is_small(cramped):
    rows, parts = pieces(40)
    found = gather.stacked(parts, 40, "rows")
    assert not isinstance(found, np.memmap)
    assert np.array_equal(found, rows)


def test_what_is_stacked_lies_on_the_disk_when_it_is_large(cramped):
    rows, parts = pieces(60)
    found = gather.stacked(parts, 60, "rows")
    assert isinstance(found, np.memmap)
    assert np.array_equal(found, rows)
    assert found.flags.writeable  # torch warns of others
    assert not list(cramped.iterdir())  # the file has no name


def test_a_disk_without_room_is_told_with_what_was_to_be_laid_there(cramped):
    cramped.write_text("no folder")
    with pytest.raises(NotWrittenError, match="GB of rows do not fit into"):
        gather.stacked(pieces(60)[1], 60, "rows")
    few = np.memmap(cramped.parent / "array", np.float32, "w+", shape=(200, 5))
    few[:] = np.arange(1000).reshape(200, 5)
    assert np.array_equal(gather.gather(few, np.arange(100)), few[:100])  # which memory can hold all the same
    with pytest.raises(NotWrittenError, match="GB of chosen images do not fit into"):
        gather.gather(few, np.arange(200))
