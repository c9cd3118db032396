"""What the study `guide` says of the sheet rolled up in space (5.15): three ways to bring three numbers down to two."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from diabolo.display import words as written
from diabolo.studies.engine.findings import joined
from diabolo.studies.guide.plain import Answer, Numbers, against

WAYS = ("PCA", "linear AE", "AE")
FOLLOWS = 0.9  # share of the variance of the places from which on codes say where on the sheet a point lies


def explained(codes: NDArray[np.float32], places: NDArray[np.float32], neighbours: int = 10) -> dict[str, float]:
    """Of each place on the sheet, the share of its variance that the mean of the nearest codes explains: R² of leave-one-out
    regression on `neighbours`."""
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=neighbours).fit(codes).kneighbors(return_distance=False)
    guessed = places[nearest].mean(1)
    left = ((places - guessed) ** 2).mean(0) / places.var(0)
    return dict(zip(("along", "across"), (1 - left).tolist(), strict=True))


def unrolled(n: Numbers) -> str:
    """5.15: what each of the three reaches, and why."""
    share = {way: n[f"variance lost, {way}"].value for way in WAYS}
    lost = float(f"{100 * share['AE']:.2g}")
    linear = against(n, "MSE", "linear AE", "PCA").say(
        more="The linear autoencoder reconstructs worse than PCA ({a} against {b} squared error per coordinate): its training "
        "has not reached the plane that PCA finds in closed form.",
        less="The linear autoencoder reconstructs better than PCA on these test points ({a} against {b}); on those that both "
        "were fitted to, no plane is better than PCA's.",
        neither="The errors of PCA and the linear autoencoder {differ} ({b} and {a} squared error per coordinate): both find "
        "the plane of most variance.",
    )
    curved = against(n, "MSE", "AE", "PCA").say(
        more="The autoencoder with hidden layers is worse than PCA ({a} against {b}): in this training it has not found the "
        "sheet.",
        less=f"The autoencoder with hidden layers has an error of {{a}}, {{difference}} less than PCA's {{b}}. It loses "
        f"{written(lost)} % of the variance, a plane {100 * share['PCA']:.0f} %.",
        neither="The errors of PCA and of the autoencoder with hidden layers {differ} ({b} and {a}).",
    )
    return f"{linear} {curved}"


def flattened(n: Numbers) -> str:
    """5.15: whether the codes are the sheet laid flat."""
    follows: Mapping[str, float] = {way: n[f"place along, from codes of {way}"].value for way in WAYS}
    told = joined([f"{100 * value:.1f} % ({way})" for way, value in follows.items()])
    why = (
        "Two numbers are enough for the sheet because it is only two-dimensional: the autoencoder's codes follow it round the "
        "roll, while a plane lays its windings on top of one another."
        if follows["AE"] >= FOLLOWS > follows["PCA"]
        else "Here the codes of a plane say where on the roll a point lies as well: the windings do not overlap."
        if follows["PCA"] >= FOLLOWS
        else "In this training the autoencoder reconstructs the sheet without laying it flat: windings overlap in its codes."
    )
    return (
        f"The mean place of the points with the ten nearest codes explains {told} of the variance of a point's place along the "
        f"sheet. {why}"
    )


def answer(n: Numbers) -> Answer:
    """5.15, the sheet."""
    gain = against(n, "MSE", "PCA", "AE").say(
        more="error of a rolled sheet encoded in two numbers from {a} to {b}",
        less="no help: error of a rolled sheet encoded in two numbers from {a} to {b}",
        neither="error of a rolled sheet encoded in two numbers from {a} to {b}, {different}",
    )
    cost = "a training, where PCA needs one decomposition; and a different map from each seed"
    return "A curved map instead of a plane", "where data lie on a bent surface of few dimensions", gain, cost
