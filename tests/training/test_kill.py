"""Killed with SIGKILL at any moment, a run goes on from its last finished epoch and ends with the same bits."""

import random
import signal
import subprocess
import sys
import time

import pytest

import diabolo
import quick
from diabolo.errors import DiaboloError

# a training on real handwriting; what varies comes as arguments: recipe, its options, the options of fit
DIGITS = """
import sys
import torch
import diabolo

name, model, training = sys.argv[1], eval(sys.argv[2]), {"threads": 1} | eval(sys.argv[3])
images, test = diabolo.data.load("digits")
torch.manual_seed(0)
diabolo.fit(diabolo.zoo.build(name, images.shape, latent_dim=4, **model), images, test, **training)
"""

SLOW = """
import time
from diabolo.updates.step import Step

call = Step.__call__
Step.__call__ = lambda *args: time.sleep(0.002) or call(*args)  # an epoch takes 50 ms at least
"""

RESUME = "import sys, diabolo; diabolo.resume(sys.argv[1])"

MLP, CONV = {"hidden": (32,)}, {"net": "conv", "channels": (8, 8), "norm": "batch"}
CASES = {
    "vae noise": ("vae", MLP, {}),
    "noise of the input, adamw, clipped": (
        "denoising", MLP | {"corruption": "masking"}, {"optimizer": "adamw", "weight_decay": 0.01, "clip_norm": 0.05},
    ),
    "conv, batch norm": ("vae", CONV, {}),
    "conv, bf16, ema": ("undercomplete", CONV, {"precision": "bf16", "ema": 0.9}),
    "bf16, one-cycle": ("vae", MLP, {"precision": "bf16", "schedule": "one-cycle", "lr": 3e-3}),
    "float16": ("undercomplete", MLP, {"precision": "float16"}),
    "a schedule of beta, cosine": ("vae", MLP | {"beta": "cyclical(0, 4, 3)"}, {"schedule": "cosine"}),
    "optimal sigma, images on disk": ("vae", MLP | {"likelihood": "gaussian"}, {"store": "host", "ema": 0.5}),
    "early stopping, best kept": (
        "vae", MLP, {"epochs": 40, "early_stopping": 3, "min_delta": 0.3, "lr": 0.03, "keep": "best"},
    ),
    "a checkpoint every third epoch": ("vae", MLP, {"checkpoint_every": 3}),
}  # fmt: skip


@pytest.mark.parametrize("case", quick.only(CASES, "vae noise", "float16", "early stopping, best kept"))
def test_killed_at_a_random_moment_it_ends_with_the_same_bits(case, start, tmp_path, left):
    name, model, training = CASES[case]
    training = {"epochs": 10, "batch_size": 64, "lr": 1e-3, "precision": "float32", "seed": 3} | training
    whole = start(DIGITS, name, model, training | {"out": str(tmp_path / "whole")})
    assert whole.wait() == 0, whole.errors
    (undisturbed,) = (tmp_path / "whole").iterdir()

    delay = random.Random(case)
    running = start(SLOW + DIGITS, name, model, training | {"out": str(tmp_path / "broken")})
    for _ in range(2):  # killed, resumed, killed again
        running.until("epoch   ")
        time.sleep(delay.uniform(0, 0.15))
        running.kill()
        assert running.code == -signal.SIGKILL, running.errors
        (path,) = (tmp_path / "broken").iterdir()
        assert not (path / "model.safetensors").exists()
        running = start(SLOW + RESUME, path)
    assert running.wait() == 0, running.errors
    assert left(path) == left(undisturbed)


# kills itself at the n-th place where a file is half written, not yet on disk, or not yet in its place
CRASHING = (
    """
import os, signal, sys, tempfile

passed = 0

def place():
    global passed
    passed += 1
    if passed == int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)

def around(module, name):
    function = getattr(module, name)
    def wrapped(*args, **kwargs):
        place()
        result = function(*args, **kwargs)
        place()
        return result
    setattr(module, name, wrapped)

class Half:
    def __init__(self, file):
        self.file = file
    def __getattr__(self, name):
        return getattr(self.file, name)
    def __enter__(self):
        return self
    def __exit__(self, *args):
        self.file.close()
    def write(self, content):
        self.file.write(content[:len(content) // 2])
        self.file.flush()
        place()
        return self.file.write(content[len(content) // 2:])

opened = os.fdopen
os.fdopen = lambda handle, mode="r", *args, **kwargs: (
    Half(opened(handle, mode, *args, **kwargs)) if mode == "wb" else opened(handle, mode, *args, **kwargs)
)
around(os, "fsync")
around(os, "replace")
"""
    + DIGITS
)


def test_killed_at_every_place_where_a_file_is_written(start, tmp_path, left):
    """Whatever half of whatever file was on disk, `resume` ends with the same bits, or says that nothing was begun."""
    model = ("vae", MLP)
    training = {"epochs": 2, "batch_size": 256, "quiet": True, "precision": "float32"}
    whole = start(DIGITS, *model, training | {"out": str(tmp_path / "whole")})
    assert whole.wait() == 0, whole.errors
    (undisturbed,) = (tmp_path / "whole").iterdir()

    wrong, resumed, place, codes = [], 0, 0, []
    while 0 not in codes:
        batch = range(place + 1, place + 5)  # a few at once
        children = [start(CRASHING, *model, training | {"out": str(tmp_path / f"{n}")}, n) for n in batch]
        codes = [child.wait() for child in children]
        assert set(codes) <= {0, -signal.SIGKILL}, children[-1].errors
        for place, code in zip(batch, codes, strict=True):
            paths = [path for path in (tmp_path / f"{place}").iterdir() if not path.name.startswith(".")]
            if code == 0 or not paths:
                continue
            try:
                path = diabolo.resume(paths[0]).path
                resumed += 1
            except DiaboloError as error:
                begun = list(paths[0].glob("checkpoint/*.safetensors"))
                try:  # finished and whole: well
                    if begun and "finished" in str(error) and left(paths[0]) == left(undisturbed):
                        continue
                except OSError:
                    pass
                if begun:
                    wrong.append(f"place {place}: {error}")
                continue
            if left(path) != left(undisturbed):
                wrong.append(f"place {place}: other bits")
            if rubbish := [file.name for file in path.rglob(".*")]:
                wrong.append(f"place {place}: {rubbish} left behind")
    assert not wrong, "\n".join(wrong)
    assert resumed > 10


def test_killed_while_further_epochs_are_kept_it_does_not_pass_old_weights_off_as_new(
    train, tiny_model, tiny_pixels, left
):
    """The moment between the last checkpoint and model.safetensors: the old model.safetensors is still there."""
    x = tiny_pixels()
    longer = train(tiny_model("vae"), x, epochs=4)
    run = train(tiny_model("vae"), x, epochs=2)
    before = (run.path / "model.safetensors").read_bytes()
    diabolo.resume(run.path, x, epochs=4)
    (run.path / "model.safetensors").write_bytes(before)
    diabolo.resume(run.path, x)
    assert left(run.path) == left(longer.path)


def test_killed_before_the_weights_were_kept_it_can_still_be_finished(train, tiny_model, tiny_pixels, left):
    x = tiny_pixels()
    run = train(tiny_model("vae"), x)
    kept = left(run.path)
    (run.path / "model.safetensors").unlink()
    diabolo.resume(run.path, x)
    assert left(run.path) == kept


def test_the_command_line_killed_and_resumed(diabolo_cli, tmp_path, left):
    """With the real thing: `python -m diabolo train`, SIGKILL, `python -m diabolo resume`."""
    words = [sys.executable, "-m", "diabolo"]
    options = [
        "vae",
        "--hidden",
        "32",
        "--latent-dim",
        "4",
        "--epochs",
        "60",
        "--threads",
        "1",
        "--no-figures",
        "--out",
    ]
    running = subprocess.Popen([*words, "train", *options, str(tmp_path / "broken")], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("epoch   3"):
            break
    running.kill()
    running.stdout.close()
    assert running.wait() == -signal.SIGKILL
    (broken,) = (tmp_path / "broken").iterdir()
    assert not (broken / "model.safetensors").exists()
    ended = subprocess.run([*words, "resume", str(broken), "--no-figures"], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "epoch  60" in ended.stdout
    assert "epoch   1 " not in ended.stdout
    whole = diabolo_cli("train", *options, tmp_path / "whole")
    assert whole.wait() == 0, whole.errors
    (undisturbed,) = (tmp_path / "whole").iterdir()
    assert left(broken) == left(undisturbed)
