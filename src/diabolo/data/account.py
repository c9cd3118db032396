"""The account of what was loaded: what was there, what was taken, what was left out and why, and how it was read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from diabolo import display
from diabolo.plain import count, visible

EXAMPLES = 3  # names kept of each kind of what was left out
NOT_IMAGES = "not images"
FEW = 12  # classes that are named one by one in the line
SHOWN = 60  # columns that are told one by one


@dataclass
class LeftOut:
    """How many files were left out, by kind, and the first names of each."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, name: str) -> None:
        """One file or folder more."""
        self.counts[kind] += 1
        if len(named := self.examples.setdefault(kind, [])) < EXAMPLES:
            named.append(name)

    def not_image(self, name: str) -> None:
        """One file more whose ending is no image's."""
        self.add(f"{NOT_IMAGES} ({PurePosixPath(name).suffix.lower() or 'no ending'})", name)

    def line(self) -> str:
        """All kinds and how many of each; the endings of what is no image in one bracket."""
        plain = {kind: n for kind, n in self.counts.items() if not kind.startswith(NOT_IMAGES)}
        endings = {kind[len(NOT_IMAGES) + 2 : -1]: n for kind, n in self.counts.items() if kind.startswith(NOT_IMAGES)}
        told = [f"{n:,} {kind}" for kind, n in sorted(plain.items())]
        if endings:
            most = sorted(endings, key=lambda ending: (-endings[ending], ending))
            named = ", ".join(most[:4]) + (", …" if len(most) > 4 else "")
            told.insert(0, f"{sum(endings.values()):,} {NOT_IMAGES} ({named})")
        return ", ".join(told)


@dataclass(frozen=True)
class Account:
    """What was loaded, and from what.

    what        how to name the source: "folder pets", "letters.npz"
    files       how many were there, and how many of them were taken as images; None where there are no files
    left_out    kind → how many, and `examples` of their names
    parts       part → images, and `division`: how they came to be parts
    classes     name → images, in the order of the labels; None without labels. `unlabelled` images have none
    sizes       "28×28" → images; `modes`: Pillow's mode or the array's dtype → images; `depths`: "8 bit" → images
    channels    of an image as loaded; None for vectors
    used        the least and greatest value met, in the source's own numbers; None where that is not known
    span        the values read as 0 (black) and 1 (white), in the source's own numbers
    store       how the images of files are kept, and why; "" where there are no files
    notes       what else a reader should know: animations of which one frame was taken, values that were clipped
    duplicates  images (or files) that are byte for byte the same as an earlier one; None where not counted
    columns     of a table: the name of each column → what it holds

    Example:
        >>> account = diabolo.data.Account("digits", parts={"train": 1437, "test": 360})
        >>> account.what, account.parts["train"]
        ('digits', 1437)
    """

    what: str
    files: tuple[int, int] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, list[str]] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)
    division: str = ""
    classes: Mapping[str, int] | None = None
    unlabelled: int = 0
    sizes: Mapping[str, int] = field(default_factory=dict)
    modes: Mapping[str, int] = field(default_factory=dict)
    depths: Mapping[str, int] = field(default_factory=dict)
    channels: int | None = None
    used: tuple[float, float] | None = None
    span: tuple[float, float] | None = None
    store: str = ""
    notes: tuple[str, ...] = ()
    duplicates: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """What one of them is called: an image, or a row of a table."""
        return "row" if self.columns else "image"

    @property
    def surprises(self) -> bool:
        """Whether something was left out, or read, in a way that one may not expect."""
        return bool(self.notes) or any(kind != "hidden" and not kind.startswith(NOT_IMAGES) for kind in self.left_out)

    def line(self) -> str:
        """One line without a full stop; names of files and classes are shown, and never acted on."""
        told = [*self._files(), *self._classes(), *self._parts(), self._pixels(), self.store, *self.notes]
        return visible(f"{self.what}: " + "; ".join(part for part in told if part))

    def rows(self) -> list[tuple[str, str]]:
        """What a table shows: (what, value), one fact each."""
        rows = [("source", self.what)]
        if self.files is not None:
            rows += [("files seen", f"{self.files[0]:,}"), ("files taken", f"{self.files[1]:,}")]
        for kind, n in sorted(self.left_out.items()):
            named = ", ".join(self.examples.get(kind, []))
            rows.append(
                (f"left out: {kind}", f"{n:,}" + (f" ({named}{', …' if n > EXAMPLES else ''})" if named else ""))
            )
        rows += [(f"part: {part}", count(n, self.unit)) for part, n in self.parts.items()]
        if self.division:
            rows.append(("parts", self.division))
        for number, (name, n) in enumerate((self.classes or {}).items()):
            rows.append((f"class {number}: {name}", count(n, self.unit)))
        if self.classes is None:
            rows.append(("classes", "none"))
        if self.unlabelled:
            rows.append(("without a known label", count(self.unlabelled, self.unit)))
        if self.columns:
            rows.append(("columns", f"{len(self.columns):,}"))
            rows += [(f"column {name}", told) for name, told in list(self.columns.items())[:SHOWN]]
        if len(self.columns) > SHOWN:
            rows.append((f"{len(self.columns) - SHOWN:,} columns more", "not shown"))
        rows += [(f"size: {size}", count(n, self.unit)) for size, n in most_common(self.sizes)]
        rows += [(f"mode: {mode}", count(n, self.unit)) for mode, n in most_common(self.modes)]
        rows += [(f"depth: {depth}", count(n, self.unit)) for depth, n in most_common(self.depths)]
        if self.channels is not None:
            rows.append(("channels", str(self.channels)))
        if self.used is not None:
            rows.append(("values used", between(self.used)))
        if self.span is not None:
            rows.append(("read as black and white", between(self.span)))
        if self.store:
            rows.append(("store", self.store))
        if self.duplicates is not None:
            rows.append(("duplicate rows" if self.columns else "duplicates, byte for byte", f"{self.duplicates:,}"))
        return rows + [("note", note) for note in self.notes]

    def _repr_html_(self) -> str:
        """The table in a notebook."""
        return display.table(self.what, "", (), self.rows()[1:])

    def _files(self) -> list[str]:
        if self.files is None:
            return [count(sum(self.parts.values()), self.unit)] + (
                [f"{count(len(self.columns), 'column')}"] if self.columns else []
            )
        seen, taken = self.files
        told = [f"{taken:,} of {count(seen, 'file')} taken" if taken != seen else f"all {count(seen, 'file')} taken"]
        if self.left_out:
            told.append("left out: " + LeftOut(Counter(self.left_out)).line())
        return told

    def _classes(self) -> list[str]:
        if self.classes is None:
            return ["no classes"]
        if not self.classes:
            return ["no known labels"]
        if len(self.classes) > FEW:
            counts = self.classes.values()
            return [f"{len(self.classes):,} classes of {min(counts):,} to {count(max(counts), self.unit)}"]
        return ["classes " + ", ".join(f"{name} {n:,}" for name, n in self.classes.items())]

    def _parts(self) -> list[str]:
        counts = ", ".join(f"{part} {n:,}" for part, n in self.parts.items())
        return [f"{counts} ({self.division})" if self.division else counts]

    def _pixels(self) -> str:
        told = [] if self.channels is None else [count(self.channels, "channel")]
        told += [depth for depth, _ in most_common(self.depths)[:3]]
        if self.used is not None:
            told.append(f"values {between(self.used)} used")
        if self.span is not None and self.span != self.used:
            told.append(f"{between(self.span)} read as black to white")
        return ", ".join(told)


def most_common(counts: Mapping[str, int], most: int = 20) -> list[tuple[str, int]]:
    """The largest counts first, at most so many, the rest as one."""
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(n for _, n in order[most:])
    return order[:most] + ([(f"{len(order) - most:,} more", rest)] if rest else [])


def between(span: tuple[float, float]) -> str:
    """A range in words, such as "0 to 4,095"."""
    return " to ".join(f"{value:,.0f}" if value == round(value) else f"{value:.6g}" for value in span)
