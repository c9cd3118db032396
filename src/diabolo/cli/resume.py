"""`diabolo resume RUN`."""

from pathlib import Path

from cyclopts import App

from diabolo import gallery
from diabolo.cli.main import VERBS
from diabolo.training.fit import resume

app = App(name="resume", help=VERBS["resume"])


@app.default
def command(run: Path, /, *, epochs: int | None = None, figures: bool = True) -> None:
    """Go on with an interrupted run, or train a finished one for further epochs.

    Args:
        run: the run folder.
        epochs: the new total of epochs; as before when left out.
        figures: draw figures into the run folder afterwards.
    """
    result = resume(run, epochs=epochs)
    if figures:
        gallery.draw(result)
