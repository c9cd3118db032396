"""What is shown, to take along: lines of Python, a command, a figure, codes in a file that other programs open."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diabolo import figures
from diabolo.errors import DiaboloError
from diabolo.explorer.desk import Desk
from diabolo.explorer.pixels import is_picture
from diabolo.explorer.state import LONGEST
from diabolo.runs.lines import packages_of, shell_line

if TYPE_CHECKING:
    from diabolo.figures import Figure

STEPS = 9


def python_lines(desk: Desk) -> str:
    """Python that makes the image that is shown.

    Example:
        >>> lane = diabolo.explorer.lanes.Lane()
        >>> explored = diabolo.explorer.explored.Explored("mine", model, train, test, run.path)
        >>> desk = diabolo.explorer.desk.Desk([explored], diabolo.explorer.state.State(), lane, lane, lambda call: call())
        >>> print(diabolo.explorer.taking.python_lines(desk).splitlines()[0])
        import diabolo, torch
    """
    run, state, image = desk.first, desk.state, desk.asked
    plain = image is not None and not desk.on_way and not state.swaps and not (state.attribute and state.strength)
    of_image = plain and run.own and run.codec.needs_column is None
    conditional = bool(run.codec.condition.to_decoder)
    of_part = conditional and not run.classes  # what the decoder is given is read off a test image
    path = str(run.path or run.name)
    trusted = [] if run.path is None else packages_of(run.path)
    trust = f", trust={trusted!r}" if trusted else ""
    lines = ["import diabolo, torch", f"model = diabolo.load({path!r}{trust})"]
    if (of_image or of_part) and run.own:
        lines += ["from pathlib import Path", "from diabolo.runs.folder import RunFolder"]
        lines.append(f"test = RunFolder(Path({path!r})).images('test'{trust})")
    elif of_part:
        lines.append("# test: the images that were given to the explorer")
    if of_image:
        lines.append(f"z = model.encode(test.images[{image}:{(image or 0) + 1}])")
    elif run.width > LONGEST:
        return f"# a code of {run.width:,} numbers is too long to be written down: choose a test image on its own"
    else:
        z = ", ".join(f"{number:.9g}" for number in desk.code(run))
        lines.append(f"z = torch.tensor([{z}]).reshape(1, {', '.join(map(str, run.codec.latent_shape))})")
    given = ""
    if of_part:
        number = state.label if state.label >= 0 else image or 0
        run.told(state.label, image)  # refused where there is no such image
        lines.append(
            f"y = torch.from_numpy(test.{run.codec.condition.needs_column or 'images'}[{number}:{number + 1}])"
        )
        given = ", y"
    elif conditional and (told := run.told(state.label, image)) is not None:
        given = f", torch.tensor({told.tolist()})"
    shape, seen = tuple(run.codec.input_shape), f"model.decode(z{given})"
    if run.scaled and len(shape) == 3:
        lines.append(f"image = model.scaling.as_picture({seen})[0]  # {shape}, black to white in [0, 1]")
    elif run.scaled:
        lines.append(f"image = {seen}[0]  # {shape}, in the units of the data")
    else:
        lines.append(f"image = {seen}[0].clamp(0, 1)  # {shape}")
    return "\n".join(lines)


def command_line(desk: Desk) -> str:
    """The command that draws what comes nearest to it."""
    run = desk.first
    folder = run.path
    if folder is None:
        return "# this model lies in no run folder"
    data = "NAME, since its own images are not at hand" if run.test is None else "as it was given"
    return _drawing(desk, folder) + ("" if run.own else f"  # and --data {data}")


def _drawing(desk: Desk, folder: Path) -> str:
    run, state = desk.first, desk.state
    if not run.width:
        return "# this model has no code, of which a command could draw anything"
    if not is_picture(run.codec.input_shape):
        return shell_line("explore map", folder)
    if run.discrete:
        return shell_line("explore codebook", folder)
    ends = [one.image for one in (state.a, state.b) if one is not None and one.image is not None]
    if desk.at_pins and len(ends) == 2:
        return shell_line("explore interpolate", folder, "--images", *ends, "--ways", state.way)
    image = state.shown.image if state.shown is not None and state.shown.image is not None else 0
    if state.attribute:
        others = run.others(state.attribute) if state.apart else ()
        keep = ["--keep", *others] if others else []
        which = ["--attribute", state.attribute, *keep, "--direction", "probe", "--images", image]
        return shell_line("explore arithmetic", folder, *which)
    return shell_line("explore traverse", folder, "--images", image)


def figure_of(desk: Desk) -> "Figure":
    """The figure of what is shown: the way from A to B where that or a pin is, else the decoded image.

    Raises:
        DiaboloError: for a model of examples that are no pictures.
    """
    run, state = desk.first, desk.state
    if not is_picture(run.codec.input_shape):
        raise DiaboloError("there are figures of pictures only")
    images = desk.strip(STEPS) if desk.at_pins and not run.discrete else None
    if images is not None:
        return figures.strips({state.way: images}, title=f"{run.name}: from A to B")
    shown = desk.shown()
    rows = {one.name: image[None] for one, image in zip(desk.runs, shown.images, strict=True)}
    if shown.original is not None:
        rows = {"original": shown.original[None]} | rows
    return figures.strips({name: np.asarray(row) for name, row in rows.items()}, title=f"{run.name}: decoded")
