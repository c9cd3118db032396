"""`diabolo spread-labels RUN`."""

from pathlib import Path

from cyclopts import App

from diabolo.cli.options import MovedOptions, where
from diabolo.cli.verbs import VERBS
from diabolo.ranges import BelowOne, Count, Seed, checked
from diabolo.terminal import say

app = App(name="spread-labels", help=VERBS["spread-labels"])


@app.default
@checked
def command(
    run: Path,
    /,
    *,
    n_labels: Count | None = None,
    label_seed: Seed = 0,
    neighbours: Count = 10,
    alpha: BelowOne = 0.99,
    out: Path = Path("labelled.npz"),
    moved: MovedOptions = None,
) -> None:
    """From few labels to a label for every training image, along the neighbours among the codes of a trained model.

    Then train a classifier on them, from the same weights: diabolo train classifier --data labelled.npz --init RUN.

    Args:
        run: the run folder of a model that was trained on these images; it needs no label.
        n_labels: how many of its training images' labels may be used, drawn evenly over the classes; all that are known when
            left out.
        label_seed: of that draw.
        neighbours: of each image in the graph that labels spread along.
        alpha: how far labels spread: the share that an image takes from its neighbours, below 1.
        out: the .npz file: x_train with y_train for every image, x_test, and y_test where that is known.
    """
    import io

    import numpy as np

    from diabolo import latents
    from diabolo.cli.images import write
    from diabolo.errors import DiaboloError
    from diabolo.plain import count
    from diabolo.runs.folder import RunFolder
    from diabolo.runs.loading import load

    if out.suffix.lower() != ".npz":
        raise DiaboloError(f"labelled images are written as .npz, not {out.suffix or out}")
    if out.exists():  # labels that someone gave by hand may lie there
        raise DiaboloError(f"{out} is there already: name another file by --out, or take it away first")
    folder, model = RunFolder(run), load(run)
    if folder.config.train.origin is None:
        raise DiaboloError(f"the training images of {run} were given as arrays; use diabolo.latents from Python")
    train, test = folder.pair(where(moved))
    few = train if n_labels is None else train.keep_labels(n_labels, label_seed)
    full = latents.label_by_neighbours(model, few, neighbours, alpha)
    assert few.labels is not None
    assert full.labels is not None
    arrays = {"x_train": full.images, "y_train": full.labels, "x_test": test.images}
    if test.labels is not None:
        arrays["y_test"] = test.labels
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write(out, content.getvalue())
    known, reached = (few.labels >= 0).sum(), (full.labels >= 0).sum()
    say(f"from {count(known, 'label')} to {reached:,} of {count(len(full), 'image')}, in {out}")
