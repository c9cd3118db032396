"""Two processes with batches of B do what one does with batches of 2 B; only the first of them writes."""

import json
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

import diabolo
from diabolo.randomness import derive
from diabolo.runs import checkpoint, files
from diabolo.training.batches import shuffled

# what varies comes as one argument: the recipe, its options, those of fit, the seed of the weights
FIT = """
import sys
import numpy as np, torch
import diabolo
from diabolo.runs import files

about = eval(sys.argv[1])
torch.manual_seed(about.get("weights", 0) * RANK + 7)
x = np.load("x.npy")
model = diabolo.zoo.build(about["name"], x.shape[1:], **about["model"])
run = diabolo.fit(model, x, np.load("validation.npy"), **about["fit"])
assert run.status == "finished"
torch.save(run.model.state_dict(), f"model-of-{RANK}.pt")
"""
RANKED = "import os; RANK = int(os.environ['RANK'])\n"

MLP, CONV = {"hidden": (16,), "latent_dim": 4}, {"net": "conv", "channels": (8, 8), "latent_dim": 4, "norm": "batch"}
CASES = {
    "undercomplete": ("undercomplete", MLP, {}),
    "vae with its noise": ("vae", MLP, {"ema": 0.9}),
    "conv, batch norm": ("vae", CONV, {"clip_norm": 1.0}),
    "gaussian, optimal sigma": ("vae", MLP | {"likelihood": "gaussian"}, {"optimizer": "adamw", "weight_decay": 0.01}),
    "denoising": ("denoising", MLP, {"schedule": "one-cycle"}),
    "blocks of a size drawn per image": ("denoising", MLP | {"corruption": "occlusion", "level": "0.1..0.6"}, {}),
    "a part of the image": ("completion", MLP, {}),
}


@pytest.fixture
def two(pair, tmp_path):
    """two(about, script): run the script in both; their exit codes are 0; the run folder."""

    def run(about, script=FIT):
        children = pair(RANKED + script, about)
        codes = [child.wait() for child in children]
        assert codes == [0, 0], children[0].errors + children[1].errors
        assert children[1].said == ""
        (path,) = [path for path in (tmp_path / "two").iterdir() if not path.name.startswith(".")]
        return path

    return run


@pytest.fixture
def images(tmp_path, tiny_pixels):
    """images(n): so many to train on and 30 to validate with, kept where the scripts look."""

    def draw(n, validation=30):
        x, held = tiny_pixels(n), tiny_pixels(validation, seed=1)
        np.save(tmp_path / "x.npy", x)
        np.save(tmp_path / "validation.npy", held)
        return x, held

    return draw


def about(name, model, seed=0, **options):
    common = {"epochs": 3, "batch_size": 8, "schedule": "constant", "precision": "float32", "out": "two", "threads": 1}
    return {"name": name, "model": model, "fit": common | options, "weights": seed}


def alone(wanted, x, held, tmp_path):
    torch.manual_seed(7)
    model = diabolo.zoo.build(wanted["name"], x.shape[1:], **wanted["model"])
    changes = {"batch_size": 2 * wanted["fit"]["batch_size"], "out": tmp_path / "one", "quiet": True}
    return diabolo.fit(model, x, held, **(wanted["fit"] | changes))


def compare(path, one, rel=1e-4, atol=1e-4):
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == len(one.history)
    for ours, theirs in zip(lines, one.history, strict=True):
        assert ours["step"] == theirs["step"]
        assert ours["lr"] == theirs["lr"]
        for split in ("train", "validation"):
            assert ours[split] == pytest.approx(theirs[split], rel=rel, abs=1e-5), (split, ours["epoch"])
    ours, theirs = diabolo.load(path).state_dict(), one.model.state_dict()
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=atol, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n", [64, 90])  # 90 = 5 · 16 + 10: the last batch is smaller
def test_the_same_as_one_with_twice_the_batch(case, n, two, images, tmp_path):
    x, held = images(n)
    name, model, options = CASES[case]
    wanted = about(name, model, **options)
    path = two(wanted)
    compare(path, alone(wanted, x, held, tmp_path))
    (only,) = (tmp_path / "two").iterdir()
    assert json.loads((only / "config.json").read_text())["resolved"]["processes"] == 2
    first, second = (torch.load(tmp_path / f"model-of-{rank}.pt", weights_only=True) for rank in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("rest", [1, 2, 3])
def test_whatever_is_left_for_the_last_batch(rest, two, images, tmp_path):
    """One process and two must cut the same batches. An odd rest may lose one image, which is a small difference."""
    x, held = images(48 + rest, 30 + rest % 2)
    wanted = about("vae", CONV)
    path, one = two(wanted), alone(wanted, x, held, tmp_path)
    if rest == 2:
        compare(path, one)
    else:
        ours = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
        assert [line["step"] for line in ours] == [line["step"] for line in one.history]
        for split in ("train", "validation"):
            assert ours[-1][split]["total"] == pytest.approx(one.history[-1][split]["total"], rel=0.02)


def test_weights_drawn_differently_are_those_of_the_first(two, images, tmp_path):
    """A script that forgot to seed: the moving average, too, starts from the first process's weights."""
    x, held = images(64)
    wanted = about("undercomplete", MLP, seed=1, ema=0.99)
    compare(two(wanted), alone(wanted, x, held, tmp_path))


def test_both_end_with_the_best_weights_though_the_first_is_slow_to_write_them(two, images, tmp_path):
    images(64)
    slow = """
import time
from diabolo.runs import files

write = files.write_tensors
files.write_tensors = lambda path, *args: (time.sleep(0.5 * (path.name == "best.safetensors")), write(path, *args))
"""
    two(about("undercomplete", MLP, keep="best", epochs=2), slow + FIT)
    first, second = (torch.load(tmp_path / f"model-of-{rank}.pt", weights_only=True) for rank in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_resumed_by_two(two, images, tmp_path, left):
    images(70)
    wanted = about("vae", CONV, epochs=4)
    whole = two(wanted).rename(tmp_path / "whole")
    path = two(wanted | {"fit": wanted["fit"] | {"epochs": 2}})
    resume = "import numpy as np, diabolo; diabolo.resume({!r}, np.load('x.npy'), np.load('validation.npy'), epochs=4)"
    assert two(wanted, resume.format(str(path))) == path
    assert left(path) == left(whole)


def test_resumed_by_another_number_of_processes_is_refused(two, images):
    """The same batch size a process means another batch: what follows would not be the same training."""
    x, held = images(70)
    path = two(about("undercomplete", MLP))
    with pytest.raises(diabolo.errors.DiaboloError, match="2 processes"):
        diabolo.resume(path, x, held, epochs=5)


def test_too_few_images_for_two_are_refused_before_anything_is_made(pair, images, tmp_path):
    for n, validation in ((1, 30), (64, 1)):
        images(n, validation)
        children = pair(RANKED + FIT, about("undercomplete", MLP))
        assert [child.wait(20) for child in children] == [1, 1]
        assert "DiaboloError" in children[0].errors
        assert not (tmp_path / "two").exists()


# --- when something happens to one of them ----------------------------------------------------------------------------


@pytest.mark.parametrize("whom", [(0,), (1,), (0, 1)])
def test_ctrl_c_stops_both_after_the_same_epoch(whom, pair, images, tmp_path):
    images(64)
    slow = """
import time
from diabolo.updates.step import Step

call = Step.__call__
Step.__call__ = lambda *args: time.sleep(0.01) or call(*args)
"""
    ends = slow + FIT.replace("finished", "interrupted")
    children = pair(RANKED + ends, about("undercomplete", MLP, epochs=500))
    children[0].until("epoch   2")
    for rank in whom:
        children[rank].send(signal.SIGINT)
    assert [child.wait(15) for child in children] == [0, 0], children[0].errors + children[1].errors
    (path,) = (tmp_path / "two").iterdir()
    assert checkpoint.status(path).startswith("interrupted after ")
    assert re.search(r"go on with: .*diabolo resume", children[0].said)


@pytest.mark.parametrize("rank", [0, 1])
def test_nan_in_the_share_of_one(rank, pair, images, tmp_path):
    """Both stop, the message names the term, and the batch that is kept holds the offending image."""
    x, _ = images(64)
    offending = int(shuffled(64, 0, 0)[16 * 2 + 8 * rank + 3])  # of the third batch
    x[offending, 0, 0, 0] = 255
    np.save(tmp_path / "x.npy", x)
    poisoned = """
import diabolo.likelihoods
from diabolo.parts import part

@part
class Poisoned(diabolo.likelihoods.SquaredError):
    def loss(self, raw, x):
        bad = x[:, 0, 0, 0] == 1
        return torch.where(bad, float("nan"), super().loss(raw, x))
"""
    script = FIT.replace('about["model"])', 'about["model"], likelihood=Poisoned())')
    script = script.replace("about = ", poisoned + "\nabout = ")
    children = pair(RANKED + script, about("undercomplete", MLP))
    codes = [child.wait(20) for child in children]
    assert codes == [1, 1]
    assert "'reconstruction' became nan at step 3 of epoch 1" in children[0].errors
    (path,) = (tmp_path / "two").iterdir()
    batch, _ = files.read_tensors(path / "offending-batch.safetensors")
    assert (batch["x"] == torch.from_numpy(x[offending]) / 255).flatten(1).all(1).any()
    tensors, _ = files.read_tensors(path / checkpoint.FILE)
    assert all(t.isfinite().all() for t in tensors.values())


# --- the command line -------------------------------------------------------------------------------------------------


def test_figures_are_drawn_by_the_first_alone(pair, tmp_path):
    script = """
import diabolo.cli.train
from diabolo.pictures import run_figures
from diabolo.cli import main

run_figures.draw = lambda *args: open("drawn", "a").write(f"{RANK}")
sys.argv = ["diabolo", "train", "undercomplete", "--hidden", "8", "--epochs", "1", "--threads", "1", "--out", "two"]
main()
"""
    children = pair("import sys\n" + RANKED + script)
    assert [child.wait() for child in children] == [0, 0], children[0].errors + children[1].errors
    assert (tmp_path / "drawn").read_text() == "0"
    assert children[1].said == ""


@pytest.mark.parametrize(
    "environment",
    [{"WORLD_SIZE": 2, "RANK": 1, "LOCAL_RANK": 3, "LOCAL_WORLD_SIZE": "many"}, {"WORLD_SIZE": "two"}],
    ids=str,
)
def test_what_another_program_left_of_torchruns_variables_changes_nothing(environment, diabolo_cli, tmp_path):
    """As some schedulers leave it: the process trains alone, draws its figures, and says so."""
    words = ["train", "undercomplete", "--hidden", 8, "--epochs", 1, "--n-train", 200, "--out", tmp_path / "runs"]
    running = diabolo_cli(*words, **environment)
    assert running.wait(60) == 0, running.errors
    (path,) = (tmp_path / "runs").iterdir()
    assert (path / "figures").is_dir()
    assert "is set, but not by torchrun" in running.said
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    assert config["resolved"]["processes"] == 1


def test_where_the_others_are_lost_each_process_ends_in_one_sentence(pair, tmp_path):
    """One is killed, as by a machine without memory; the other says that, and no traceback."""
    script = """
import os, signal
from diabolo.cli import main
from diabolo.training import loop

whole = loop.Loop._epoch
def epoch(self, number, state):
    if number == 1 and RANK == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(self, number, state)
loop.Loop._epoch = epoch
sys.argv = ["diabolo", "train", "undercomplete", "--hidden", "8", "--epochs", "3", "--threads", "1", "--out", "two", "--quiet"]
main()
"""
    children = pair("import sys\n" + RANKED + script)
    assert [child.wait(60) for child in children] == [1, -9]
    (said,) = children[0].errors.strip().splitlines()
    assert said.startswith("diabolo: process 0 of 2 ends, because another one has ended")


FULL = """
import os, sys
from diabolo import disk
from diabolo.cli import main
from diabolo.runs import lock

put, written = disk._put, 0
def full(handle, content):  # the disk of one process fills up, after so many files
    global written
    written += "/two/" in os.readlink(f"/proc/self/fd/{handle}")
    if RANK == WHOSE and written > AFTER:
        raise OSError(28, os.strerror(28))
    put(handle, content)
disk._put = full
sys.argv = ["diabolo", "train", "undercomplete", "--hidden", "8", "--epochs", "3", "--threads", "1", "--out", "two",
            "--validation", "0.2", "--keep", "best", "--n-train", "60", "--batch-size", "15", "--quiet", "--no-figures"]
main()
"""


@pytest.mark.parametrize(
    "after", [0, 3, 5, 13]
)  # files: in config.json, in metrics.jsonl, in the best weights, in those kept
def test_a_disk_that_is_full_for_the_first_ends_all_in_its_sentence(after, pair, tmp_path):
    children = pair(f"WHOSE, AFTER = 0, {after}\n" + RANKED + FULL)
    codes = [child.wait(60) for child in children]
    said = [child.errors.strip().splitlines() for child in children]
    assert codes == [1, 1], said
    assert said[0] == said[1]
    assert len(said[0]) == 1
    assert said[0][0].startswith("diabolo: ")
    assert "No space left on device" in said[0][0]
    assert not [path for path in (tmp_path / "two").rglob(".*") if path.name != ".lock"]


def test_the_others_need_no_disk(pair, tmp_path):
    children = pair("WHOSE, AFTER = 1, 0\n" + RANKED + FULL)
    assert [child.wait(60) for child in children] == [0, 0], [child.errors for child in children]
    (path,) = (tmp_path / "two").glob("0*")
    assert checkpoint.has_ended(path)


def test_validation_counts_every_image_once(pair, start, tmp_path, tiny_pixels):
    """Whatever the number of processes: here 53 images, by batches of 8 in each of two."""
    script = """
import torch, diabolo
from diabolo import zoo
import numpy as np
x = np.load("x.npy")
torch.manual_seed(0)
model = zoo.vae((1, 8, 8), latent_dim=3, hidden=(16,), free_bits=0.1)
size = 16 // WORLD
options = dict(epochs=1, batch_size=size, lr=1e-30, threads=1, out=f"by{WORLD}", precision="float32")
diabolo.fit(model, x[:65], x[65:], **options)
"""
    np.save(tmp_path / "x.npy", tiny_pixels(65 + 53))
    children = pair(RANKED + "WORLD = 2\n" + script)
    assert [child.wait(60) for child in children] == [0, 0], children[0].errors + children[1].errors
    alone = start("WORLD = 1\n" + script)
    assert alone.wait(60) == 0, alone.errors
    assert "1 of 65 images are left out of each epoch" in children[0].said
    assert "left out" not in alone.said
    two, one = (json.loads(next(tmp_path.glob(f"by{n}/*/metrics.jsonl")).read_text()) for n in (2, 1))
    for term, value in one["validation"].items():
        assert two["validation"][term] == pytest.approx(value, rel=1e-5), term


def test_torchrun_and_the_command_line(tmp_path, diabolo_cli):
    """With the real thing: `torchrun --nproc-per-node 2 -m diabolo train …`."""
    words = ["train", "vae", "--hidden", "16", "--latent-dim", "4", "--epochs", "2", "--precision", "float32"]
    words += ["--no-figures", "--threads", "1", "--seed", "5", "--n-train", "1024"]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "diabolo"]
    running = subprocess.Popen(
        [*torchrun, *words, "--batch-size", "32", "--out", str(tmp_path / "two")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    one = diabolo_cli(*words, "--batch-size", 64, "--out", tmp_path / "one")
    assert one.wait() == 0, one.errors
    said, errors = running.communicate(timeout=120)
    assert running.returncode == 0, errors
    assert len(re.findall(r"^epoch   1", said, re.M)) == 1
    (path,), (other,) = (tmp_path / "two").iterdir(), (tmp_path / "one").iterdir()
    compare(path, diabolo.runs.loading.load_run(other))
    assert derive(5, "weights") != derive(0, "weights")
