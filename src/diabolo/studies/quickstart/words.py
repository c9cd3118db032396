"""What `quickstart` concludes, from what it measured."""

from collections.abc import Mapping

from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, between


def reconstruction(n: Mapping[str, Measured], length: int) -> str:
    """Errors per pixel of the "mean image", "PCA" and "undercomplete", which have codes of the same `length`."""
    linear = (
        f"From {length} numbers per image, PCA reconstructs the test images with an error of {n['PCA'].value:.3g} per pixel, "
        f"{_of(n, 'PCA')} of the mean image's ({n['mean image'].value:.3g})"
    )
    return between(n, "undercomplete", "PCA").say(
        more=f"{linear}. The autoencoder needs {{a}}, more than PCA: here the network does not pay.",
        less=f"{linear}. The autoencoder brings that down to {{a}} ({_of(n, 'undercomplete')}): it can follow bends in the "
        f"data that PCA's flat subspace cuts off.",
        neither=f"{linear}. The errors of the autoencoder ({{a}}) and of PCA {{differ}}.",
    )


def drawing(n: Mapping[str, Measured], length: int) -> str:
    """What it costs the "VAE" that its codes can be drawn: its "KL" in nats, its "active units", and its error against that of
    the autoencoder."""
    kept = (
        f"The VAE's code carries {n['KL'].value:.3g} nats per image in {n['active units'].value:.0f} of its {length} numbers, "
        f"and is held close to N(0, I), so codes drawn at random decode into new images"
    )
    return between(n, "VAE", "undercomplete").say(
        more=f"{kept}; the price is an error of {{a}} instead of {{b}}.",
        less=f"{kept}; its error is even lower than the autoencoder's ({{a}} and {{b}}).",
        neither=f"{kept}; its error and the autoencoder's {{differ}} ({{a}} and {{b}}).",
    )


def reading(n: Mapping[str, Measured]) -> str:
    """The shares of test images whose class a linear classifier names from the codes of the "VAE", and the most frequent
    class."""
    read, most = n["class, from the VAE's code"].value, n["class, by the most frequent one"].value
    return (
        f"The models never saw a label. Still, a linear classifier reads the class of {percent(read, 1)} of the test images "
        f"off the VAE's code; always naming the most frequent class would get {percent(most, 1)}."
    )


def _of(n: Mapping[str, Measured], name: str) -> str:
    return percent(n[name].value / n["mean image"].value)
