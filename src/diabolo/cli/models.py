"""`diabolo models` and `diabolo models NAME`."""

import inspect
import re
import warnings
from collections.abc import Iterable

from cyclopts import App
from rich.table import Table
from rich.text import Text
from torch import nn

from diabolo import nets, zoo
from diabolo.autoencoder import Autoencoder
from diabolo.cli.help import words_of
from diabolo.cli.verbs import VERBS
from diabolo.errors import UnknownNameError
from diabolo.terminal import Terminal
from diabolo.zoo.results import results

app = App(name="models", help=VERBS["models"])

EXAMPLE_SHAPE = (1, 28, 28)
PARTS = (
    "corruption",
    "encoder",
    "bottleneck",
    "decoder",
    "likelihood",
    "condition",
    "head",
    "objective",
    "observation",
)
SILENT = ("Clean", "Unconditional", "Headless", "AsIs")  # parts that do nothing


@app.default
def command(name: str | None = None, /) -> None:
    """The models that can be trained, their papers, and what they are for.

    Args:
        name: a model, or a recipe of your own as package.module:recipe; shows its parts, options and defaults, an example, and
            what it reached here.
    """
    console = Terminal()
    if name is None:
        _list(console)
    else:
        name = zoo.recipe_at(name) if ":" in name else name
        if name not in zoo.RECIPES:
            raise UnknownNameError("model", name, zoo.RECIPES, see="diabolo models")
        _show(console, name)


def _list(console: Terminal) -> None:
    models = Table("model", "what it is, its paper, and what it is for", title="diabolo train MODEL", show_lines=True)
    for name in zoo.RECIPES:
        models.add_row(name, Text("\n".join(told(name))))
    cones = Table("net", "what it is", "its options", title="--net NET", show_lines=True)
    for name, net in nets.NETS.items():
        options = {key: p.default for key, p in inspect.signature(net).parameters.items() if key in nets.HELP}
        cones.add_row(name, words_of(net), _flags(options))
    console.print(models, cones, "All of a model, and what it reached: diabolo models MODEL.")


def told(name: str) -> list[str]:
    """The paragraphs of a recipe's docstring, each on one line: what it is with its paper, and what it is for."""
    return [re.sub(r"\s+", " ", paragraph).strip() for paragraph in words_of(zoo.RECIPES[name]).split("\n\n")]


def _show(console: Terminal, name: str) -> None:
    with warnings.catch_warnings(action="ignore"):  # that a U-Net's code is no bottleneck is said in training
        model = zoo.build(name, EXAMPLE_SHAPE)
    own = zoo.own_options_of(name)
    everything = {key: default for key, (_, default) in zoo.options_of(name).items()}
    console.print(Text(name, style="bold"), Text("\n".join(told(name))), sep="\n")
    if isinstance(model, Autoencoder):  # no other is made of parts that can be exchanged
        console.print(_parts(model))
        console.print(f"loss: {', '.join(f'{term} in {unit}' for term, unit in model.units.items())}")
    console.print(_options("its own options", own, everything))
    console.print(_options("options of its parts", [key for key in everything if key not in own], everything))
    known = results().get(name, ())
    if known:
        reached = Table("data", "setting", "measure", "value", "bar", title="reached here", title_justify="left")
        for r in known:
            reached.add_row(r.data, r.setting, r.measure, r.value, r.bar)
        console.print(reached)
    commands = list(dict.fromkeys(r.command for r in known))
    if not any(
        line.startswith(f"diabolo train {zoo.path_of(name)} ") for command in commands for line in command.splitlines()
    ):
        console.print(f"for example:\ndiabolo train {zoo.path_of(name)} --data mnist --epochs 10", soft_wrap=True)
    for line in ("with:", *commands) if known else ():
        console.print(line, soft_wrap=True)


def _parts(model: Autoencoder) -> Table:
    """The parts with which the recipe makes its model unless told otherwise."""
    table = Table("part", "", "what it is", title="parts", title_justify="left")
    for slot in PARTS:
        made: nn.Module = getattr(model, slot)
        if type(made).__name__ not in SILENT:
            first = (inspect.getdoc(type(made)) or "").split("\n\n")[0]
            table.add_row(slot, type(made).__name__, Text(re.sub(r"\s+", " ", first)))
    return table


def _options(title: str, names: Iterable[str], defaults: dict[str, object]) -> Table:
    table = Table("option", "default", "what it means", title=title, title_justify="left")
    for name in names:
        table.add_row(_flag(name), _word(defaults[name]), Text(zoo.HELP[name]))
    return table


def _flags(options: dict[str, object]) -> Text:
    """One flag a line, with its default where it has one."""
    return Text("\n".join(f"{_flag(key)} {_word(default)}".rstrip() for key, default in options.items()))


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _word(default: object) -> str:
    return "" if default is None else " ".join(map(str, default)) if isinstance(default, tuple) else str(default)
