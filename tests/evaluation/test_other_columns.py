"""Whoever takes images for a run refuses rows of other columns than it was trained with."""

import numpy as np
import pytest

import diabolo
from diabolo.data import load
from diabolo.errors import DiaboloError
from diabolo.explorer.opening import open_run

DOORS = {
    "evaluate": lambda run, pair: diabolo.evaluate(run, data=pair, measures=("reconstruction",)),
    "doctor": lambda run, pair: diabolo.doctor.diagnose(run, pair),
    "score": lambda run, pair: diabolo.evaluation.screen(run, pair[1]),
    "look": lambda run, pair: open_run(run.path, pair),
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of three columns, the same with two of them changed over, and a run on the first."""
    home = tmp_path_factory.mktemp("table")
    x = np.random.default_rng(0).normal(size=(300, 3)) * (1, 10, 100)
    for name, order in (("mine.csv", (0, 1, 2)), ("other.csv", (0, 2, 1))):
        names = ",".join("abc"[i] for i in order)
        np.savetxt(home / name, x[:, order], delimiter=",", header=names, comments="")
    train, test = load(home / "mine.csv")
    run = diabolo.fit("pca", train, validation=test, latent_dim=1, scaling="standard", out=home, quiet=True)
    return run, (train, test), load(home / "other.csv")


@pytest.mark.parametrize("door", DOORS)
def test_other_columns_are_refused_at_every_door(table, door):
    run, own, other = table
    DOORS[door](run, own)
    with pytest.raises(DiaboloError, match=r"has other columns .*: number 2 is 'c', and was 'b'"):
        DOORS[door](run, other)
