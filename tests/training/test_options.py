"""Nonsense is refused before anything is made, with the remedy."""

import numpy as np
import pytest

from diabolo.data import Images
from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.training.options import TrainOptions


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0}, {"epochs": -1}, {"epochs": 2.5}, {"epochs": True}, {"epochs": "3"}, {"batch_size": 0},
        {"lr": 0.0}, {"lr": -1e-3}, {"lr": float("nan")}, {"lr": float("inf")}, {"clip_norm": 0.0}, {"ema": 1.0},
        {"ema": 0.0}, {"weight_decay": -0.1}, {"weight_decay": float("nan")}, {"min_delta": -1.0}, {"threads": 0},
        {"early_stopping": 0}, {"seed": -1}, {"seed": 1.5}, {"checkpoint_every": 0}, {"schedule": "cosin"},
        {"log_every": 0}, {"sample_every": -1},
        {"optimizer": "sdg"}, {"optimizer": 3}, {"precision": "fp16"}, {"keep": "beast"}, {"store": "ram"},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_value_is_refused_by_name(wrong):
    with pytest.raises(DiaboloError, match=next(iter(wrong))):
        TrainOptions.of(**wrong)


def test_an_unknown_option_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'epochs'"):
        TrainOptions.of(epoch=3)
    with pytest.raises(UnknownNameError, match="did you mean 'cosine'"):
        TrainOptions.of(schedule="cosin")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"early_stopping": 2}, "early_stopping needs validation"),
        ({"keep": "best"}, "keep='best' needs validation"),
    ],
)
def test_what_does_not_fit_the_images_is_refused_before_a_folder_is_made(
    options, says, train, tiny_model, tiny_pixels, tmp_path
):
    with pytest.raises(DiaboloError, match=says):
        train(tiny_model(), tiny_pixels(50), **options)
    assert not (tmp_path / "runs").exists()


def test_a_batch_holds_no_more_images_than_there_are(train, tiny_model, tiny_pixels, capsys):
    run = train(tiny_model(), tiny_pixels(50), batch_size=128, quiet=False)
    assert "--batch-size is 50, not 128: there are 50 training images" in capsys.readouterr().out
    assert run.config.options["batch_size"] == 50
    assert run.history[-1]["step"] == 2
    with pytest.raises(DiaboloError, match="labelled_per_batch must be below the batch size of 50"):
        train(
            tiny_model("joint", classes=2),
            Images(tiny_pixels(50), np.arange(50) % 2),
            batch_size=128,
            labelled_per_batch=60,
        )


def test_images_of_another_shape_are_refused(train, tiny_model, tiny_pixels):
    with pytest.raises(DiaboloError, match=r"input_shape=\(1, 9, 9\)"):
        train(tiny_model(), tiny_pixels(50, (1, 9, 9)))
    with pytest.raises(DiaboloError, match=r"input_shape=\(3, 8, 8\)"):
        train(tiny_model(), tiny_pixels(50), tiny_pixels(50, (3, 8, 8)))


def test_batch_norm_needs_two_images(train, tiny_model, tiny_pixels):
    with pytest.raises(DiaboloError, match="--norm group"):
        train(tiny_model(net="conv"), tiny_pixels(50), batch_size=1)
    train(tiny_model(net="conv", norm="group"), tiny_pixels(3), batch_size=1, epochs=1)


def test_a_last_batch_of_one_image_is_no_trouble_for_batch_norm(train, tiny_model, tiny_pixels):
    run = train(tiny_model(net="conv-to-point", shape=(1, 28, 28), hidden=None), tiny_pixels(33, (1, 28, 28)))
    assert run.history[-1]["step"] == 4


def test_what_is_no_model_is_refused(train, tiny_pixels):
    with pytest.raises(DiaboloError, match="not a dict"):
        train({}, tiny_pixels(50))
