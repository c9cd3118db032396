"""One process at a time writes into a run folder; what the dead leave is swept, what the living write is not."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from diabolo import disk, owners
from diabolo.errors import DiaboloError, InUseError
from diabolo.runs import folder, lock
from diabolo.runs.folder import create

SLOW = """
import sys, time
from diabolo.cli import main
from diabolo.updates.step import Step

call = Step.__call__
Step.__call__ = lambda *args: time.sleep(0.02) or call(*args)
main()
"""
TRAIN = ("train", "vae", "--hidden", 8, "--latent-dim", 2, "--n-train", 60, "--n-test", 20, "--batch-size", 20,
         "--threads", 1, "--no-figures", "--no-compile", "--epochs", 4000)  # fmt: skip
HOLD = """
import sys, time
from pathlib import Path
from diabolo.runs import lock

with lock.held(Path(sys.argv[1]), "resume"):
    print("held", flush=True)
    time.sleep(300)
"""


@pytest.fixture
def run_folder(tmp_path):
    path = tmp_path / "runs" / "0001-x"
    path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    return path


def dead_owner():
    """An owner whose process has ended."""
    child = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    return owners.Owner(owners.me().machine, int(child.stdout), 1)


# --- one writer -------------------------------------------------------------------------------------------------------


def test_a_live_run_is_neither_resumed_nor_reported_nor_swept(start, diabolo_cli, tmp_path):
    live = start(SLOW, *TRAIN, "--out", tmp_path / "runs")
    live.until("epoch   1")
    (path,) = (tmp_path / "runs").glob("0*")
    for words in (("resume", path), ("resume", path, "--epochs", 9000), ("report", path, "--no-notebook"),
                  ("evaluate", path)):  # fmt: skip
        second = diabolo_cli(*words)
        assert second.wait() == 1, second.errors
        assert second.errors.startswith(f"diabolo: {path} is being written by process {live.pid} (train, since 20")
        assert second.errors.count("\n") == 1
    told = diabolo_cli("info", path)
    assert told.wait() == 0, told.errors
    assert f"being written by process {live.pid} (train" in told.said
    assert "diabolo resume" not in told.said
    assert live.poll() is None
    live.kill()
    done = len((path / "metrics.jsonl").read_text().splitlines())
    resumed = diabolo_cli("resume", path, "--epochs", done, "--no-figures")
    assert resumed.wait() == 0, resumed.errors  # the lock has died with its process
    assert not list((tmp_path / "runs").rglob(".*"))


def test_an_evaluation_elsewhere_needs_no_lock(start, run_folder, tmp_path):
    holder = start(HOLD, run_folder)
    holder.until("held")
    told = rf"0001-x is being written by process {holder.pid} \(resume, since"
    with pytest.raises(InUseError, match=told), lock.held(run_folder, "evaluate"):
        pass
    with lock.writing(tmp_path / "elsewhere" / "scores.json", "evaluate"):
        pass
    with pytest.raises(InUseError), lock.writing(run_folder / "figures" / "map.png", "explore"):
        pass
    assert f"process {holder.pid}" in str(lock.holder(run_folder))
    holder.kill()
    assert lock.holder(run_folder) is None
    with lock.held(run_folder, "evaluate"):
        assert lock.holder(run_folder) is not None
    assert not (run_folder / lock.NAME).exists()


def test_within_a_thread_it_can_be_taken_again_but_not_by_another(run_folder):
    said = []

    def other():
        try:
            with lock.held(run_folder, "resume"):
                said.append("held")
        except InUseError as error:
            said.append(str(error))

    with lock.held(run_folder, "report"):
        with lock.held(run_folder, "report"):
            pass
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert lock.holder(run_folder) is not None
    assert len(said) == 1
    assert "another thread of this process (report" in said[0]
    other()
    assert said[1] == "held"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_does_not_keep_the_lock_alive(start, run_folder):
    script = HOLD.replace('print("held"', 'child = os.fork()\n    print("held" if child else ""').replace(
        "import sys", "import os, sys"
    )
    holder = start(script.replace("time.sleep(300)", "time.sleep(30)"), run_folder)
    holder.until("held")
    holder.kill()
    with lock.held(run_folder, "resume"):
        pass


def test_where_there_are_no_locks_what_is_written_decides(run_folder, monkeypatch):
    def unknown(handle):
        raise OSError(lock.UNKNOWN[0], "no locks here")

    monkeypatch.setattr(lock, "_system_lock", unknown)
    with lock.held(run_folder, "train"):
        pass
    file = run_folder / lock.NAME
    file.write_text(f'{{"owner": "{dead_owner()}", "verb": "train"}}')
    with lock.held(run_folder, "train"):
        pass
    file.write_text(f'{{"owner": "{owners.me().machine}-{os.getppid()}-0", "verb": "train"}}')
    with pytest.raises(InUseError, match=f"process {os.getppid()}"), lock.held(run_folder, "train"):
        pass
    file.write_text('{"owner": "00000000-1-1", "verb": "train", "host": "elsewhere"}')
    with pytest.raises(InUseError, match="process 1 on elsewhere"), lock.held(run_folder, "train"):
        pass


def test_a_folder_that_cannot_be_written_to_is_named(run_folder, monkeypatch):
    opened = os.open

    def full(path, flags, *mode, **more):
        if str(path).endswith(lock.NAME):
            raise OSError(28, "No space left on device", path)
        return opened(path, flags, *mode, **more)

    monkeypatch.setattr(os, "open", full)
    with (
        pytest.raises(DiaboloError, match="0001-x could not be written to: No space") as refused,
        lock.held(run_folder, ""),
    ):
        pass
    assert refused.value.exit_code == 1


# --- leftovers --------------------------------------------------------------------------------------------------------


def test_a_process_is_known_by_its_number_and_its_start():
    me = owners.me()
    assert not me.is_dead()
    assert owners.Owner.parse(str(me)) == me
    assert dead_owner().is_dead()
    if me.start:  # another process has its number now
        assert owners.Owner(me.machine, me.pid, me.start - 1).is_dead()
    assert not owners.Owner("00000000", me.pid, me.start).is_dead()
    for text in ("", "x", "12-3", f"{me}-4", "../../etc-1-2"):
        assert owners.Owner.parse(text) is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_process_that_was_killed_and_not_yet_waited_for_is_dead(farm, start):
    child = start("import time; time.sleep(60)")
    owner = owners.Owner(owners.me().machine, child.pid, 0)
    assert not owner.is_dead()
    os.kill(child.pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while not owner.is_dead() and time.monotonic() < end:
        time.sleep(0.01)
    assert owner.is_dead()


def leftovers(folder, owner):
    """A half-written file, and a half-made folder, of `owner`."""
    file, half = (folder / f".{name}.{owner}-0123abcd.tmp" for name in ("model.safetensors", "new"))
    file.write_bytes(b"half")
    (half / "checkpoint").mkdir(parents=True)
    (half / "checkpoint" / "last.safetensors").write_bytes(b"half")
    return file, half


def aged(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_leftovers_of_the_dead_are_swept_those_of_the_living_never(tmp_path):
    mine = [".gitignore", ".hidden", ".model.safetensors.tmp", ".0001-x", "0001-x"]
    for name in mine:
        (tmp_path / name).write_text("of the user")
    dead = leftovers(tmp_path, dead_owner())
    live = leftovers(tmp_path, owners.me())
    foreign = leftovers(tmp_path, "00000000-7-7")
    disk.sweep(tmp_path)
    assert not any(path.exists() for path in dead)
    assert all(path.exists() for path in (*live, *foreign, *(tmp_path / name for name in mine)))
    disk.sweep(tmp_path, alone=True)  # where the lock is ours, those of other machines are dead too
    assert not any(path.exists() for path in foreign)
    assert all(path.exists() for path in live)
    late = leftovers(tmp_path, "00000000-8-8")
    for path in late:
        aged(path, 2 * disk.DAY)
    disk.sweep(tmp_path)
    assert not any(path.exists() for path in late)


def test_leftovers_of_the_version_before_are_swept(tmp_path, run_folder):
    claim = tmp_path / "runs" / ".0002"
    (claim / "checkpoint").mkdir(parents=True)
    disk.sweep(tmp_path / "runs")
    assert claim.exists()  # it may be a live process that is claiming its number
    aged(claim, 120)
    files = [run_folder / ".config.json.abc_1x2y", run_folder / f".curves.png.{'0' * 32}.tmp"]
    for file in files:
        file.write_text("half")
    folder.create(tmp_path / "runs", "new")
    assert not claim.exists()
    with lock.held(run_folder, "resume"):
        assert not any(file.exists() for file in files)


@pytest.mark.parametrize("place", ["", "figures", "checkpoint", "evaluation", "prior", "measured/probes"])
def test_whoever_takes_the_lock_sweeps_all_of_the_run_but_not_the_runs_within(place, run_folder):
    (run_folder / place).mkdir(parents=True, exist_ok=True)
    swept = leftovers(run_folder / place, "00000000-7-7")
    within = run_folder / "prior" / "0001-prior"
    within.mkdir(parents=True)
    (within / "config.json").write_text("{}")
    kept = leftovers(within, "00000000-7-7")
    with lock.held(run_folder, "evaluate"):
        pass
    assert not any(path.exists() for path in swept)
    assert all(path.exists() for path in kept)
    (within / lock.NAME).write_text("")  # its process was killed
    with lock.held(run_folder, "evaluate"):
        pass
    assert not any(path.exists() for path in (*kept, within / lock.NAME))


def test_a_run_is_not_seen_before_it_is_whole(tmp_path):
    out = tmp_path / "runs"

    def fill(folder):
        assert not list(out.glob("[0-9]*"))
        (folder / "config.json").write_text("{}")
        raise DiaboloError("refused")

    with pytest.raises(DiaboloError, match="refused"):
        folder.create(out, "x", fill)
    assert list(out.iterdir()) == []
    assert folder.create(out, "x").name == "0001-x"


def test_numbers_are_numbers_not_words(tmp_path):
    for name in ("9999-a", "10000-b", "0002-c", "notes", "12-short"):
        (tmp_path / name).mkdir()
    assert [path.name for path in folder.numbered(tmp_path)] == ["0002-c", "9999-a", "10000-b"]
    assert folder.numbered(tmp_path / "nowhere") == []
    assert create(tmp_path, "d").name == "10001-d"
