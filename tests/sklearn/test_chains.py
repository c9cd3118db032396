"""Estimators among others: pipelines, grids, cross-validation, columns, and what follows on codes."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import Isomap
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from diabolo.sklearn import AE, VAE, AutoencoderOutlier

GRID = {"vae__beta": [0.1, 1.0], "vae__n_components": [2, 6]}


def chain(**options):
    vae = VAE(**{"hidden": (16,), "max_iter": 8, "random_state": 0} | options)
    return Pipeline([("scale", StandardScaler()), ("vae", vae), ("classify", LogisticRegression(max_iter=500))])


@pytest.mark.parametrize(
    ("load", "rows", "least"), [(load_breast_cancer, 200, 0.85), (load_digits, 300, 0.4)], ids=["breast", "digits"]
)
def test_a_grid_over_a_pipeline_repeats_to_the_bit(load, rows, least):
    """By two processes, and again by one."""
    X, y = (part[:rows] for part in load(return_X_y=True))
    found = [GridSearchCV(chain(), GRID, cv=2, n_jobs=jobs).fit(X, y) for jobs in (2, 1)]
    scores = [grid.cv_results_["mean_test_score"] for grid in found]
    assert np.array_equal(*scores)
    assert len(np.unique(scores[0])) > 1
    assert found[0].best_params_ == found[1].best_params_
    assert np.array_equal(*(grid.best_estimator_[:-1].transform(X) for grid in found))
    assert found[0].best_score_ > least


def test_scores_of_cross_validation_rise_with_what_is_learned():
    X, y = load_wine(return_X_y=True)
    mixed = np.random.default_rng(0).permutation(len(X))  # the rows lie by class
    late, early = (
        cross_val_score(VAE(4, hidden=(32,), max_iter=epochs, random_state=0), X[mixed], cv=3) for epochs in (30, 1)
    )
    assert (late > early + 1).all()  # nats
    assert cross_val_score(chain(n_components=4, max_iter=20), X, y, cv=3).mean() > 0.9


def test_some_columns_of_a_frame():
    pandas = pytest.importorskip("pandas")
    X, _ = load_wine(return_X_y=True, as_frame=True)
    X["kind"] = pandas.Series(np.arange(len(X)) % 3).map({0: "a", 1: "b", 2: "c"})
    numbers = [name for name in X if name != "kind"]
    columns = ColumnTransformer(
        [
            ("codes", AE(3, hidden=(8,), max_iter=2, random_state=0), numbers),
            ("kinds", OneHotEncoder(sparse_output=False), ["kind"]),
        ]
    )
    codes = columns.set_output(transform="pandas").fit_transform(X)
    assert list(codes) == ["codes__ae0", "codes__ae1", "codes__ae2", "kinds__kind_a", "kinds__kind_b", "kinds__kind_c"]
    assert codes.index.equals(X.index)


def test_maps_and_clusters_of_codes():
    X, y = load_wine(return_X_y=True)
    codes = AE(4, hidden=(32,), max_iter=20, random_state=0)
    assert make_pipeline(StandardScaler(), codes, Isomap(n_components=2)).fit_transform(X).shape == (178, 2)
    groups = make_pipeline(StandardScaler(), codes, KMeans(3, n_init=3, random_state=0)).fit_predict(X)
    assert max((groups == group)[y == 0].mean() for group in range(3)) > 0.8
    found = make_pipeline(StandardScaler(), AutoencoderOutlier(2, hidden=(8,), max_iter=2)).fit_predict(X)
    assert (found == -1).sum() == 18


def test_columns_of_several_kinds_by_the_lines_of_the_docs():
    """Age and visits hang on the city, so two numbers tell all of a row but whether it smokes."""
    pandas = pytest.importorskip("pandas")
    page = (Path(__file__).parents[2] / "docs/sklearn.md").read_text()
    (lines,) = (block for block in re.findall(r"```python\n(.+?)```", page, re.DOTALL) if "mixed" in block)
    random = np.random.default_rng(0)
    city = random.integers(0, 3, 600)
    people = pandas.DataFrame(
        {
            "city": np.array(["Oslo", "Rome", "York"])[city],
            "age": random.normal(20 + 30 * city, 2),
            "smoker": random.integers(0, 2, 600),
            "visits": random.poisson(1 + 4 * city),
        }
    )
    known = {"people": people}
    exec(lines, known)
    assert known["codes"].shape == (600, 2)
    back = known["vae"].inverse_transform(known["codes"])
    assert np.allclose(back[:, :3].sum(1), 1, atol=1e-5)
    assert (back[:, :3].argmax(1) == city).mean() > 0.99
    age = people["age"].to_numpy()
    assert ((back[:, 3] - age) ** 2).mean() < 0.05 * age.var()
    assert 0 <= back[:, 4].min() <= back[:, 4].max() <= 1
    assert [back[city == k, 5].mean() for k in range(3)] == pytest.approx([1, 5, 9], rel=0.15)
