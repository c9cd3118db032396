"""What is said while training runs: a bar on a terminal, lines elsewhere, nothing when quiet."""

import io
import logging
import re

import pytest
from rich.console import Console

from diabolo import distributed
from diabolo.training import fit as fit_module
from diabolo.training.progress import Bar, Lines, Silence, as_text, reporter

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
        monkeypatch.setattr(fit_module, "reporter", lambda quiet: (Bar if terminal else Lines)(console))
        train(model, images, validation, quiet=False, **options)
        return console.file.getvalue()

    return run


def test_a_line_has_every_term_and_the_speed():
    text = as_text(LINE)
    assert "\n" not in text
    assert text.startswith("epoch   3  train total 101.5 reconstruction 90.25 kl 11.25  validation total 99 ")
    assert text.endswith("123,457 images/s")
    assert "validation" not in as_text(LINE | {"validation": None})


def test_elsewhere_than_on_a_terminal_there_is_one_line_an_epoch(seen, tiny_model, tiny_pixels):
    said = seen(False, tiny_model("vae"), tiny_pixels(), tiny_pixels(20), epochs=3)
    lines = said.splitlines()
    epochs = [line for line in lines if line.startswith("epoch")]
    assert [line[:9] for line in epochs] == ["epoch   1", "epoch   2", "epoch   3"]
    for line in epochs:
        assert re.search(r"train total \S+ reconstruction \S+ kl \S+  validation total \S+ .*[\d,]+ images/s$", line)
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
    assert len(re.findall(r"epoch   \d  train total", said)) == 3
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
    assert "epoch   1  train total" in said
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
