"""How far a study says that it is."""

import io

import pytest
from rich.console import Console

from diabolo import zoo
from diabolo.studies.engine.progress import Watch, in_words, watching
from diabolo.studies.engine.trained import Trained


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def watch(clock, rows=2, **more):
    return Watch(rows=rows, clock=clock, console=Console(file=io.StringIO()), **more)


def trained(w, clock, work, seconds):
    w.start(work)
    clock.now += seconds
    w.finish(work)


def test_what_is_left_goes_as_fast_as_others_of_its_kind_did(clock):
    w = watch(clock)
    fast, slow, slow_again, unknown = (w.plan(*one) for one in (("ae", 100), ("vq", 100), ("vq", 300), ("new", 200)))
    assert w.left is None  # nobody knows
    trained(w, clock, fast, 10)
    trained(w, clock, slow, 50)
    # 300 images at 50 s a hundred, and 200 at the mean of both, 30 s a hundred
    assert w.left == pytest.approx(150 + 60)
    clock.now += 60  # as long beside the trainings as in them: so will the rest
    assert w.left == pytest.approx(2 * (150 + 60))
    assert w.where == "row 1 of 2, training 2 of 4"
    w.found(slow_again)
    assert w.left == pytest.approx(2 * 60)
    assert w.share == pytest.approx(500 / 700)
    w.row()
    w.start(unknown)
    w.begin(epochs=2, done=0, steps=10)
    for _ in range(5):
        clock.now += 1
        w.step(1, 10)
    assert w.where == "row 2 of 2, training 4 of 4"
    assert w.left == pytest.approx(2 * 60 * 0.75)
    assert w.share == pytest.approx((500 + 0.25 * 200) / 700)


def test_of_some_rows_nobody_knows_the_trainings(clock):
    w = watch(clock, rows=4, some=True)
    one, _ = w.plan("ae", 100), w.plan("ae", 100)
    trained(w, clock, one, 5)
    w.row()
    assert (w.left, w.share, w.told) == (None, 0.25, " (row 2 of 4, training 1)")


def test_quiet_trainings_tell_the_study_around_them(clock, digits, tmp_path):
    w, said = watch(clock), []
    with watching(w):
        w.clock = iter(range(10_000)).__next__  # a second passes between two looks
        model = Trained(zoo.undercomplete, *digits, tmp_path, said.append, watch=w, epochs=2, batch_size=480)
        other = Trained(zoo.undercomplete, *digits, tmp_path, said.append, watch=w, epochs=2, batch_size=480)
        assert w.where.endswith("training 0 of 2")
        seen = []
        w.step = lambda epoch, images, step=w.step: (step(epoch, images), seen.append(w.part))[0]
        assert model.run.status == "finished"
        assert seen == sorted(seen)
        assert seen[-1] == 1.0
        assert other.run.path == model.run.path  # found
    assert w.where.endswith("training 2 of 2")
    assert said[0].endswith("(row 1 of 2, training 1 of 2)")


def test_a_terminal_shows_a_bar_and_takes_it_away(clock):
    screen = Console(file=io.StringIO(), force_terminal=True, width=80)
    with watching(Watch(rows=1, console=screen, clock=clock)) as _:
        pass
    assert "\x1b[2K" in screen.file.getvalue()  # the line was wiped


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (3.4, "about 3 s left"),
        (119, "about 119 s left"),
        (400, "about 7 min left"),
        (9000, "about 2 h left"),
    ],
)
def test_time_in_words(seconds, words):
    assert in_words(seconds) == words
