"""The figures of one run, drawn from what it left on disk and its test images."""

from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

from diabolo import figures
from diabolo.data.images import Images
from diabolo.data.origin import reload
from diabolo.training.runs import Run

SHOWN = 10  # images in a row of reconstructions
POINTS = 10_000  # in a scatter
SIDE = 20  # tiles a side of a decoded grid


def draw(run: Run, test: Images | None = None) -> list[Path]:
    """Draw curves, reconstructions, samples and the latent map of `run` into its folder.

    Args:
        run: a finished or interrupted run.
        test: images to show; when left out, the test images of the data set it was trained on, loaded again.

    Returns:
        The files written. A model of vectors has no pictures: its curves and latent map alone are drawn.
    """
    if test is None and run.config["data"]["train"]["origin"] is not None:
        test = reload({"load": run.config["data"]["train"]["origin"]["load"], "part": "test"})
    name, model = run.config["name"], run.model
    drawn = {}
    if len(run.history) > 1:
        units = run.config["units"]
        drawn["curves"] = figures.loss_curves([line | {"units": units} for line in run.history], f"{name}: loss")
    pictures = len(model.input_shape) == 3
    if pictures:
        drawn["samples"] = figures.sample_grid(model.sample(36).cpu().numpy(), f"{name}: samples from the prior")
    if test is not None and pictures:
        x = test.images[:SHOWN]
        drawn["reconstructions"] = figures.reconstructions(
            x, model.reconstruct(x).cpu().numpy(), title=f"{name}: {test.name} ({test.split})"
        )
    if test is not None:
        drawn |= _latent_map(run, test.subset(min(POINTS, len(test)), 0), pictures)
    return [figures.save(figure, run.path / "figures" / f"{what}.png") for what, figure in drawn.items()]


def _latent_map(run: Run, images: Images, pictures: bool) -> dict[str, "figures.Figure"]:
    """The codes of `images`, by class where there are classes; and what lies between them when the code has two numbers."""
    name, model = run.config["name"], run.model
    codes = model.encode(images.images).flatten(1).cpu().numpy()
    about = f"{images.name} ({images.split})"
    names = images.label_names
    if codes.shape[1] == 1:
        return {"latent": figures.latent_scatter(codes, images.labels, names, f"{name}: codes of {about}")}
    if codes.shape[1] == 2:
        low, high = np.quantile(codes, (0.01, 0.99), axis=0)
        drawn = {"latent": figures.latent_scatter(codes, images.labels, names, f"{name}: codes of {about}")}
        if pictures:
            extent = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
            tiles = model.decode(figures.latent_grid(extent, SIDE)).cpu().numpy()
            drawn["decoded-grid"] = figures.decoded_grid(tiles, extent, f"{name}: decoded over the latent plane")
        return drawn
    flat = PCA(2, random_state=0).fit_transform(codes)
    title = f"{name}: {codes.shape[1]}-d codes of {about}, first two principal components"
    return {"latent": figures.latent_scatter(flat, images.labels, names, title, ("PC 1", "PC 2"))}
