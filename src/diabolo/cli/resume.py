"""`diabolo resume RUN`."""

from pathlib import Path

from cyclopts import App

from diabolo.cli.main import VERBS
from diabolo.ranges import Count, checked

app = App(name="resume", help=VERBS["resume"])


@app.default
@checked
def command(run: Path, /, *, epochs: Count | None = None, figures: bool = True) -> None:
    """Go on with an interrupted run, or train a finished one for further epochs.

    Args:
        run: the run folder.
        epochs: the new total of epochs; as before when left out.
        figures: draw figures into the run folder afterwards.
    """
    from diabolo.cli.train import finish
    from diabolo.training.fit import resume

    finish(resume(run, epochs=epochs), figures)
