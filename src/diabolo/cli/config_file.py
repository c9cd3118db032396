"""A YAML file of options, read by the core schema of YAML 1.2: `010` is ten, `0o10` eight, `1e-3` a number; `yes`, `no`, `on`,
`off`, `1:30` and dates are text. What a list of options never needs is refused with its line: a key twice, anchors and
aliases, tags, mappings within mappings, several documents."""

import codecs
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from diabolo.errors import DiaboloError

MOST_BYTES = 1 << 20
CORE = {
    "null": re.compile(r"~|null|Null|NULL|"),
    "bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "int": re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    "float": re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
}
MARKS = (  # the longer first, as one begins another
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Word:
    """One value: its `text` as it stands in the file, and its `kind`: null, bool, int, float or str."""

    text: str
    kind: str

    @property
    def number(self) -> str:
        """The text for something that wants a number or a truth value: 0o10 as 8, 010 as 10, .inf as inf."""
        if self.kind == "int":
            return str(int(self.text, 0 if self.text[:2] in ("0o", "0x") else 10))
        return self.text.lower().replace(".inf", "inf").replace(".nan", "nan") if self.kind == "float" else self.text


Value = Word | list[Word]


def read(path: Path) -> dict[str, Value]:
    """The options in the file, by key as it is written there.

    Raises:
        DiaboloError: when it cannot be read, or is no flat mapping of keys to values and lists of values.
    """
    text = _text(path)
    try:
        for depth, event in _depths(text):
            if event.__class__ is yaml.AliasEvent or getattr(event, "anchor", None) is not None:
                raise _refused(
                    path, event.start_mark, "options take no anchors and aliases (& and *): write the value out"
                )
            if (tag := getattr(event, "tag", None)) is not None:
                raise _refused(path, event.start_mark, f"options take no tags, such as {tag}")
            if depth > 2:
                raise _refused(path, event.start_mark, "an option is a value or a list of values, and nothing deeper")
        node = yaml.SafeLoader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark, what = error.problem_mark or error.context_mark, error.problem or error.context
        raise _refused(path, mark, f"not valid YAML: {what}") from error
    except (yaml.YAMLError, ValueError) as error:  # characters that YAML forbids, say
        raise DiaboloError(f"the config file {path} is not valid YAML: {error}") from error
    if node is None or (isinstance(node, yaml.ScalarNode) and CORE["null"].fullmatch(node.value)):
        return {}
    if not isinstance(node, yaml.MappingNode):
        what = "a list" if isinstance(node, yaml.SequenceNode) else "one value"
        raise DiaboloError(f"the config file {path} must hold options such as 'epochs: 10', not {what}")
    found: dict[str, Value] = {}
    first: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _refused(path, key.start_mark, "a key is the name of an option")
        if isinstance(value, yaml.ScalarNode) and not value.value and value.style is None:
            raise _refused(path, key.start_mark, f"{key.value!r} has no value; leave the line out for its default")
        plain = key.value.replace("_", "-")
        if plain in first:
            raise _refused(path, key.start_mark, f"{key.value!r} stands twice, first in line {first[plain]}")
        first[plain] = key.start_mark.line + 1
        found[key.value] = _value(path, key.value, value)
    return found


def _value(path: Path, key: str, node: yaml.Node) -> Value:
    if isinstance(node, yaml.SequenceNode):
        return [_word(path, key, item) for item in node.value]
    return _word(path, key, node)


def _word(path: Path, key: str, node: yaml.Node) -> Word:
    if not isinstance(node, yaml.ScalarNode):
        raise _refused(path, node.start_mark, f"{key!r} takes a value or a list of values, and nothing deeper")
    kinds = (kind for kind, form in CORE.items() if node.style is None and form.fullmatch(node.value))
    return Word(node.value, next(kinds, "str"))


def _depths(text: str) -> "list[tuple[int, yaml.Event]]":
    """Each event of the file with how many lists and mappings it lies within; no further than the first that is too deep, since
    what follows may be endless."""
    depth, found = 0, []
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        found.append((depth, event))
        if depth > 2:
            break
        depth -= isinstance(event, yaml.CollectionEndEvent)
    return found


def _text(path: Path) -> str:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            what = "a folder" if stat.S_ISDIR(about.st_mode) else "no regular file"
            raise DiaboloError(f"the config file {path} cannot be read: it is {what}")
        if about.st_size > MOST_BYTES:
            raise DiaboloError(
                f"the config file {path} cannot be read: {about.st_size:,} bytes are too many for options"
            )
        raw = path.read_bytes()
    except OSError as error:
        raise DiaboloError(f"the config file {path} cannot be read: {error.strerror}") from error
    encoding = next((name for mark, name in MARKS if raw.startswith(mark)), "utf-8")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise DiaboloError(f"the config file {path} is not valid YAML: its text is not {encoding.upper()}") from error


def _refused(path: Path, mark: Any, why: str) -> DiaboloError:
    line = mark.line + 1 if mark else 1
    if why.startswith("not valid"):
        return DiaboloError(f"line {line} of the config file {path} is {why}")
    return DiaboloError(f"line {line} of the config file {path}: {why}")
