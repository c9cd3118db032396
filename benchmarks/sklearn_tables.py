"""The estimators beside scikit-learn's own on tables that scikit-learn ships: variance explained, outliers, seconds.

    python benchmarks/sklearn_tables.py variance        # linear AE against PCA; AE and PCA on held-out rows
    python benchmarks/sklearn_tables.py outliers        # AUROC of four detectors, ten splits
    python benchmarks/sklearn_tables.py seconds         # fits in turn, by CPU time: the machine may do other work beside
    python benchmarks/sklearn_tables.py grid            # a search over a pipeline by two processes, twice

Each prints a table in Markdown. Intervals are t intervals of the mean over splits, which overlap: they are a little too narrow.
"""

import argparse
import cProfile
import io
import pstats
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.decomposition import NMF, PCA, DictionaryLearning
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import LocalOutlierFactor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from diabolo.sklearn import AE, VAE, AutoencoderOutlier
from diabolo.sklearn.base import r2

TABLES = {"breast cancer": load_breast_cancer, "wine": load_wine, "diabetes": load_diabetes, "digits": load_digits}
STEPS = 5000  # after which a linear autoencoder has found the subspace


def row(*cells: Any) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def header(*cells: str) -> None:
    row(*cells)
    row(*["---"] * len(cells))


def interval(values: list[float], digits: int = 3) -> str:
    """The mean and the 95 % t interval around it."""
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.{digits}f} ± {half:.{digits}f}"


def components(features: int) -> int:
    return min(8, features // 2)


def explained(model: Any, rows: np.ndarray) -> float:
    return r2(rows, model.inverse_transform(model.transform(rows)))


# --- variance -------------------------------------------------------------------------------------------------------------


def variance(splits: int) -> None:
    """Share of the variance of standardised features; the linear one on all rows, the others on a held-out third."""
    header("table", "code", "PCA, all rows", "linear AE", "difference", "PCA, held out", "AE, held out", "difference")
    for name, load in TABLES.items():
        rows = StandardScaler().fit_transform(load().data)
        k = components(rows.shape[1])
        best = explained(PCA(k).fit(rows), rows)
        epochs = -(-STEPS // -(-len(rows) // 128))
        linear = explained(AE(k, hidden=(), max_iter=epochs, batch_size=128, random_state=0).fit(rows), rows)
        held: list[list[float]] = []
        for seed in range(splits):
            parts = train_test_split(load().data, test_size=1 / 3, random_state=seed)
            scaler = StandardScaler().fit(parts[0])
            train, test = map(scaler.transform, parts)
            models = (PCA(k).fit(train), AE(k, max_iter=100, random_state=seed).fit(train))
            held.append([explained(model, test) for model in models])
        pca, ae = (list(column) for column in zip(*held, strict=True))
        more = interval([b - a for a, b in held])
        row(name, k, f"{best:.4f}", f"{linear:.4f}", f"{linear - best:+.4f}", interval(pca), interval(ae), more)


# --- outliers -------------------------------------------------------------------------------------------------------------


def problems() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(name, rows that are normal, rows that are not)."""
    rows, y = load_breast_cancer(return_X_y=True)
    yield "breast cancer: malignant", rows[y == 1], rows[y == 0]
    rows, y = load_wine(return_X_y=True)
    yield "wine: cultivar 0 among 1 and 2", rows[y > 0], rows[y == 0]
    rows, _ = load_diabetes(return_X_y=True)
    random = np.random.default_rng(0)
    yield "diabetes: columns shuffled", rows, np.stack([random.permutation(column) for column in rows.T], 1)[:100]
    rows, y = load_digits(return_X_y=True)
    yield "digits: 8 among the others", rows[y != 8], rows[y == 8]


def by_pca(train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    pca = PCA(components(train.shape[1])).fit(train)
    found: np.ndarray = np.square(test - pca.inverse_transform(pca.transform(test))).sum(1)
    return found


DETECTORS: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    "AutoencoderOutlier": lambda train, test, seed: (
        -AutoencoderOutlier(components(train.shape[1]), random_state=seed).fit(train).score_samples(test)
    ),
    "IsolationForest": lambda train, test, seed: -IsolationForest(random_state=seed).fit(train).score_samples(test),
    "LOF": lambda train, test, seed: -LocalOutlierFactor(novelty=True).fit(train).score_samples(test),
    "PCA reconstruction": by_pca,
}


def outliers(splits: int) -> None:
    """AUROC of normal rows that were held out against those that are not, after training on two thirds of the normal ones."""
    header("outliers", *DETECTORS)
    for name, normal, odd in problems():
        found: dict[str, list[float]] = {detector: [] for detector in DETECTORS}
        for seed in range(splits):
            train, held = train_test_split(normal, test_size=1 / 3, random_state=seed)
            scaler = StandardScaler().fit(train)
            test, truth = scaler.transform(np.concatenate([held, odd])), np.r_[np.zeros(len(held)), np.ones(len(odd))]
            for detector, score in DETECTORS.items():
                found[detector].append(roc_auc_score(truth, score(scaler.transform(train), test, seed)))
        row(name, *[interval(values) for values in found.values()])


# --- seconds --------------------------------------------------------------------------------------------------------------


def candidates(k: int, epochs: int, batch: int, small: bool) -> dict[str, Callable[[np.ndarray], Any]]:
    """Fits of equal size; AE and MLPRegressor of the same layers, batches and epochs."""
    mlp = {"batch_size": batch, "max_iter": epochs, "tol": 0.0, "n_iter_no_change": 10**6, "random_state": 0}
    found: dict[str, Callable[[np.ndarray], Any]] = {
        "AE": lambda x: AE(k, max_iter=epochs, batch_size=batch, activation="relu", random_state=0).fit(x),
        "MLPRegressor": lambda x: MLPRegressor(hidden_layer_sizes=(128, k, 128), **mlp).fit(x, x),
        "PCA": lambda x: PCA(k).fit(x),
        "NMF": lambda x: NMF(k, init="nndsvda", max_iter=50, random_state=0).fit(x - x.min(0)),
    }
    if small:  # it is not run on many rows
        found["DictionaryLearning"] = lambda x: DictionaryLearning(k, max_iter=20, random_state=0).fit(x)
    return found


def seconds(rounds: int, rows: int) -> None:
    """CPU seconds of one fit, the best of some rounds in turn, and how many times those of AE that is."""
    made = np.random.default_rng(0).normal(size=(rows, 8)) @ np.random.default_rng(1).normal(size=(8, 100))
    made += 0.1 * np.random.default_rng(2).normal(size=made.shape)
    digits = StandardScaler().fit_transform(load_digits().data)
    AE(2, max_iter=1).fit(digits[:100])  # what is imported once is no fit's
    header("rows", "estimator", "CPU seconds", "times AE")
    for name, x, epochs, batch in (("digits", digits, 20, 32), (f"{rows:,} × 100", made, 3, 200)):
        found: dict[str, list[float]] = {}
        for _ in range(rounds):
            for estimator, fit in candidates(16, epochs, batch, name == "digits").items():
                started = time.process_time()
                fit(x)
                found.setdefault(estimator, []).append(time.process_time() - started)
        for estimator, spent in found.items():
            row(name, estimator, f"{min(spent):.2f}", f"{min(spent) / min(found['AE']):.2f}")
    few = np.random.default_rng(0).normal(size=(100, 5))
    spent = []
    for _ in range(20):
        started = time.process_time()
        AE(2, max_iter=1, random_state=0).fit(few)
        spent.append(time.process_time() - started)
    print(f"\nfixed cost of a fit, 100 × 5 rows and one epoch: {1000 * min(spent):.0f} ms")
    profiled(made)


def profiled(x: np.ndarray) -> None:
    """Where the seconds of AE go, by function."""
    profile = cProfile.Profile()
    profile.enable()
    AE(16, max_iter=1, batch_size=200, activation="relu", random_state=0).fit(x)
    profile.disable()
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(12)
    print("\n".join(line[:110] for line in text.getvalue().splitlines() if line.strip()))


# --- a search ---------------------------------------------------------------------------------------------------------------


def grid(rounds: int) -> None:
    """A search over beta and the width of the code, by two processes."""
    header("table", "best accuracy", "beta", "n_components", "wall seconds", "repeats to the bit")
    for name in ("breast cancer", "digits"):
        x, y = TABLES[name](return_X_y=True)
        found, spent = [], []
        for _ in range(rounds):
            steps = [
                ("scale", StandardScaler()),
                ("vae", VAE(random_state=0)),
                ("classify", LogisticRegression(max_iter=2000)),
            ]
            search = GridSearchCV(
                Pipeline(steps), {"vae__beta": [0.1, 1.0], "vae__n_components": [4, 8]}, cv=2, n_jobs=2
            )
            started = time.perf_counter()
            found.append(search.fit(x, y))
            spent.append(time.perf_counter() - started)
        scores = [search.cv_results_["mean_test_score"] for search in found]
        best = found[0].best_params_
        same = all(np.array_equal(scores[0], other) for other in scores)
        width = best["vae__n_components"]
        row(name, f"{found[0].best_score_:.3f}", best["vae__beta"], width, f"{min(spent):.1f}", same)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("variance", "outliers", "seconds", "grid"))
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)
    match given.what:
        case "variance":
            variance(given.splits)
        case "outliers":
            outliers(given.splits)
        case "seconds":
            seconds(given.rounds, given.rows)
        case "grid":
            grid(given.rounds)


if __name__ == "__main__":
    main()
