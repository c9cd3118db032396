"""`diabolo track RUN --to TRACKER`."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from diabolo.cli.verbs import VERBS
from diabolo.ranges import checked
from diabolo.terminal import say

app = App(name="track", help=VERBS["track"])


@app.default
@checked
def command(
    run: Path,
    /,
    *,
    to: Literal["tensorboard", "mlflow", "wandb", "trackio"],
    where: Annotated[str | None, Parameter(show_default=False)] = None,
) -> None:
    """Pass the epochs of a run on to a tracker: those of one that is over, and of one that goes on as long as it does.
    No epoch is passed on twice, so the same line can be given again after a resume.

    Args:
        run: the run folder.
        to: tensorboard, mlflow, wandb or trackio.
        where: a folder for events (tensorboard; in the run folder when left out), the address of a server or database (mlflow),
            or the name of a project (wandb, trackio; diabolo when left out).
    """
    from diabolo.plain import count
    from diabolo.runs.folder import RunFolder
    from diabolo.tracking import follow, named

    tracker = named(to, where)
    passed = follow(run, tracker, say=say)
    more = "" if tracker.done == passed else f" ({tracker.done} in all)"
    say(f"{count(passed, 'epoch')} passed on to {tracker.place}{more}; {run}: {RunFolder(run).status}")
