"""What a training is like where not all of it is said."""

import itertools

import pytest

import diabolo
from diabolo.training import usual
from diabolo.training.options import TrainOptions
from diabolo.training.usual import settled


def test_what_is_left_out_suits_what_is_said():
    assert settled(60_000, {}) == TrainOptions() == TrainOptions(epochs=10, lr=5e-3, schedule="one-cycle")
    for schedule, lr in usual.RATES.items():
        assert settled(60_000, {"schedule": schedule}).lr == lr
        assert settled(60_000, {"schedule": schedule, "lr": 0.5}).lr == 0.5


def test_a_training_whose_end_is_not_known_keeps_its_rate():
    found = settled(60_000, {"early_stopping": 3})
    assert (found.schedule, found.lr) == ("constant", 1e-3)
    assert settled(60_000, {"early_stopping": 3, "schedule": "one-cycle"}).lr == 5e-3


@pytest.mark.parametrize("batch", [1, 7, 128, 5_000])
@pytest.mark.parametrize("images", [1, 100, 1_437, 38_000, 10**6])
def test_few_images_are_gone_over_more_often(images, batch):
    found = settled(images, {"batch_size": batch})
    each = -(-images // batch)
    assert found.epochs >= 10
    assert found.epochs * each >= usual.STEPS
    assert found.epochs == 10 or (found.epochs - 1) * each < usual.STEPS
    assert settled(images, {"batch_size": batch, "epochs": 2}).epochs == 2


@pytest.mark.parametrize(
    ("images", "batch"),
    [(0, 32), (1, 32), (1_437, 32), (2_047, 32), (2_048, 64), (4_095, 64), (4_096, 128), (10**6, 128)],
)
def test_few_images_make_small_batches(images, batch):
    assert settled(images, {}).batch_size == batch
    assert settled(images, {"batch_size": 100}).batch_size == 100
    assert settled(images, {"labelled_per_batch": 100}).batch_size == 128


def test_the_lengthened_training_is_told_and_kept_to(train, tiny_model, tiny_pixels, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(usual, "STEPS", 60)
    how = {"batch_size": 16, "precision": "float32", "device": "cpu", "checkpoint_every": 99}
    run = diabolo.fit(tiny_model(), tiny_pixels(70), out=tmp_path, **how)
    told = "70 training images, 5 steps an epoch: trained for 12 epochs (--epochs)"
    assert told in capsys.readouterr().out.splitlines()
    assert (len(run.history), run.config.options["epochs"]) == (12, 12)
    assert (run.config.options["lr"], run.config.options["schedule"]) == (5e-3, "one-cycle")
    train(tiny_model(), tiny_pixels(70), quiet=False)
    assert "70 training images" not in capsys.readouterr().out


def test_a_longer_total_goes_on_in_the_stretched_cycle_and_ends_better(train, tiny_model, tiny_pixels, tmp_path):
    images, how = tiny_pixels(70), {"lr": 3e-3, "schedule": "one-cycle", "out": tmp_path}
    short = train(tiny_model(), images, epochs=6, **how)
    longer = diabolo.resume(short.path, images, epochs=30)
    rates = [line["lr"] for line in longer.history]
    assert rates[6] > 100 * rates[5]  # up again from the end of the short cycle
    assert all(a > b for a, b in itertools.pairwise(rates[9:]))
    assert longer.history[-1]["train"]["total"] < 0.8 * short.history[-1]["train"]["total"]
