"""Several workers on one sweep, one of which is killed in the middle of a training: every trial ends once, to the bit."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import optuna
import pytest

import diabolo
from diabolo.data.origin import hold_out
from diabolo.runs import checkpoint
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder
from diabolo.sweeping import Sweep
from diabolo.sweeping.lines import train_line
from diabolo.sweeping.record import folder_of

WORKER = """
import sys, time
from diabolo.cli import main
from diabolo.updates.step import Step

call, pause = Step.__call__, float(sys.argv.pop(1))
Step.__call__ = lambda *args: time.sleep(pause) or call(*args)  # so that a training lasts long enough to be met in it
main()
"""
SWEEP = (
    "sweep", "vae", "--data", "digits", "--n-train", "150", "--hidden", "8", "--batch-size", "32", "--threads", "1",
    "--no-compile", "--search", "beta=log:1e-4..10", "latent_dim=2,4", "lr=log:1e-4..1e-2", "--minimise", "validation/total",
)  # fmt: skip


def saved(run: Path) -> int:
    """How many epochs the checkpoint of a run is of."""
    return int(re.search(r"after (\d+) epoch", checkpoint.status(run))[1])


def in_the_midst(folder: Path, pid: int) -> int:
    """The number of the trial that the process `pid` trains, once an epoch of it is saved."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for lock in folder.glob("trials/*/.lock"):
            try:
                owner = json.loads(lock.read_text()).get("owner", "")
            except (OSError, ValueError):
                continue
            begun = [run for run in lock.parent.glob("0001-*") if saved(run) == 1]
            if owner.split("-")[1:2] == [str(pid)] and begun:
                return int(lock.parent.name)
        time.sleep(0.002)
    raise AssertionError(f"process {pid} is in the midst of no trial")


def told(folder: Path) -> dict[int, list[int]]:
    """The states that were told of each trial, as they stand in the journal: read without Optuna."""
    found: dict[int, list[int]] = {}
    created = 0
    for line in map(json.loads, (folder / "journal.log").read_text().splitlines()):
        created += line["op_code"] == 4  # CREATE_TRIAL
        if line["op_code"] == 6 and line["state"] in (1, 2, 3):  # SET_TRIAL_STATE_VALUES: complete, pruned, failed
            found.setdefault(line["trial_id"], []).append(line["state"])
    assert created == len(found)
    return found


def killed_in_the_middle(start, tmp_path, trials, pause, *more):
    """A sweep by two workers, of which the first is killed in the midst of a trial; and what the second says."""
    words = (pause, *SWEEP, "--trials", trials, *more)
    first = start(WORKER, *words)
    second = start(WORKER, *words)
    number = in_the_midst(tmp_path / "sweep", first.pid)
    first.kill()
    left_there = next(folder_of(tmp_path / "sweep", number).glob("0001-*"))
    before = RunFolder(left_there).history[: saved(left_there)]
    assert before
    assert second.wait(600) == 0, second.errors
    assert f"trial {number} goes on here, since its worker has died" in second.said
    found = Sweep.read(tmp_path / "sweep")
    assert [trial.number for trial in found.trials] == list(range(trials))
    for trial in found.trials:
        assert len(found.runs(trial)) == found.definition.seeds or trial.state == "pruned"
    again = RunFolder(found.runs(found.trials[number])[0]).history
    assert again[: len(before)] == before  # it was gone on with, and not begun anew: even its clock is that of before
    return found, second.said


def trained_by_its_line(found, trial, tmp_path, start, left):
    """Whether the line of a trial trains it again, to the bit."""
    run = found.runs(trial)[0]
    words = [*shlex.split(train_line(Config.read(run)))[1:], "--no-figures", "--quiet", "--out", "again"]
    shutil.rmtree(tmp_path / "again", ignore_errors=True)
    again = start("from diabolo.cli import main; main()", *words)
    assert again.wait(300) == 0, again.errors
    (made,) = (tmp_path / "again").iterdir()
    return left(made) == left(run)


def test_two_workers_one_killed_and_no_trial_is_lost_or_twice(start, tmp_path, left):
    found, said = killed_in_the_middle(start, tmp_path, 4, 0.03, "--epochs", "3")
    assert {number: len(states) for number, states in told(found.path).items()} == dict.fromkeys(range(4), 1)
    assert train_line(Config.read(found.runs(found.best)[0])) in said
    assert trained_by_its_line(found, found.best, tmp_path, start, left)


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["journal", "sqlite"])
def test_twenty_trials_by_two_workers_one_killed(storage, start, tmp_path, left):
    more = [] if storage == "journal" else ["--storage", f"sqlite:///{tmp_path}/s.db"]
    found, said = killed_in_the_middle(start, tmp_path, 20, 0.01, "--epochs", "6", *more)
    if storage == "journal":
        assert {number: len(states) for number, states in told(found.path).items()} == dict.fromkeys(range(20), 1)
    assert train_line(Config.read(found.runs(found.best)[0])) in said
    for trial in found.complete:
        assert trained_by_its_line(found, trial, tmp_path, start, left)


@pytest.mark.slow
def test_killed_over_and_over_twenty_trials_of_two_seeds_come_out(start, tmp_path, left):
    words = (0.005, *SWEEP, "--trials", 20, "--epochs", "4", "--seeds", "2")
    for round in range(12):
        worker = start(WORKER, *words)
        end = time.monotonic() + 3 + 0.37 * round
        while time.monotonic() < end and worker.poll() is None:
            time.sleep(0.01)
        worker.kill()
    last = start(WORKER, *words)
    assert last.wait(600) == 0, last.errors
    found = Sweep.read(tmp_path / "sweep")
    assert [trial.number for trial in found.trials] == list(range(20))
    assert {number: len(states) for number, states in told(found.path).items()} == dict.fromkeys(range(20), 1)
    assert all(len(found.runs(trial)) == 2 for trial in found.complete)
    assert all(trained_by_its_line(found, trial, tmp_path, start, left) for trial in found.complete)


def test_a_second_worker_waits_for_the_last_trial_and_takes_none_twice(start, tmp_path):
    words = (0.03, *SWEEP, "--trials", "1", "--epochs", "4")
    first = start(WORKER, *words)
    in_the_midst(tmp_path / "sweep", first.pid)
    first.send(signal.SIGSTOP)  # it holds its trial, however long the second takes to start
    second = start(WORKER, *words)
    second.until("the last trials are trained by other workers")
    first.send(signal.SIGCONT)
    assert first.wait() == second.wait() == 0, first.errors + second.errors
    assert "trial 0: " in first.said
    assert "trial 0: " not in second.said
    assert "best: trial 0" in second.said


def test_processes_of_torchrun_train_each_trial_together(pair, tmp_path):
    script = """
import diabolo
from diabolo.data.origin import hold_out
images = hold_out(diabolo.data.load("digits", n_train=150)[0], 0.2)
found = diabolo.sweep("vae", *images, search={"lr": "log:1e-4..1e-2", "hidden": [(8,), (16, 8)]}, minimise="validation/total",
    trials=2, latent_dim=2, epochs=2, batch_size=16, threads=1, device="cpu", out="sweep")
print(found.counted)
"""
    first, second = pair(script)
    assert first.wait() == second.wait() == 0, first.errors + second.errors
    assert "2 trials: 2 complete" in first.said
    assert "trial 1: " in first.said
    assert "trial 1: " not in second.said
    found = Sweep.read(tmp_path / "sweep")
    config = Config.read(found.runs(found.best)[0])
    assert config.resolved["processes"] == 2
    assert train_line(config).startswith("torchrun --nproc-per-node 2 -m diabolo train vae ")


@pytest.fixture(scope="module")
def postgresql():
    """The address of a PostgreSQL that lives for these tests."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not homes:
        pytest.skip("there is no PostgreSQL here (Debian: apt-get install postgresql)")
    root = os.geteuid() == 0  # as which it refuses to run, and of whose temporary folders other users see nothing
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if root else []
    data = Path(tempfile.mkdtemp(prefix="diabolo-postgresql-"))
    if root:
        shutil.chown(data, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(*words):
        done = subprocess.run([*user, *map(str, words)], capture_output=True, text=True, cwd=data, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    run(homes[-1] / "initdb", "-D", data / "db", "-U", "diabolo", "-A", "trust")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data}"
    run(homes[-1] / "pg_ctl", "-D", data / "db", "-l", data / "log", "-o", options, "-w", "start")
    yield f"postgresql+psycopg://diabolo@127.0.0.1:{port}/postgres"
    run(homes[-1] / "pg_ctl", "-D", data / "db", "-m", "immediate", "stop")
    shutil.rmtree(data)


@pytest.mark.slow
def test_twenty_trials_in_a_real_postgresql(postgresql, start, tmp_path, left):
    found, said = killed_in_the_middle(start, tmp_path, 20, 0.01, "--epochs", "6", "--storage", postgresql)
    study = optuna.load_study(study_name=found.about["study"], storage=postgresql)
    states = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "PRUNED"}
    assert [trial.state.name for trial in study.trials] == [states[trial.state] for trial in found.trials]
    for there, ours in zip(study.trials, found.trials, strict=True):
        if ours.values:
            assert there.value == ours.mean("validation/total")
        assert there.params == {**ours.options, "latent_dim": str(ours.options["latent_dim"])}
    assert train_line(Config.read(found.runs(found.best)[0])) in said
    assert trained_by_its_line(found, found.best, tmp_path, start, left)
    images = hold_out(diabolo.data.load("digits", n_train=150)[0], 0.1)
    with pytest.raises(diabolo.DiaboloError, match=r"holds another sweep|is kept in"):
        diabolo.sweep(
            "vae", *images, search={"lr": "log:1e-4..1e-2"}, minimise="validation/total", out=tmp_path / "sweep"
        )
