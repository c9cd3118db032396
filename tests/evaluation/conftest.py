"""Two measures that are easy to check, in place of the real ones, and runs to measure."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from diabolo import evaluation, figures, zoo
from diabolo.data import load
from diabolo.evaluation import NotApplicable, Section, Subject
from diabolo.metrics.score import Score
from diabolo.training.fit import fit


@pytest.fixture
def measures() -> Iterator[None]:
    """`error`, whose option `power` is 2, and `labelled`, which is for labelled images only."""
    real = [(table, dict(table)) for table in (evaluation.MEASURES, evaluation.HELP)]
    for table, _ in real:
        table.clear()

    @evaluation.measure(power="Of the deviation.")
    def error(subject: Subject, *, power: float = 2.0) -> Section:
        x = subject.test.images / 255
        values = (np.abs(subject.reconstructions - x) ** power).mean((1, 2, 3))
        score = Score(float(values.mean()), "per pixel", len(values), better="lower", setting={"power": power})
        return Section({"mean": score}, {"error-bars": partial(figures.bars, {"mean": score.value}, "per pixel")})

    @evaluation.measure()
    def labelled(subject: Subject) -> Section:
        if subject.test.labels is None:
            raise NotApplicable("the images have no labels")
        return Section({"classes": Score(len(np.unique(subject.test.labels)), "classes", len(subject.test))})

    yield
    for table, entries in real:
        table.clear()
        table.update(entries)


@pytest.fixture(scope="session")
def seeds(tmp_path_factory) -> dict[str, list[Path]]:
    """Runs of two models from two seeds; to be copied before they are written into."""
    folder = tmp_path_factory.mktemp("seeds")
    train, test = load("digits", n_train=100, n_test=40)
    found: dict[str, list[Path]] = {}
    for latent_dim in (2, 4):
        for seed in (0, 1):
            torch.manual_seed(seed)
            model = zoo.undercomplete(train.shape, latent_dim=latent_dim, hidden=(16,))
            run = fit(model, train, test, epochs=2, batch_size=50, seed=seed, out=folder, quiet=True)
            found.setdefault(f"latent_dim {latent_dim}", []).append(run.path)
    return found
