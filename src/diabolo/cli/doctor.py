"""`diabolo doctor RUN`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from diabolo.cli.options import DataFlags
from diabolo.cli.verbs import VERBS
from diabolo.ranges import checked
from diabolo.terminal import Terminal, say

app = App(name="doctor", help=VERBS["doctor"])


@app.default
@checked
def command(
    run: Path,
    /,
    *,
    data: str | None = None,
    images: Annotated[DataFlags | None, Parameter(name="*")] = None,
) -> None:
    """What is wrong with a run, how it shows, and the line that would mend it.

    Args:
        run: the run folder.
        data: other images than those that the run was trained on.
    """
    from diabolo.doctor import diagnose
    from diabolo.errors import DiaboloError

    if images is not None and data is None:
        raise DiaboloError("options of the data set need --data NAME; without it the images are those of the run")
    with Terminal(error=True).status("looking at it"):
        found = diagnose(run, None if data is None else (images or DataFlags()).load(data))
    if not found:
        say(f"{run}: nothing wrong was found")
    for illness in found:
        say(f"{illness.name}: {illness.evidence}.")
        say(f"  try {illness.remedy.words}")
        if illness.remedy.command is not None:
            say(f"  {illness.remedy.command}")
    for reason in sorted(set(found.unseen.values())):
        names = ", ".join(name for name, why in found.unseen.items() if why == reason)
        say(f"not looked at ({names}): {reason}")
