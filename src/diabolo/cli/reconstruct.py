"""`diabolo reconstruct RUN IMAGES…`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from diabolo.cli.options import Root, Several, SkipBad
from diabolo.cli.verbs import VERBS
from diabolo.ranges import checked
from diabolo.terminal import say

app = App(name="reconstruct", help=VERBS["reconstruct"])


@app.default
@checked
def command(
    run: Path,
    /,
    *images: Annotated[str, Parameter(required=True)],
    label: Several[str] = (),
    values: Several[float] = (),
    as_trained: Annotated[bool, Parameter(negative=())] = False,
    out: Path = Path("reconstructions"),
    skip_bad: SkipBad = False,
    root: Root = None,
) -> None:
    """Images in, their reconstructions out.

    Args:
        run: the run folder.
        images: image files, one folder, one file of images, arrays or a table, or a data set by name; they are cut and resized
            as the training images were (see --as-trained), and the columns of a table are found by their names.
        label: of a model conditioned on labels: the class of all the images, or that of each; those of a folder are sorted
            by name.
        values: of a model conditioned on attributes or factors: one number for each, the same for all the images.
        as_trained: resize image files as the training images were, though the model is fully convolutional; else such a model
            gives each image file in its own size.
        out: a folder for PNG files, called and laid out in sub-folders as the images are; or a .npy file (N, C, H, W), in the
            units of the data. PNG files of numbers that are not of 8 bits are of 16 bits.
    """
    from diabolo.cli.conditioning import check_told, told_of
    from diabolo.cli.images import check_out, check_spared, in_pieces, names_within, read_for, write_images
    from diabolo.cli.own_size import are_files, reconstruct_each
    from diabolo.paths import as_path
    from diabolo.plain import count
    from diabolo.runs.loading import load
    from diabolo.sizes import step

    if out.suffix.lower() == ".npy":  # a folder is looked at file by file
        check_spared(out, images)
    model = load(run)
    check_out(out, model.input_shape, model.scaling)
    check_told(run, model, label, values, images)
    paths = [as_path(name) for name in images]
    if (
        not as_trained
        and out.suffix.lower() != ".npy"
        and model.needs_column is None
        and are_files(paths)
        and any(step(model))
    ):
        n = reconstruct_each(run, model, paths, out, skip_bad)
        say(f"{count(n, 'reconstruction')} in {out}, each in the size of its file")
        return
    given = read_for(run, model, images, skip_bad, root)
    y = told_of(run, model, label, values, given)
    names = [] if out.suffix.lower() == ".npy" else names_within(out, paths, given)
    write_images(out, len(given), in_pieces(model.reconstruct, given, y), names, model.scaling)
    say(f"{count(len(given), 'reconstruction')} in {out}")
