"""What is searched: ranges and values as they are typed, and what is no search."""

import optuna
import pytest

from diabolo.errors import DiaboloError, UnknownNameError
from diabolo.sweeping.importance import distribution
from diabolo.sweeping.space import Choice, Span, of_record, recorded, spaces


@pytest.mark.parametrize(
    ("typed", "space"),
    [
        ("beta=log:1e-4..10", Span(1e-4, 10.0, True)),
        ("beta=1..10", Span(1.0, 10.0)),  # it takes fractions
        ("sigma=0.1..1", Span(0.1, 1.0)),
        ("batch-size=16..64", Span(16, 64, False, True)),
        ("latent_dim=log:2..64", Span(2, 64, True, True)),
        ("latent_dim=8,16,32", Choice((8, 16, 32))),
        ("lr=1e-3,0.01", Choice((0.001, 0.01))),
        ("net=mlp,conv", Choice(("mlp", "conv"))),
        ("hidden=512,256x128", Choice(((512,), (256, 128)))),
        ("beta=linear(0, 1, 0.3),1", Choice(("linear(0, 1, 0.3)", 1.0))),
        ("masked=true,false", Choice((True, False))),
    ],
)
def test_a_space_is_what_is_typed(typed, space):
    (found,) = spaces("vae", [typed]).values()
    assert found == space
    assert type(found.ends[0]) is type(space.ends[0])
    assert of_record(recorded(found)) == found


def test_from_python_values_are_values():
    found = spaces("vae", {"latent_dim": (8, 16), "hidden": [(32,), [64, 32]], "lr": "log:1e-4..1e-2"})
    assert found["latent_dim"] == Choice((8, 16))
    assert found["hidden"] == Choice(((32,), (64, 32)))
    assert found["lr"] == Span(1e-4, 1e-2, True)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["betta=1..2"], "did you mean 'beta'"),
        (["beta=3..1"], "the range of beta is empty: 3..1"),
        (["beta=2..2"], "the range of beta is empty"),
        (["lr=log:0..1"], "no logarithm of 0: begin above 0"),
        (["lr=log:-1..1"], "no logarithm of -1"),
        (["lr=1..nan"], "must end in numbers"),
        (["latent_dim=8"], "given one value"),
        (["latent_dim=8,8"], "hold 8 twice"),
        (["latent_dim=8,"], "the search space of latent_dim is"),
        (["latent_dim=1.5..3"], "takes whole numbers"),
        (["net=1..3"], "net takes no numbers"),
        (["beta=1..x"], "the search space of beta is"),
        (["beta"], "--search takes NAME=VALUES"),
        (["beta=1..2", "beta=2..3"], "beta is searched twice"),
        (["seed=1..3"], "seeds"),
        (["threads=1,2"], "does not change what is learned"),
        (["latent_dim=2..3"], "both given and searched"),
        ([], "needs an option to search"),
    ],
)
def test_what_is_no_search_is_one_sentence(typed, words):
    with pytest.raises(DiaboloError) as refused:
        spaces("vae", typed, ["latent_dim"] if typed == ["latent_dim=2..3"] else [])
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_option_is_an_unknown_name():
    with pytest.raises(UnknownNameError, match="of the model 'vae' or its training"):
        spaces("vae", ["codes=8,16"])


def test_what_is_suggested_is_of_the_space_and_of_its_kind():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    found = spaces("vae", ["lr=log:1e-4..1e-2", "latent_dim=2..5", "hidden=512,256x128", "masked=true,false"])
    for _ in range(20):
        trial = study.ask()
        values = {name: space.suggest(trial, name) for name, space in found.items()}
        assert 1e-4 <= values["lr"] <= 1e-2
        assert values["latent_dim"] in (2, 3, 4, 5)
        assert values["hidden"] in ((512,), (256, 128))
        assert values["masked"] in (True, False)
        assert trial.distributions == {name: distribution(space) for name, space in found.items()}
