"""Run a study from its script, then write what it found."""

from pathlib import Path
from typing import Any

from diabolo.studies.plan import Plan, following
from diabolo.studies.script import Script, check_rows
from diabolo.studies.study import Study
from diabolo.studies.writing import write_reports


def run(script: Script, plan: Plan) -> Study:
    """Run the rows that the plan wants; results.json in its folder grows row by row.

    Raises:
        UnknownNameError: for a row or a parameter that the study has not.
    """
    check_rows(script, plan.only)
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(script.path)}
    with following(plan):
        exec(compile(script.source, str(script.path), "exec"), namespace)
    study = namespace["study"]
    assert isinstance(study, Study)
    return study


def report(script: Script, plan: Plan, study: Study) -> list[Path]:
    """Write report.md, report.html, report.pdf and the executed notebook.ipynb into the study's folder."""
    from diabolo.reports import notebook

    made = notebook.execute(script.with_parameters(study.parameters), study.folder, plan.environment(script.name))
    return [*write_reports(script, study.folder), made]
