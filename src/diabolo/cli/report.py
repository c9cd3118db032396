"""`diabolo report FOLDER`, of a run, a study or a sweep."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from diabolo.cli.options import MovedOptions, where
from diabolo.cli.verbs import VERBS
from diabolo.ranges import checked
from diabolo.terminal import say

app = App(name="report", help=VERBS["report"])


@app.default
@checked
def command(
    folder: Path,
    /,
    *,
    notebook: Annotated[bool, Parameter(negative=("--no-notebook",))] = True,
    moved: MovedOptions = None,
) -> None:
    """Write up a run, a study or a sweep as report.md, report.html and report.pdf in its folder; a run as notebook.ipynb too.

    Args:
        folder: of a run; of a study (that with results.json), whose rows are not run again; or of a sweep.
        notebook: whether the notebook of a run is made; its process loads the run and draws its figures.
    """
    from diabolo.errors import DiaboloError
    from diabolo.sweeping import is_sweep

    images = where(moved)
    if is_sweep(folder):
        if images:
            raise DiaboloError("--data and --root are of the images of a run; the report of a sweep needs none")
        return _sweep(folder)
    if (folder / "results.json").exists():
        if images:
            raise DiaboloError("--data and --root are of the images of a run; the report of a study needs none")
        return _study(folder)
    from diabolo import reports
    from diabolo.reports import extra, run_report
    from diabolo.reports import notebook as notebooks
    from diabolo.runs.config import Config
    from diabolo.runs.lock import writing
    from diabolo.trust import trusted

    extra.check(*(() if notebook else extra.NOTEBOOK))
    with writing(folder, "report"):
        document = run_report.document_of(folder, moved=images)
        for path in reports.write(document, folder):
            say(path)
        if notebook:
            script = notebooks.script(trusted(), images, Config.read(folder).words)
            say(notebooks.execute(script, folder, {}, where=folder, title=document.title))
    return None


def _sweep(folder: Path) -> None:
    """Write the report of a sweep, as far as it has come."""
    from diabolo import reports
    from diabolo.reports import extra, sweep_report
    from diabolo.sweeping import Sweep

    extra.check(*extra.NOTEBOOK)
    for path in reports.write(sweep_report.document_of(Sweep.read(folder), folder / "figures"), folder):
        say(path)


def _study(folder: Path) -> None:
    """Write the reports of a study again, and say what is missing in them."""
    from diabolo.errors import DiaboloError
    from diabolo.reports import extra
    from diabolo.studies.engine import running, writing
    from diabolo.studies.engine.record import read
    from diabolo.studies.engine.scripts import find

    extra.check()
    results = read(folder)
    script = find(results["study"])
    try:
        with running.alone_in(folder, "report"):
            written = writing.write_reports(script, folder)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        if isinstance(error, DiaboloError):
            raise
        raise DiaboloError(f"{folder / 'results.json'} was edited or damaged: {error!r}") from error
    for path in written:
        say(path)
    missing = [index for index in script.rows if index not in results["rows"]]
    if missing:
        say(f"not run, so not in the report: {', '.join(missing)}")
        say(f"they are run by: {writing.command_of(script, results, missing, folder)}")
