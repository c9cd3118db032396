"""`diabolo unfold RUN`."""

from pathlib import Path

from cyclopts import App

from diabolo.cli.options import MovedOptions, where
from diabolo.cli.verbs import VERBS
from diabolo.ranges import checked
from diabolo.terminal import say

app = App(name="unfold", help=VERBS["unfold"])


@app.default
@checked
def command(run: Path, /, *, out: Path | None = None, moved: MovedOptions = None) -> None:
    """Write a run as a stand-alone script and notebook in plain PyTorch: images, networks, loss, loop and pictures, without
    Diabolo, to be read from top to bottom.

    Args:
        run: a run folder.
        out: the folder they are written into; `unfolded` in the run folder when left out.
    """
    from diabolo import unfold
    from diabolo.trust import trusted

    for path in unfold.write(run, out, trusted(), where(moved)):
        say(path)
