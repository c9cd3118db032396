"""`diabolo study NAME`: one command per study, with that study's own parameters."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Group, Parameter

from diabolo.cli.help import keywords, taking
from diabolo.cli.options import Root
from diabolo.cli.verbs import VERBS
from diabolo.studies.engine.plan import hint
from diabolo.studies.engine.scripts import Script, scripts
from diabolo.terminal import say

app = App(name="study", help=VERBS["study"])

PARAMETERS = Group("Study", sort_key=1)
SHARED: dict[str, tuple[Any, Any]] = {
    "only": (
        Annotated[
            tuple[str, ...],
            Parameter(consume_multiple=True, negative=(), help="rows, such as 3.2, and what they need."),
        ],
        (),
    ),
    "quick": (
        Annotated[bool, Parameter(negative=(), help="all rows in minutes, on few images for few epochs.")],
        False,
    ),
    "root": (Root, None),
    "out": (Annotated[Path | None, Parameter(help="the study's folder; studies/NAME when left out.")], None),
    "trained": (
        Annotated[Path | None, Parameter(help="where finished trainings are kept for all studies; studies/trained.")],
        None,
    ),
    "report": (Annotated[bool, Parameter(help="write the report and the notebook afterwards.")], True),
}


def run(script: Script, given: dict[str, Any]) -> None:
    """Run, write, and fail when a bar is missed, a row could not be measured, or a model has not learned."""
    from diabolo.reports import extra
    from diabolo.studies.engine import running, writing
    from diabolo.studies.engine.plan import Plan
    from diabolo.studies.engine.record import read
    from diabolo.studies.engine.row import unlearned

    if given.get("report", True):
        extra.check()

    parameters = {name: given[name] for name in script.parameters if given.get(name) is not None}
    plan = Plan(
        parameters, given.get("quick", False), tuple(given.get("only", ())), given.get("out"), given.get("trained"),
        given.get("root"),
    )  # fmt: skip
    study = running.run(script, plan)
    if given.get("report", True):
        for path in running.report(script, plan, study):
            say(path)
    results = read(study.folder)
    wrong = [f"missed: {v.claim}, measured {v.measured}" for v in writing.verdicts(results) if v.state == "missed"]
    for index, row in results["rows"].items():
        if index in study.rows:
            if "not measured" in row:
                wrong.append(f"not measured: {index} {row['title']}, because {row['not measured']}")
            for label, known in unlearned(row.get("models", {})).items():
                wrong.append(f"{index}: no findings, because {label} has not learned ({known['told']})")
    for line in wrong:
        say(line)
    if wrong:
        sys.exit(1)


def _command(script: Script) -> Callable[..., None]:
    """A function whose signature is the study's parameters, for cyclopts."""

    def command(**given: Any) -> None:
        run(script, given)

    options = {name: (_hint(value, script.told[name]), None) for name, value in script.parameters.items()} | SHARED
    rows = ", ".join(f"{index} {title}" for index, title in script.rows.items())
    return taking(command, keywords(options), f"{script.title}.\n\nRows: {rows}.")


def _hint(value: Any, text: str) -> Any:
    """The type of a parameter by its default, and what is told of it."""
    several = isinstance(value, tuple | list)
    said = " ".join(map(str, value)) if several else value
    told = Parameter(
        group=PARAMETERS,
        help=f"{text}. [default: {said}]",
        consume_multiple=several or None,
        negative=(),
        show_default=False,
    )
    return Annotated[hint(value) | None, told]


for _script in scripts().values():
    app.command(_command(_script), name=_script.name)
