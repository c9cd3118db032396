"""results.json of a study: blocks as JSON and back, and what is refused where it was edited or made by someone else."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from PIL import Image

from diabolo import regular
from diabolo.errors import DiaboloError
from diabolo.reports.document import Block, Paragraph
from diabolo.runs import files

BLOCKS: dict[str, Any] = {kind.__name__: kind for kind in get_args(Block)}
LEVELS = range(1, 7)  # of headings
NUMBER = {"value": (int, float), "unit": (str,)}
OPTIONAL = {"low": (int, float), "high": (int, float), "interval": (str,)}


def as_record(block: Block, folder: Path) -> dict[str, Any]:
    """A block as JSON-able data; paths relative to `folder`."""
    assert is_dataclass(block)
    values = {field.name: getattr(block, field.name) for field in fields(block)}
    if "path" in values:
        values["path"] = str(values["path"].relative_to(folder))
    return {"block": type(block).__name__, **{name: plain(value) for name, value in values.items()}}


def as_block(record: Mapping[str, Any], folder: Path) -> Block:
    """The block that `as_record` wrote down. Pictures are those of the study's own `folder`; for one that is missing there is a
    sentence.

    Raises:
        DiaboloError: when it is none, or its picture is not in the folder or is none.
    """
    kind = BLOCKS.get(record["block"]) if isinstance(record.get("block"), str) else None
    if kind is None:
        raise DiaboloError(
            f"{folder / 'results.json'} was edited or damaged: {record.get('block')!r} is no block of a report"
        )
    hints = get_type_hints(kind)
    values = {name: _tuples(value) for name, value in record.items() if name != "block"}
    for name, value in values.items():
        if name not in hints or not _fits(value, str if hints[name] is Path else hints[name]):
            raise DiaboloError(
                f"{folder / 'results.json'} was edited or damaged: {str(value)[:40]!r} is no {name} of a {record['block']}"
            )
    if values.get("level", 1) not in LEVELS:
        raise DiaboloError(
            f"{folder / 'results.json'} was edited or damaged: there is no heading of level {values['level']}"
        )
    if "path" in values:
        values["path"] = regular.inside(folder, values["path"], (".png",))
        if not values["path"].exists():
            return Paragraph(f"(The figure {values['path'].name} is missing: {values.get('caption')})")
        check_picture(folder, values["path"])
    try:
        block: Block = kind(**values)
    except (TypeError, ValueError) as error:
        raise DiaboloError(f"{folder / 'results.json'} was edited or damaged: {error}") from error
    return block


def check_picture(folder: Path, path: Path) -> None:
    """Refuse a picture in `folder` that is no PNG image, or beside which lies something else than a PDF of its own.

    Raises:
        DiaboloError: for such a one.
    """
    try:
        with Image.open(path, formats=("PNG",)):
            pass
    except Exception as error:  # whatever Pillow makes of a file that only calls itself a picture
        raise DiaboloError(f"{path} is not a PNG image") from error
    vectors = regular.inside(folder, str(path.with_suffix(".pdf").relative_to(folder)), (".pdf",))
    if vectors.exists() and not regular.read_bytes(vectors).startswith(b"%PDF"):
        raise DiaboloError(f"{vectors} is not a PDF")


def read(folder: Path) -> dict[str, Any]:
    """results.json of the study's `folder`.

    Raises:
        DiaboloError: when it is not there, or not that of a study; or when something in the folder is neither a file nor a
            folder, or a link leads out of it.
    """
    if folder.is_dir():
        regular.check_folder(folder)
    path = folder / "results.json"
    again = "run the study again, which writes it anew"
    found = files.read_json(path, again)
    if not (isinstance(found, dict) and _whole(found)):
        raise DiaboloError(f"{path} is not that of a study: {again}")
    return found


def _whole(found: Mapping[str, Any]) -> bool:
    """Whether results.json has all that is read of it, each of its kind."""
    kinds = {"study": str, "parameters": dict, "quick": bool, "versions": dict, "at": str, "images": dict, "rows": dict}
    if not all(isinstance(found.get(name), kind) for name, kind in kinds.items()):
        return False
    if not isinstance(found["versions"].get("diabolo"), str) or not all(
        map(_is_parameter, found["parameters"].values())
    ):
        return False
    return all(map(_is_images, found["images"].values())) and all(map(_is_row, found["rows"].values()))


def _is_parameter(value: Any) -> bool:
    return all(
        item is None or isinstance(item, str | int | float) for item in (value if isinstance(value, list) else [value])
    )


def _is_images(seen: Any) -> bool:
    def counted(part: Any) -> bool:
        return (
            isinstance(part, list)
            and len(part) == 3
            and type(part[0]) is int
            and type(part[1]) in (int, types.NoneType)
        )

    return (
        isinstance(seen, dict)
        and isinstance(seen.get("name"), str)
        and isinstance(seen.get("unchecked", 0), str | None)
        and isinstance(seen.get("parts"), dict)
        and all(map(counted, seen["parts"].values()))
    )


def _is_row(row: Any) -> bool:
    def counted(number: Any) -> bool:
        return (
            isinstance(number, dict)
            and all(isinstance(number.get(name), kinds) for name, kinds in NUMBER.items())
            and all(isinstance(number[name], kinds) for name, kinds in OPTIONAL.items() if name in number)
        )

    return (
        isinstance(row, dict)
        and isinstance(row.get("numbers"), dict)
        and all(map(counted, row["numbers"].values()))
        and _is_blocks(row.get("blocks"))
        and ("report" not in row or _is_report(row["report"]))
        and isinstance(row.get("not measured", ""), str)
        and isinstance(row.get("models", {}), dict)
        and all(map(_is_account, row.get("models", {}).values()))
    )


def _is_account(known: Any) -> bool:
    return (
        isinstance(known, dict)
        and known.get("state") in ("met", "missed", "not decided")
        and all(isinstance(known.get(name), str) for name in ("told", "may_fail"))
    )


def _is_report(report: Any) -> bool:
    return (
        isinstance(report, dict)
        and isinstance(report.get("title"), str)
        and isinstance(report.get("about"), str)
        and _is_blocks(report.get("blocks"))
    )


def _is_blocks(blocks: Any) -> bool:
    return isinstance(blocks, list) and all(isinstance(block, dict) for block in blocks)


def plain(value: Any) -> Any:
    """As JSON gives it back: tuples are lists."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value read from JSON is of the type of a block's field."""
    origin, within = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, kind) for kind in within)
    if origin is Literal:
        return isinstance(value, str) and value in within
    if origin in (tuple, Sequence):
        return isinstance(value, tuple) and all(_fits(item, within[0]) for item in value)
    return isinstance(value, hint)
