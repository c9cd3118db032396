"""Two processes that compute one thing together."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

JOIN = """
import os
import sys

import numpy as np
import torch
import torch.distributed as dist

torch.set_num_threads(1)
rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
"""
# at once, for threads of a group that is being taken down have been seen to abort an interpreter that ends meanwhile
PART = """
dist.barrier()
dist.destroy_process_group()
os._exit(0)
"""


@pytest.fixture
def in_two(tmp_path: Path) -> Callable[[str], None]:
    """in_two(script): run Python text in two processes, with `np`, `torch` and `rank`; both must end well."""

    def run(script: str) -> None:
        file = tmp_path / "two.py"
        file.write_text(JOIN + script + PART)
        environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
        running = [
            subprocess.Popen(
                [sys.executable, str(file), str(rank), str(tmp_path / "meet")],
                env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for rank in range(2)
        ]  # fmt: skip
        try:
            ends = [process.communicate(timeout=120) for process in running]
        finally:
            for process in running:
                process.kill()
        for process, (_, errors) in zip(running, ends, strict=True):
            assert process.returncode == 0, errors

    return run
