"""`diabolo models`."""

import inspect

from cyclopts import App
from rich.console import Console
from rich.table import Table

from diabolo import nets, zoo
from diabolo.cli.main import VERBS

app = App(name="models", help=VERBS["models"])


@app.default
def command() -> None:
    """The models that can be trained, their options and papers."""
    table = Table(
        "model", "what it is", "its own options (with defaults)", title="diabolo train MODEL", show_lines=True
    )
    for name, recipe in zoo.RECIPES.items():
        own = {key: default for key, (_, default) in zoo.options_of(name).items() if default is not None}
        table.add_row(name, inspect.getdoc(recipe), "\n".join(f"--{k.replace('_', '-')} {v}" for k, v in own.items()))
    console = Console()
    console.print(table)
    net_table = Table("net", "what it is", title="--net NET", show_lines=True)
    for name, net in nets.NETS.items():
        net_table.add_row(name, inspect.getdoc(net))
    console.print(net_table)
