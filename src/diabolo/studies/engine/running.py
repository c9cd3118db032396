"""Run a study from its script, then write what it found."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from diabolo import disk, regular
from diabolo.errors import Stopped
from diabolo.runs import files, lock
from diabolo.studies.engine.plan import Plan, following
from diabolo.studies.engine.progress import Watch, watching
from diabolo.studies.engine.record import read
from diabolo.studies.engine.scripts import Script, check_rows
from diabolo.studies.engine.study import Study
from diabolo.studies.engine.writing import write_reports


def run(script: Script, plan: Plan) -> Study:
    """Run the rows that the plan wants; results.json in its folder grows row by row.

    Raises:
        UnknownNameError: for a row or a parameter that the study has not.
        InUseError: when another process is running a study in that folder.
    """
    check_rows(script, plan.only)
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(script.path)}
    try:
        watch = Watch(rows=len(plan.only or script.rows), some=bool(plan.only))
        with following(plan), alone_in(plan.folder(script.name), f"study {script.name}"), watching(watch):
            exec(compile(script.source, str(script.path), "exec"), namespace)
    except KeyboardInterrupt as stopped:
        raise Stopped("stopped; the same line goes on, with what was finished kept") from stopped
    study = namespace["study"]
    assert isinstance(study, Study)
    return study


@contextmanager
def alone_in(folder: Path, verb: str) -> Iterator[None]:
    """Inside the block nobody else writes into the study's `folder`, which is made; one in which nothing was written is taken
    away again.

    Raises:
        InUseError: when another process has it.
        DiaboloError: when a link leads out of it, or something in it is neither a file nor a folder.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    files.make_folder(folder)
    regular.check_folder(folder)  # a link would lead what is written out of it
    try:
        with lock.held(folder, verb):
            yield
    finally:
        with suppress(OSError):  # not empty
            for place in missing:
                place.rmdir()


def report(script: Script, plan: Plan, study: Study) -> list[Path]:
    """Write report.md, report.html, report.pdf and then the executed notebook.ipynb into the study's folder."""
    from diabolo.reports import notebook

    with alone_in(study.folder, f"study {script.name}"), disk.desk() as aside:
        written, rows = write_reports(script, study.folder), tuple(read(study.folder)["rows"])
        # results.json is not written anew by the notebook
        environment = replace(plan, only=rows, out=aside).environment(script.name)
        made = notebook.execute(script.with_parameters(study.parameters, study.unchecked), study.folder, environment)
    return [*written, made]
