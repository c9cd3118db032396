"""What is said while training runs: a bar on a terminal, lines elsewhere, nothing when quiet. Ctrl-C: the first lets the
epoch end and be saved and says how to go on, the second stops at once.
"""

import io
import json
import logging
import re
import signal
import threading
import time

import pytest
from rich.console import Console

from diabolo import distributed
from diabolo.runs import checkpoint
from diabolo.training import fit as fit_module
from diabolo.training.progress import Bar, Interrupt, Lines, Silence, as_text, reporter

LINE = {
    "epoch": 3,
    "train": {"total": 101.5, "reconstruction": 90.25, "kl": 11.25},
    "validation": {"total": 99.0, "reconstruction": 90.0, "kl": 9.0},
    "images_per_second": 123456.7,
}


def screen(terminal):
    return Console(file=io.StringIO(), force_terminal=terminal, width=160, color_system=None, markup=False, emoji=False)


@pytest.fixture
def seen(monkeypatch, train):
    """seen(terminal, …): what a training prints there."""

    def run(terminal, model, images, validation=None, **options):
        console = screen(terminal)
        monkeypatch.setattr(fit_module, "reporter", lambda quiet, words: (Bar if terminal else Lines)(console, words))
        train(model, images, validation, quiet=False, **options)
        return console.file.getvalue()

    return run


def test_a_line_has_every_term_and_the_speed():
    text = as_text(LINE)
    assert "\n" not in text
    assert text.startswith("epoch   3  train total 101.5 reconstruction 90.25 kl 11.25  validation total 99 ")
    assert text.endswith("123,457 images/s")
    assert "validation" not in as_text(LINE | {"validation": None})


def test_a_line_of_a_terminal_fits_and_has_what_there_is_room_for():
    assert as_text(LINE, 200).count("(") == 1
    assert "reconstruction" in as_text(LINE, 200)
    for width in (60, 80, 100):
        for more in (
            {},
            {"perplexity": 123.456, "used_codes": 77.0},
            {f"a long name of a term {i}": 1.0 for i in range(9)},
        ):
            text = as_text(LINE | {"validation": LINE["validation"] | more}, width)
            assert len(text) <= width, text
            assert text.endswith("123,457 images/s")
    assert "(kl " in as_text(LINE, 80)
    assert "(" not in as_text(LINE | {"validation": None, "train": {"total": 1.0, "reconstruction": 1.0}}, 80)


def test_elsewhere_than_on_a_terminal_there_is_one_line_an_epoch(seen, tiny_model, tiny_pixels):
    said = seen(False, tiny_model("vae"), tiny_pixels(), tiny_pixels(20), epochs=3)
    lines = said.splitlines()
    epochs = [line for line in lines if line.startswith("epoch")]
    assert [line[:9] for line in epochs] == ["epoch   1", "epoch   2", "epoch   3"]
    for line in epochs:
        assert re.search(r"train \S+  validation \S+ \(.*kl \S+\)  [\d,]+ images/s$", line)
    assert re.search(r"0001-vae-array: vae with [\d,]+ parameters on Images", lines[0])
    assert re.search(r"cpu, \d+ CPU threads?, float32; images all on cpu as uint8", lines[1])
    assert lines[-1].startswith("finished: ")
    assert "\x1b" not in said


def test_on_a_terminal_there_is_a_bar(seen, tiny_model, tiny_pixels, monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr("diabolo.training.progress.time.perf_counter", lambda: next(clock))  # a second a call
    said = seen(True, tiny_model("vae"), tiny_pixels(), epochs=3)
    assert "\x1b[" in said
    assert "━" in said
    assert re.search(r"epoch \d/3", said)
    assert re.search(r"\d+/15", said)  # steps
    assert re.search(r"[\d,]+ images/s", said)
    assert re.search(r"total \S+ reconstruction \S+ kl \S+", said)
    assert re.search(r"\d:\d\d:\d\d", said)  # time left
    assert len(re.findall(r"epoch   \d  train \d", said)) == 3
    assert "finished: " in said.rstrip().splitlines()[-1]


def test_the_bar_of_a_resumed_run_starts_where_it_was():
    bar = Bar(screen(True))
    bar.begin(10, 4, 25)
    try:
        assert (bar.bar.tasks[0].completed, bar.bar.tasks[0].total) == (100, 250)
        bar.epoch(LINE | {"epoch": 5})
        assert bar.bar.tasks[0].completed == 125
    finally:
        bar.end()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_pca_is_reported_too(terminal, seen, tiny_model, tiny_pixels):
    said = seen(terminal, tiny_model("pca"), tiny_pixels())
    assert re.search(r"epoch   1  train \d", said)
    assert "images/s" in said


@pytest.mark.parametrize("terminal", [True, False])
def test_the_screen_is_left_in_order_when_training_fails(terminal, seen, tiny_model, tiny_pixels):
    with pytest.raises(ValueError, match="learning rate"):
        seen(terminal, tiny_model(hidden=(64,) * 6), tiny_pixels(), lr=1000, epochs=5)


def test_quiet_prints_nothing_but_the_log_gets_all(train, tiny_model, tiny_pixels, capfd, caplog):
    with caplog.at_level(logging.INFO, "diabolo.training"):
        train(tiny_model(), tiny_pixels(), quiet=True)
    assert capfd.readouterr() == ("", "")
    assert [text[:7] for text in caplog.messages if text.startswith("epoch")] == ["epoch  "] * 2
    assert caplog.messages[-1].startswith("finished: ")


def test_which_reporter(monkeypatch):
    monkeypatch.setattr(Console, "is_terminal", property(lambda self: True))
    assert type(reporter(False)) is Bar
    assert type(reporter(True)) is Silence
    monkeypatch.setattr(distributed, "rank", lambda: 1)
    assert type(reporter(False)) is Silence
    monkeypatch.setattr(distributed, "rank", lambda: 0)
    monkeypatch.setattr(Console, "is_terminal", property(lambda self: False))
    assert type(reporter(False)) is Lines


def test_words_that_look_like_markup_are_printed_as_they_are():
    lines = Lines(screen(False))
    lines.say("runs/[bold]0001 [/x] :smile:")
    assert lines.console.file.getvalue() == "runs/[bold]0001 [/x] :smile:\n"


# the command line with steps of `argv[1]` seconds
SLOW = """
import sys, time
from diabolo.cli import main
from diabolo.updates.step import Step

pause, call = float(sys.argv.pop(1)), Step.__call__
Step.__call__ = lambda *args: time.sleep(pause) or call(*args)
main()
"""
WORDS = ("train", "vae", "--hidden", 16, "--latent-dim", 4, "--threads", 1, "--no-figures", "--batch-size", 100)


def only_run(out):
    (path,) = out.iterdir()
    return path


def test_once_the_epoch_is_finished_and_the_rest_can_follow(start, diabolo_cli, tmp_path, left):
    running = start(SLOW, 0.01, *WORDS, "--epochs", 5, "--out", tmp_path / "runs")
    running.until("epoch   2")
    time.sleep(0.05)  # in the middle of the third
    running.send(signal.SIGINT)
    running.wait()
    path = only_run(tmp_path / "runs")
    assert "Traceback" not in running.errors
    assert running.code in (0, 130)
    assert "this epoch will be finished and saved" in running.said
    assert "epoch   3" in running.said
    assert "epoch   4" not in running.said
    assert f"diabolo resume {path}" in running.said
    assert checkpoint.status(path) == "interrupted after 3 epochs"
    assert len((path / "metrics.jsonl").read_text().splitlines()) == 3

    resumed = diabolo_cli("resume", path, "--no-figures")
    whole = diabolo_cli(*WORDS, "--epochs", 5, "--out", tmp_path / "whole")
    assert (resumed.wait(), whole.wait()) == (0, 0), resumed.errors + whole.errors
    assert left(path) == left(only_run(tmp_path / "whole"))


def test_twice_it_stops_at_once(start, diabolo_cli, tmp_path, left):
    running = start(SLOW, 0.5, *WORDS, "--epochs", 2, "--out", tmp_path / "runs")  # 15 steps, so 7.5 s an epoch
    running.until("images all on")
    time.sleep(0.3)
    running.send(signal.SIGINT)
    running.until("once more stops at once")
    asked = time.monotonic()
    running.send(signal.SIGINT)
    assert running.wait() == 130
    assert time.monotonic() - asked < 3
    assert "Traceback" not in running.errors
    assert running.errors.startswith("diabolo: stopped")
    path = only_run(tmp_path / "runs")
    assert checkpoint.status(path) == "running after 0 epochs"

    resumed = diabolo_cli("resume", path, "--no-figures")
    whole = diabolo_cli(*WORDS, "--epochs", 2, "--out", tmp_path / "whole")
    assert (resumed.wait(), whole.wait()) == (0, 0), resumed.errors + whole.errors
    assert left(path) == left(only_run(tmp_path / "whole"))


def test_in_the_last_epoch_the_run_is_finished(start, tmp_path):
    running = start(SLOW, 0.02, *WORDS, "--epochs", 1, "--out", tmp_path / "runs")
    running.until("images all on")
    time.sleep(0.15)
    running.send(signal.SIGINT)
    running.wait()
    path = only_run(tmp_path / "runs")
    assert checkpoint.status(path) == "finished after 1 epoch"
    assert (path / "model.safetensors").exists()


def test_the_handler_is_put_back():
    before = signal.getsignal(signal.SIGINT)
    with Interrupt(Silence()) as interrupt:
        assert signal.getsignal(signal.SIGINT) != before
        assert not interrupt.asked
        signal.raise_signal(signal.SIGINT)
        assert interrupt.asked
    assert signal.getsignal(signal.SIGINT) == before


def test_in_another_thread_signals_are_left_alone(train, tiny_model, tiny_pixels):
    runs = []
    thread = threading.Thread(target=lambda: runs.append(train(tiny_model(), tiny_pixels())))
    thread.start()
    thread.join()
    assert runs[0].status == "finished"


def test_an_interrupted_run_leaves_a_model_that_can_be_used(monkeypatch, train, tiny_model, tiny_pixels):
    import diabolo
    from diabolo.training.loop import Loop

    save = Loop._save

    def saving(self, state):
        save(self, state)
        if state.epoch == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Loop, "_save", saving)
    run = train(tiny_model(), tiny_pixels(), epochs=5)
    assert run.status == "interrupted"
    assert [line["epoch"] for line in run.history] == [1, 2]
    assert json.loads((run.path / "metrics.jsonl").read_text().splitlines()[-1]) == run.history[-1]
    x = tiny_pixels(5)
    assert (diabolo.load(run.path).encode(x) == run.model.encode(x)).all()
