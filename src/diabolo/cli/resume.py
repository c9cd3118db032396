"""`diabolo resume RUN`."""

from pathlib import Path

from cyclopts import App

from diabolo.cli.options import Moved, MovedOptions
from diabolo.cli.verbs import VERBS
from diabolo.ranges import Count, checked
from diabolo.terminal import say

app = App(name="resume", help=VERBS["resume"])


@app.default
@checked
def command(
    run: Path,
    /,
    *,
    epochs: Count | None = None,
    figures: bool = True,
    moved: MovedOptions = None,
) -> None:
    """Go on with an interrupted run, or train a finished one for further epochs. Where only the kept weights or the figures are
    missing, since the process was killed after training, they are made up for.

    Args:
        run: the run folder.
        epochs: the new total of epochs; as before when left out.
        figures: draw figures into the run folder afterwards.
    """
    from diabolo.cli.train import finish
    from diabolo.pictures import run_figures
    from diabolo.runs.loading import load_run
    from diabolo.training.fit import resume
    from diabolo.training.preflight import NothingLeftError

    moved = moved or Moved()
    try:
        result = resume(run, epochs=epochs, data=moved.data, root=moved.root, labels=moved.labels)
    except NothingLeftError:
        if epochs is not None or not figures or not run_figures.lacks_figures(run):
            raise
        result = load_run(run)
        say(f"{run} is trained; its figures are drawn")
    finish(result, figures)
