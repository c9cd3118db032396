"""Two processes that download into one folder take turns."""

import logging
import subprocess
import sys
import threading
import time

import pytest

from diabolo.data.sources.fetching import alone_in

fcntl = pytest.importorskip("fcntl", reason="folders can only be locked on Unix")

HOLD = """
import sys, pathlib, time
from diabolo.data.sources.fetching import alone_in
with alone_in(pathlib.Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.readline()
    time.sleep(0.2)
    pathlib.Path(sys.argv[1], "whole").touch()
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the folder `root` until it is told to let go."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "root")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "in\n"
        yield process
        process.kill()


def test_the_second_waits_and_says_so(holder, tmp_path, caplog):
    caplog.set_level(logging.INFO, "diabolo.data")
    found = []

    def second():
        with alone_in(tmp_path / "root"):
            found.append((tmp_path / "root" / "whole").exists())

    thread = threading.Thread(target=second)
    thread.start()
    while "waiting for it" not in caplog.text:
        assert thread.is_alive()
        time.sleep(0.01)
    assert not found
    holder.stdin.write("\n")
    holder.stdin.flush()
    thread.join(30)
    assert found == [True]


def test_a_process_that_dies_lets_go(holder, tmp_path):
    holder.kill()
    holder.wait()
    with alone_in(tmp_path / "root"):
        assert list((tmp_path / "root").iterdir()) == []  # and no file of a lock is left


def test_a_folder_that_cannot_be_is_somebody_elses_business(tmp_path):
    (tmp_path / "file").write_text("")
    with alone_in(tmp_path / "file" / "below"):
        pass


def test_a_mistake_inside_lets_go(tmp_path):
    with pytest.raises(RuntimeError, match="inside"), alone_in(tmp_path):
        raise RuntimeError("inside")
    with alone_in(tmp_path):
        pass
