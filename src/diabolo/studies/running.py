"""Run a study from its script, then write what it found."""

from pathlib import Path
from typing import Any

from diabolo.studies.plan import Plan, following
from diabolo.studies.script import Script, check_rows
from diabolo.studies.study import Study


def run(script: Script, plan: Plan) -> Study:
    """Run the rows that the plan wants.

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


def default_script(path: Path) -> Script:
    """A script of one's own."""
    return Script(path)
