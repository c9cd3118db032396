"""A device without float64, such as the GPU of a Mac, trains every recipe and computes what a model is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from diabolo import distributed, hardware, zoo
from diabolo.errors import DiaboloError
from diabolo.training import fit

MPS = torch.device("mps", 0)


def test_every_recipe_works_without_float64_and_gives_the_numbers_of_the_cpu(tmp_path):
    script = Path(__file__).parent / "narrow_device.py"
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == [*zoo.RECIPES, "agree"]


@pytest.fixture
def mac(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)


@pytest.mark.parametrize("name", ["mps", "mps:0"])
def test_the_gpu_of_a_mac_is_chosen_by_name(name, mac):
    assert hardware.choose_device(name) == MPS
    assert hardware.choose_device("auto").type != "mps"


def test_there_is_one(mac):
    with pytest.raises(DiaboloError, match="a Mac has one GPU, mps"):
        hardware.choose_device("mps:1")


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has one")
def test_where_there_is_none_a_sentence_says_so():
    with pytest.raises(DiaboloError, match=r"no Apple GPU \(mps\) that torch can use; use --device cpu"):
        hardware.choose_device("mps")


def test_it_computes_in_float32(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)  # of the CPU beside it
    assert hardware.choose_precision("auto", MPS).name == hardware.choose_precision("float32", MPS).name == "float32"
    for name in ("bf16", "float16"):
        with pytest.raises(DiaboloError, match=f"not in {name}; use --precision float32"):
            hardware.choose_precision(name, MPS)


@pytest.mark.parametrize("options", [{"compile": True}, {"precision": "bf16"}])
def test_what_it_cannot_do_is_refused_before_training(options, mac, tiny_model, tiny_pixels, tmp_path):
    with pytest.raises(DiaboloError, match="mps"):
        fit.fit(tiny_model("vae"), tiny_pixels(), device="mps", out=tmp_path, quiet=True, **options)
    assert not list(tmp_path.iterdir())


def test_it_is_not_shared_by_processes(monkeypatch):
    torchrun = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}
    for name, value in torchrun.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DiaboloError, match="without torchrun"), distributed.joined(MPS):
        pass
