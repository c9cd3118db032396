"""`diabolo models`."""

import inspect

from cyclopts import App
from rich.console import Console
from rich.table import Table
from rich.text import Text

from diabolo import nets, zoo
from diabolo.cli.main import VERBS

app = App(name="models", help=VERBS["models"])


@app.default
def command() -> None:
    """The models that can be trained, their options and papers."""
    models = Table("model", "what it is", "its own options", title="diabolo train MODEL", show_lines=True)
    for name, recipe in zoo.RECIPES.items():
        options = {key: default for key, (_, default) in zoo.options_of(name).items() if key not in nets.HELP}
        models.add_row(name, inspect.getdoc(recipe), _flags(options))
    cones = Table("net", "what it is", "its options", title="--net NET", show_lines=True)
    for name, net in nets.NETS.items():
        parameters = inspect.signature(net).parameters.items()
        options = {key: p.default for key, p in parameters if key in nets.HELP}
        cones.add_row(name, inspect.getdoc(net), _flags(options))
    console = Console()
    console.print(models, cones, "Every option of a model, with its help: diabolo train MODEL --help.")


def _flags(options: dict[str, object]) -> Text:
    """One flag a line, with its default where it has one."""
    return Text("\n".join(f"--{key.replace('_', '-')} {_word(default)}".rstrip() for key, default in options.items()))


def _word(default: object) -> str:
    return "" if default is None else " ".join(map(str, default)) if isinstance(default, tuple) else str(default)
