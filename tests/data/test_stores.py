"""However the pixels lie, the same plan gives the same batches; and no thread outlives its batches."""

import threading
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diabolo.data import Images, as_images, stores
from diabolo.data.stores import AHEAD, HostStore, ResidentStore, open_store
from diabolo.data.unit import to_float
from diabolo.errors import UnknownNameError

CPU = torch.device("cpu")
N = 50


def pixels(n=N):
    return np.random.default_rng(0).integers(0, 256, (n, 3, 4, 5), dtype=np.uint8)


def mapped(array, path):
    np.save(path, array)
    return np.load(path, mmap_mode="r")


@pytest.fixture
def three(tmp_path):
    """The same images on the device, in host memory and on disk."""
    x = pixels()
    return (
        open_store(Images(x), CPU, "device"),
        open_store(Images(x), CPU, "host"),
        open_store(Images(mapped(x, tmp_path / "x.npy")), CPU, "disk"),
    )


def plan(*batches):
    return [torch.tensor(batch, dtype=torch.int64) for batch in batches]


def threads():
    return {t for t in threading.enumerate() if t.is_alive()}


# --- the same batches -------------------------------------------------------------------------------------------------


def test_all_places_give_the_same_batches_in_the_same_order(three):
    x = torch.from_numpy(pixels()).float() / 255
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0)).split(7)  # the last one is ragged
    for store in three:
        got = list(store.batches(order))
        assert len(got) == len(order)
        for batch, indices in zip(got, order, strict=True):
            assert batch.dtype == torch.float32
            assert torch.equal(batch, x[indices])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, N - 1), min_size=1, max_size=9), max_size=12))
def test_any_plan_even_with_images_twice(batches):
    x = pixels()
    wanted = [torch.from_numpy(x[batch]).float() / 255 for batch in batches]
    for store in (ResidentStore(x, CPU), HostStore(x, CPU)):
        got = list(store.batches(plan(*batches)))
        assert all(torch.equal(one, other) for one, other in zip(got, wanted, strict=True))


def test_a_store_serves_again_and_again(three):
    for store in three:
        one, other = (list(store.batches(plan([3, 1], [2]))) for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
        assert list(store.batches([])) == []


def test_a_batch_may_be_written_to_without_harm(three):
    for store in three:
        (first,) = store.batches(plan([0, 1]))
        kept = first.clone()
        first.zero_()
        (again,) = store.batches(plan([0, 1]))
        assert torch.equal(again, kept)


def test_float_vectors_pass_unscaled(tmp_path):
    x = np.random.default_rng(0).random((N, 7), dtype=np.float32)
    for store in (
        open_store(Images(x), CPU, "device"),
        open_store(Images(x), CPU, "host"),
        open_store(Images(mapped(x, tmp_path / "x.npy")), CPU, "disk"),
    ):
        (batch,) = store.batches(plan([5, 0, 5]))
        assert torch.equal(batch, torch.from_numpy(x[[5, 0, 5]]))
        batch.zero_()
        assert x[5].any()


def test_to_float():
    assert torch.equal(to_float(torch.arange(256, dtype=torch.uint8)), torch.arange(256) / 255)
    x = torch.rand(3)
    assert torch.equal(to_float(x), x)


def test_the_images_are_not_written_to():
    x = pixels()
    kept = x.copy()
    for place in ("device", "host"):
        for batch in open_store(Images(x), CPU, place).batches(plan([0, 1, 2])):
            batch.mul_(0)
    assert np.array_equal(x, kept)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("place", ["device", "host", "disk"])
def test_arrays_that_must_not_be_written_to(place, tmp_path):
    x = pixels()
    fixed = x.copy()
    fixed.flags.writeable = False
    always = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    try:
        for array in (fixed, mapped(x, tmp_path / "x.npy")):
            (batch,) = open_store(Images(array), CPU, place).batches(plan([1, 2]))
            assert torch.equal(batch, torch.from_numpy(x[1:3]).float() / 255)
    finally:
        torch.set_warn_always(always)


@pytest.mark.parametrize("place", ["device", "host"])
def test_arrays_that_run_backwards(place):
    x = pixels()
    for view in (x[::-1], x[..., ::-1], x[::2]):
        (batch,) = open_store(Images(view), CPU, place).batches(plan([0, 3]))
        assert torch.equal(batch, torch.from_numpy(view[[0, 3]]).float() / 255)
    vectors = as_images(np.random.default_rng(0).random((9, 4), dtype=np.float32)[::-1])
    (batch,) = open_store(vectors, CPU, place).batches(plan([0, 3]))
    assert torch.equal(batch, torch.from_numpy(vectors.images[[0, 3]]))


# --- the thread ---------------------------------------------------------------------------------------------------------


def test_the_thread_ends_with_the_plan():
    before = threads()
    assert len(list(HostStore(pixels(), CPU).batches(plan(*([i] for i in range(20)))))) == 20
    assert threads() == before


@pytest.mark.parametrize("seen", [1, 3, AHEAD + 2])
def test_leaving_early_leaves_no_thread(seen):
    before = threads()
    batches = HostStore(pixels(), CPU).batches(plan(*([i] for i in range(40))))
    for _ in range(seen):
        next(batches)
    time.sleep(0.02)  # the worker fills the queue and waits for room
    assert len(threads() - before) == 1
    batches.close()
    assert threads() == before


def test_breaking_off_or_failing_in_the_loop_leaves_no_thread():
    before = threads()
    store = HostStore(pixels(), CPU)
    for _ in store.batches(plan(*([i] for i in range(40)))):
        break

    def fail():
        for _ in store.batches(plan(*([i] for i in range(40)))):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert threads() == before


def test_batches_never_asked_for_start_no_thread():
    before = threads()
    HostStore(pixels(), CPU).batches(plan([0]))
    assert threads() == before


def test_only_a_few_batches_are_gathered_ahead(monkeypatch):
    store, gathered = HostStore(pixels(), CPU), []
    gather = store._gather
    monkeypatch.setattr(store, "_gather", lambda indices: gathered.append(1) or gather(indices))
    batches = store.batches(plan(*([i] for i in range(40))))
    next(batches)
    time.sleep(0.05)
    assert AHEAD <= len(gathered) <= AHEAD + 2
    batches.close()


@pytest.mark.parametrize("bad", [0, 2, 15])
def test_what_goes_wrong_in_the_thread_is_raised_where_the_batches_are_used(bad):
    before = threads()
    indices = [[i] for i in range(20)]
    indices[bad] = [N]  # there is no such image
    got = []
    with pytest.raises(IndexError):
        got.extend(HostStore(pixels(), CPU).batches(plan(*indices)))
    assert threads() == before


# --- which place ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def free(monkeypatch):
    """Bytes free by type of device, to be set by the test."""
    bytes_free = {"cpu": 0, "cuda": 0}
    monkeypatch.setattr(stores, "free_memory", lambda device: bytes_free[device.type])
    return bytes_free


def test_on_the_device_when_it_takes_at_most_half_of_what_is_free(free):
    images = Images(pixels())
    free["cpu"] = 2 * images.images.nbytes
    store = open_store(images, CPU)
    assert isinstance(store, ResidentStore)
    assert store.place.startswith("all on cpu as uint8 (")
    free["cpu"] -= 1
    store = open_store(images, CPU)
    assert isinstance(store, HostStore)
    assert store.place.startswith("in host memory as uint8 (")


def test_from_disk_when_it_fits_nowhere(free, tmp_path):
    images = Images(mapped(pixels(), tmp_path / "x.npy"))
    store = open_store(images, CPU)
    assert isinstance(store, HostStore)
    assert isinstance(store.array, np.memmap)
    assert store.place.startswith("memory-mapped from disk as uint8 (")


def test_in_host_memory_when_the_gpu_is_full(free, tmp_path):
    images = Images(mapped(pixels(), tmp_path / "x.npy"))
    free["cpu"] = 2 * images.images.nbytes
    store = open_store(images, torch.device("cuda"))
    assert isinstance(store, HostStore)
    assert not isinstance(store.array, np.memmap)
    assert np.array_equal(store.array, images.images)
    free["cpu"] -= 1
    assert isinstance(open_store(images, torch.device("cuda")).array, np.memmap)


def test_a_place_asked_for_is_given(free, tmp_path):
    images = Images(mapped(pixels(), tmp_path / "x.npy"))
    assert isinstance(open_store(images, CPU, "device"), ResidentStore)  # though it does not seem to fit
    free["cpu"] = 10**9
    for place, on_disk in (("host", False), ("disk", True)):
        store = open_store(images, CPU, place)
        assert isinstance(store, HostStore)
        assert isinstance(store.array, np.memmap) is on_disk


def test_a_place_that_is_none():
    with pytest.raises(UnknownNameError, match="did you mean 'device'"):
        open_store(Images(pixels()), CPU, "devise")


def test_free_memory_is_a_number_of_bytes():
    assert 2**20 < stores.free_memory(CPU) < 2**50


def test_the_size_is_said_in_mib():
    assert "(2.0 MiB)" in open_store(Images(np.zeros((2, 1, 1024, 1024), np.uint8)), CPU, "host").place


def test_free_memory_is_no_more_than_the_container_may_take(tmp_path, monkeypatch):
    limit, used = tmp_path / "max", tmp_path / "current"
    monkeypatch.setattr("diabolo.data.room.CGROUPS", ((limit, used),))
    free = stores.free_memory(CPU)  # no such files: no limit
    limit.write_text("1048576\n")
    used.write_text("1000000\n")
    assert stores.free_memory(CPU) == 48576
    limit.write_text("max\n")
    assert stores.free_memory(CPU) == pytest.approx(free, rel=0.5)


def test_a_memory_map_is_not_copied_for_the_cpu_unless_asked(free, tmp_path):
    free["cpu"] = 10**9
    images = Images(mapped(pixels(), tmp_path / "x.npy"))
    store = open_store(images, CPU)
    assert isinstance(store, ResidentStore)
    assert store.pixels.data_ptr() == images.images.ctypes.data
    assert store.place.startswith("memory-mapped from disk as uint8 (")
    (batch,) = store.batches(plan([2, 0]))
    assert np.array_equal(batch.numpy(), np.divide(images.images[[2, 0]], 255, dtype=np.float32))
    assert open_store(images, CPU, "device").pixels.data_ptr() != images.images.ctypes.data
