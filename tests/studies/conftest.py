"""A study of one's own, small enough to run in a second."""

from pathlib import Path

import pytest

from diabolo.studies.engine.scripts import Script

SOURCE = """# %% [markdown]
# # Two numbers for a digit
#
# How much of a digit fits into two numbers?

# %%
from diabolo import figures, zoo
from diabolo.studies import Row, Study, difference

# %% tags=["parameters"]
study = Study("small", data="mnist", n_train=100, n_test=40, epochs=2, seeds=(0, 1), bar=0.5, quick={"epochs": 1})
train, test = study.data()
models = [study.train(zoo.undercomplete, train, test, latent_dim=2, hidden=(8,), epochs=study.epochs, batch_size=50,
                      seed=seed) for seed in study.seeds]
pca = study.train(zoo.pca, train, test, latent_dim=2)
study.in_pytorch(models[0])


# %% [markdown]
# ## 1.1 The error
# It is measured on images that were not trained on.


# %%
@study.row("1.1", "The error", to_try="set `epochs` to 20: does the error halve?")
def error(row: Row) -> None:
    errors = [model.measure("reconstruction").scores["MSE"].value for model in models]
    row.number("error", sum(errors) / 2, "squared error per pixel", min(errors), max(errors), "least and most")
    row.table("By seed", ("seed", "error"), [(seed, value) for seed, value in zip(study.seeds, errors)])
    row.check("error", max(errors), "≤", study.bar, "per pixel")
    row.check("numbers of the code", 2, "≤", 2, always=True)
    row.finding(difference(errors, [1.0, 1.1]).say("It is worse.", "It is better by {difference}.", "The errors {differ}."))


# %% [markdown]
# ## 1.2 The map


# %%
@study.row("1.2", "The map")
def scatter(row: Row) -> None:
    row.figure("map", figures.latent_scatter(pca.subject.codes("test"), test.labels), "Codes of test images.")
    row.text("Found in row 1.1: {}".format(round(study.found("1.1")["error"].value, 3)))
"""


@pytest.fixture
def script(tmp_path) -> Script:
    path = tmp_path / "small.py"
    path.write_text(SOURCE)
    return Script(path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """Finished trainings, shared by all tests."""
    return tmp_path_factory.mktemp("trained")
