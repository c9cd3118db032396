"""The disk is full while a checkpoint is written: one sentence, the old checkpoint whole, nothing half-written left."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import safetensors

import diabolo
from diabolo.errors import DiaboloError
from diabolo.runs import files

FIT = """
import resource, sys
import numpy as np, torch
import diabolo
from diabolo.runs import checkpoint

path, out, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
save = checkpoint.save

def fill(*args):
    save(*args)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))  # Python ignores SIGXFSZ: a write fails with EFBIG

checkpoint.save = fill if limit else save
torch.manual_seed(0)
model = diabolo.zoo.vae((1, 8, 8), 4, hidden=(32,))
diabolo.fit(model, np.load(path), epochs=3, batch_size=16, out=out, precision="float32", threads=1)
"""
CLI = """
import resource, sys
from diabolo.cli import main

limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
main()
"""


def rubbish(out):
    return [str(file) for file in out.rglob(".*")]


def test_the_old_checkpoint_survives(start, tmp_path, tiny_pixels, tiny_model, left):
    x = tiny_pixels()
    np.save(tmp_path / "x.npy", x)
    weights = 4 * sum(p.numel() for p in tiny_model("vae", hidden=(32,)).parameters())
    whole = start(FIT, "x.npy", tmp_path / "whole", 0)
    full = start(
        FIT, "x.npy", tmp_path / "full", 2 * weights
    )  # with Adam's moments a checkpoint is three times as large
    assert whole.wait() == 0, whole.errors
    assert full.wait() == 1
    message = full.errors.strip().splitlines()[-1]
    assert message.startswith("diabolo.errors.NotWrittenError: ")
    assert "checkpoint/last.safetensors could not be written: File too large" in message
    assert "the one written before it is untouched" in message
    (path,) = (tmp_path / "full").iterdir()
    assert not rubbish(path)
    with safetensors.safe_open(path / "checkpoint/last.safetensors", "pt") as file:
        assert json.loads(file.metadata()["about"])["epoch"] == 0
        assert all(file.get_tensor(name).isfinite().all() for name in file.keys())  # noqa: SIM118
    diabolo.resume(path, x)  # there is room again
    (undisturbed,) = (tmp_path / "whole").iterdir()
    assert left(path) == left(undisturbed)


def test_on_the_command_line_it_is_one_sentence(start, diabolo_cli, tmp_path):
    first = diabolo_cli("train", "undercomplete", "--epochs", 1, "--no-figures", "--out", tmp_path / "runs")
    assert first.wait() == 0, first.errors
    (path,) = (tmp_path / "runs").iterdir()
    before = (path / "checkpoint/last.safetensors").read_bytes()
    full = start(CLI, len(before) // 2, "resume", path, "--epochs", 3)
    assert full.wait() == 1
    assert len(full.errors.strip().splitlines()) == 1
    assert full.errors.startswith("diabolo: ")
    assert "could not be written" in full.errors
    assert (path / "checkpoint/last.safetensors").read_bytes() == before
    assert not rubbish(path)


def test_on_a_disk_that_is_really_full(tmp_path, tiny_pixels):
    """A file system of 100 kB: three copies of 18 kB of weights do not fit beside the checkpoint before."""
    np.save(tmp_path / "x.npy", tiny_pixels())
    (tmp_path / "fit.py").write_text(FIT)
    (tmp_path / "disk").mkdir()
    script = f"""
        cd {tmp_path} && mount -t tmpfs -o size=100k none disk || exit 77
        {sys.executable} fit.py x.npy disk/runs 0; code=$?
        cp -r disk/runs/. kept && ls -A disk/runs/*/ disk/runs/*/checkpoint && exit $code
    """
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("no unshare: a file system of its own needs it")
    (tmp_path / "kept").mkdir()
    ended = subprocess.run([unshare, "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=120)
    if ended.returncode == 77 or "unshare" in ended.stderr:
        pytest.skip(f"no file system may be mounted here: {ended.stderr.strip()}")
    assert ended.returncode == 1, ended.stderr
    assert "last.safetensors could not be written: No space left on device" in ended.stderr.splitlines()[-1]
    (path,) = (tmp_path / "kept").iterdir()
    assert not rubbish(path)
    tensors, about = files.read_tensors(path / "checkpoint/last.safetensors")
    assert about["epoch"] in (0, 1)
    assert all(t.isfinite().all() for t in tensors.values())
    assert diabolo.resume(path, tiny_pixels()).status == "finished"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_no_room_for_a_single_byte(tmp_path, monkeypatch):
    target = tmp_path / "config.json"
    files.write(target, b"old")
    opened = os.open

    def full(path, flags, *mode):
        handle = opened(path, flags, *mode)
        if flags & os.O_WRONLY:
            with open("/dev/full", "wb") as device:
                os.dup2(device.fileno(), handle)
        return handle

    monkeypatch.setattr("os.open", full)
    with pytest.raises(DiaboloError, match="No space left on device") as refused:
        files.write(target, b"new")
    assert "untouched" in str(refused.value)
    assert target.read_bytes() == b"old"
    with pytest.raises(DiaboloError) as refused:
        files.write(tmp_path / "fresh.json", b"new")
    assert "untouched" not in str(refused.value)


def test_a_folder_that_may_not_be_written_to(train, tiny_model, tiny_pixels, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DiaboloError, match="no run folder can be made"):
        train(tiny_model(), tiny_pixels(), out=tmp_path / "file")
    with pytest.raises(DiaboloError, match="no run folder can be made"):
        train(tiny_model(), tiny_pixels(), out=tmp_path / "file" / "below")
