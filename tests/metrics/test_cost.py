"""Operations, time and memory of computations whose cost is known."""

import time

import pytest
import torch
from torch import nn

from diabolo.errors import DiaboloError
from diabolo.metrics.cost import Pace, flops, pace, peak_bytes

CPU = torch.device("cpu")


def test_operations_of_products_and_convolutions():
    a, b = torch.rand(3, 5), torch.rand(5, 7)
    assert flops(lambda: a @ b) == 2 * 3 * 5 * 7
    conv, x = nn.Conv2d(2, 4, 3, padding=1), torch.rand(1, 2, 8, 8)
    with torch.no_grad():
        assert flops(lambda: conv(x)) == 2 * 4 * 8 * 8 * 2 * 9
    assert flops(lambda: torch.relu(a)) == 0


def test_time_is_the_median_of_warm_repetitions():
    calls = []

    def compute():
        calls.append(0)
        time.sleep(0.2 if len(calls) == 1 else 0.01)

    started = time.perf_counter()
    found = pace(compute, CPU, repeats=3)
    assert sum(found.seconds) < time.perf_counter() - started
    assert len(calls) == 4
    assert len(found.seconds) == 3
    assert all(s >= 0.01 for s in found.seconds)
    assert Pace((1.0, 9.0, 2.0)).median == 2
    calls.clear()
    assert len(pace(compute, CPU, repeats=1, warm_up=0).seconds) == len(calls) == 1
    for wrong in ({"repeats": 0}, {"warm_up": -1}):
        with pytest.raises(DiaboloError, match="once or more"):
            pace(compute, CPU, **wrong)


MIB = 2**18  # numbers of 4 bytes


@pytest.mark.parametrize(
    ("compute", "mib"),
    [
        (lambda x: x + 1, 1),
        (lambda x: (x + 1) + 1, 2),
        (lambda x: ((x + 1) + 1) + 1, 2),  # the first is gone when the third is made
        (lambda x: (x + 1).add_(1).view(2, -1), 1),
        (lambda x: x.view(2, -1).T, 0),
        (lambda x: torch.cat([x, x]).sum(), 2),
        (lambda x: [x + i for i in range(4)], 4),
    ],
)
def test_memory_is_what_lives_at_once(compute, mib):
    x = torch.zeros(MIB)
    assert peak_bytes(lambda: compute(x), CPU) == pytest.approx(mib * 2**20, abs=64)


def test_memory_holds_what_is_kept_for_the_gradient_until_it_is_taken():
    x = torch.zeros(MIB, requires_grad=True)

    def forward():
        return x.exp().exp().exp()  # each keeps its result

    assert peak_bytes(forward, CPU) == 3 * 2**20
    # backwards, one result goes for each gradient that comes; the sum is one number
    assert peak_bytes(lambda: forward().sum().backward(), CPU) == pytest.approx(4 * 2**20, abs=64)


def test_memory_within_an_operation_is_not_seen_on_a_cpu():
    """In float64 images are unfolded before they are multiplied, nine numbers for each pixel; what is counted is the result."""
    conv, x = nn.Conv2d(16, 16, 3, padding=1).double(), torch.zeros(64, 16, 28, 28, dtype=torch.float64)
    with torch.no_grad():
        assert peak_bytes(lambda: conv(x), CPU) == conv(x).nbytes


def test_memory_added_to_a_given_tensor_is_not_seen_on_a_cpu():
    assert peak_bytes(lambda: torch.zeros(1).resize_(MIB), CPU) < 64


def test_memory_does_not_pile_up_over_repetitions():
    x = torch.zeros(MIB)

    def compute():
        for _ in range(20):
            x.exp()

    assert peak_bytes(compute, CPU) <= 2 * 2**20


def test_a_gpu_is_waited_for_and_its_allocator_asked(monkeypatch):
    """By a stand-in, whose peak is of an earlier computation until it is reset: neither that nor what lies there counts."""
    waits, gpu, held = [], torch.device("cuda", 1), {"now": 100, "peak": 9000}

    def on(device, name):
        assert device == gpu
        return held[name]

    def compute():
        assert len(waits) == 1
        held["peak"] = max(held["peak"], held["now"] + 250)

    monkeypatch.setattr(torch.accelerator, "synchronize", waits.append)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda on_it: held.update(peak=on(on_it, "now")))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda on_it: on(on_it, "now"))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda on_it: on(on_it, "peak") if len(waits) == 2 else 0)
    assert peak_bytes(compute, gpu) == 250
    assert waits == [gpu, gpu]
    pace(lambda: None, gpu, repeats=3, warm_up=2)
    assert len(waits) == 2 + 6  # before and after each that counts
