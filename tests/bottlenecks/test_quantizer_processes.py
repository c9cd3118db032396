"""Two processes quantise as one with twice the batch: codebook, averages, restarts, what is watched, gradients."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
import torch
import torch.distributed as dist

from diabolo import distributed
from diabolo.bottlenecks import FSQ, VectorQuantizer
from diabolo.randomness import Draws, generator

torch.set_num_threads(1)
rank, path = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
mine, world = slice(4 * rank, 4 * rank + 4), distributed.world
steps = [3 * torch.randn(8, 5 * 3 * 3, generator=generator(i)) for i in range(6)]


def near(one, other):
    assert torch.allclose(one, other, rtol=1e-4, atol=1e-5), (one, other)


def made(kind):
    torch.manual_seed(0)
    if kind == "fsq":
        return FSQ((5, 3, 3), (5, 4))
    return VectorQuantizer((5, 3, 3), 4, 100, codebook=kind, decay=0.5, restart=0.5)  # more codes than vectors: all restarts


for kind in ("ema", "loss", "fsq"):
    one, shared = made(kind), made(kind)
    one.initialise(lambda: torch.cat(steps), Draws(generator(9)))
    shared.initialise(lambda: torch.cat(steps), Draws(generator(9)))
    noise, noise_shared = generator(1), generator(1)
    for x in steps:
        distributed.world = lambda: 1
        wanted = one(x, Draws(noise))
        (sum(p.mean() for p in wanted.penalties.values()) + wanted.z.square().mean()).backward()
        distributed.world = world
        got = shared(x[mine], Draws(noise_shared, (4 * rank, 8)))
        (sum(p.mean() for p in got.penalties.values()) + got.z.square().mean()).backward()
        near(got.code, wanted.code[mine])
        for name, value in wanted.penalties.items():
            near(got.penalties[name], value[mine])
        for name, value in wanted.logged.items():
            near(got.logged[name], value)
        for name, value in one.state_dict().items():
            near(shared.state_dict()[name], value)
        for p, q in zip(one.parameters(), shared.parameters()):
            distributed.average(q.grad)
            near(q.grad, p.grad)
            p.grad = q.grad = None
    assert torch.equal(noise.get_state(), noise_shared.get_state())
    every = shared.state_dict()
    for value in every.values():  # the same in both, to the last bit
        theirs = value.clone()
        distributed.from_first(theirs)
        assert torch.equal(theirs, value)
    assert every["usage"].sum() == 6 * 8 * 9
dist.destroy_process_group()
"""


def test_two_processes_quantise_as_one(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(SCRIPT)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    running = [
        subprocess.Popen(
            [sys.executable, str(script), str(rank), str(tmp_path / "meet")],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    try:
        ends = [process.communicate(timeout=120) for process in running]
    except subprocess.TimeoutExpired:
        pytest.fail("the processes wait for each other")
    finally:
        for process in running:
            process.kill()
    for process, (_, errors) in zip(running, ends, strict=True):
        assert process.returncode == 0, errors
