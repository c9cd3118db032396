"""Many image files to one array, decoded on every core this process may use.

Threads suffice: Pillow lets go of Python's lock while it decodes and resizes.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from diabolo.data import scale
from diabolo.data.arrays import Kept, of_pictures
from diabolo.data.depth import SHALLOW, BadImageError
from diabolo.data.files import REMEDY, DiskFiles, Files, disk_files
from diabolo.data.pixels import Facts, Header, Keep, Shaping, read_header, read_pages
from diabolo.data.threads import in_threads
from diabolo.errors import DiaboloError
from diabolo.paths import as_path
from diabolo.plain import count
from diabolo.ranges import ItsOwn, Side, checked

log = logging.getLogger("diabolo.data")

TASK = 64  # files a thread takes at once


@dataclass
class Decoded:
    """Some files, decoded: the images `(C, H, W)`, the file each is a page of, and what the damaged are said to lack; and the
    bytes of the others, where these were wanted."""

    images: list[NDArray[Any]] = field(default_factory=list)
    content: list[bytes] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    bad: dict[int, str] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)


@checked
def read_images(
    paths: Annotated[str | os.PathLike[str] | Iterable[str | os.PathLike[str]], ItsOwn()],
    size: Side | None = None,
    image_channels: Literal[1, 3] | None = None,
    crop: Side | None = None,
    skip_bad: bool = False,
    range: Annotated[Any, ItsOwn()] = scale.AUTO,
    deep: bool = False,
) -> tuple[NDArray[Any], list[str]]:
    """Images from files, or from all files under a folder: uint8 `(N, C, H, W)`, and the name of each.

    paths           a folder, one file, or several files; a page of several is called "stack.tif#1"
    size            side of the square they become (see `Shaping`); None needs images of equal size
    image_channels  3 or 1; None takes 1 if all are grey, else 3
    crop            side of the central square cut out first, or None
    skip_bad        leave damaged files out, with a warning that names them; else the first one is a DiaboloError
    range           what is black and white: "auto", "dtype", "own" or two numbers, see `as_images`
    deep            keep the type and units of files that all have one depth of more than 8 bits, as `load` does

    Example:
        >>> from PIL import Image
        >>> Image.fromarray(test.images[0, 0]).save("digit.png")
        >>> images, names = diabolo.data.read_images(".", size=16)
        >>> images.shape, names
        ((1, 1, 16, 16), ['digit.png'])
    """
    shaping = Shaping(size, crop, image_channels, keep="deep" if deep else "bytes")
    return _read(paths, shaping, scale.check_range(range), skip_bad)


def read_numbers(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    size: int | None = None,
    image_channels: Literal[1, 3] | None = None,
    crop: int | None = None,
    skip_bad: bool = False,
    range: scale.Range = scale.OWN,
) -> tuple[NDArray[np.float32], list[str]]:
    """The same images as float32 in the units of their files, whatever their depths; clipped where `range` is two numbers.

    Example:
        >>> from PIL import Image
        >>> Image.fromarray(np.full((4, 4), 4095, np.uint16)).save("white.png")
        >>> numbers, _ = diabolo.data.decode.read_numbers("white.png")
        >>> float(numbers.max())
        4095.0
    """
    return _read(paths, Shaping(size, crop, image_channels, keep="own"), range, skip_bad)


def _read(paths: Any, asked: Shaping, wanted: scale.Range, skip_bad: bool) -> tuple[NDArray[Any], list[str]]:
    files = _listed(paths, skip_bad)
    shaping: Shaping | None = settle(files, replace(asked, span=span_asked(wanted)), skip_bad)
    found, pixels = Decoded(), np.empty(0, np.uint8)
    while shaping is not None:
        found, pixels = _all(files, shaping, skip_bad)
        shaping = again(found.facts, shaping, wanted, "the pixels", asked.keep)
    tell_skipped(files, found.bad)
    for note in kept_as(found.facts, wanted, "the pixels", asked.keep).notes:
        log.warning("%s", note)
    if found.facts.animations:
        log.warning("%d files are animations, of which the first frame is taken", found.facts.animations)
    return pixels, page_names(files, found.owners)


def _all(files: Files, shaping: Shaping, skip_bad: bool) -> tuple[Decoded, NDArray[Any]]:
    """All images as one array (N, C, H, W), each held once; of no use where `again` has something to say."""
    found, pixels, count = Decoded(), np.empty(0), 0
    for some in decode(files, shaping, skip_bad):
        for image in some.images:
            if not count:
                pixels = np.empty((len(files.names), *image.shape), image.dtype)
            elif count == len(pixels):  # more pages than files
                pixels = np.concatenate([pixels, np.empty_like(pixels)])
            check_shape(image, pixels.shape[1:], files.where(some.owners[0]))
            if image.dtype == pixels.dtype:
                pixels[count] = image
            count += 1
        gather(found, some)
    return found, pixels[:count]


def span_asked(wanted: scale.Range) -> scale.Span | None:
    """The range to decode with at first: what is asked for, or what each file says of itself."""
    return wanted if isinstance(wanted, tuple) else None


def again(facts: Facts, shaping: Shaping, wanted: scale.Range, what: str, keep: Keep) -> Shaping | None:
    """The shaping to decode with once more, where `facts` say that the numbers do not use the range the files claim, or are not
    to be kept as was asked at first; else None.

    Raises:
        DiaboloError: when nothing says what is black and white.
    """
    how = kept_as(facts, wanted, what, keep)
    numbers = [*facts.numbers.values()]
    claimed = numbers[0].nominal if len(numbers) == 1 and not numbers[0].floats else None
    as_told = how.span == claimed and shaping.span is None
    in_bytes = how.to == "bytes" and (shaping.widens or not {*facts.numbers} <= {*SHALLOW})
    better = replace(shaping, keep="bytes" if in_bytes else shaping.keep, span=None if as_told else how.span)
    return None if better == shaping else better


def kept_as(facts: Facts, wanted: scale.Range, what: str, keep: Keep) -> Kept:
    """How the images of files of those `facts` are kept, as `Shaping.keep` asks; black and white are None where each file says
    itself what they are, or none are.

    Raises:
        DiaboloError: when nothing says what is black and white.
    """
    if keep == "own":
        notes = span_of(facts, wanted, what)[1] if isinstance(wanted, tuple) else []
        return Kept("own", span_asked(wanted), tuple(notes))
    wide = isinstance(wanted, tuple) and scale.is_wide(wanted)
    if (
        keep == "deep"
        and len(facts.numbers) == 1
        and (not {*facts.numbers} & {*SHALLOW} or (wide and "8 bit" in facts.numbers))
    ):
        (numbers,) = facts.numbers.values()
        return of_pictures(numbers, wanted, what, lambda _: numbers.steps)
    span, notes = span_of(facts, wanted, what)
    return Kept("bytes", span, tuple(notes))


def shown_as(facts: Facts, how: Kept) -> scale.Span | None:
    """The numbers of the files that are black and white; None where none are, or each file has its own."""
    (nominal, *others) = [numbers.nominal for numbers in facts.numbers.values()] or [None]
    return how.span or (None if how.to == "own" or others else nominal)


def span_of(facts: Facts, wanted: scale.Range, what: str) -> tuple[scale.Span | None, list[str]]:
    """What is black and white in files of those `facts`, None being what each says of itself; and what to say of it."""
    if isinstance(wanted, tuple):
        notes = [note for numbers in facts.numbers.values() for note in scale.settle(numbers, wanted, what)[1]]
        return wanted, notes[:1]
    if wanted == scale.OWN and len(facts.numbers) == 1:
        return None, []
    spans, said = set[scale.Span | None](), list[str]()
    for numbers in facts.numbers.values():
        span, notes = scale.settle(numbers, wanted, what)
        spans.add(None if span == numbers.nominal else span)
        said += notes
    if len(facts.numbers) == 1:
        return spans.pop(), said
    unsure = [depth for depth, numbers in facts.numbers.items() if numbers.low < 0 or "32" in depth]
    if unsure:
        raise DiaboloError(
            f"{what} are of different depths ({', '.join(facts.numbers)}), and nothing says what is white in those of "
            f"{unsure[0]}; save all in one depth"
        )
    return None, []  # no range of numbers means the same in all depths: each file by what it says


def settle(files: Files, asked: Shaping, skip_bad: bool) -> Shaping:
    """The shaping with its channels known, from the headers of all files where they must be found out.

    DiaboloError, naming the file and both sizes, when images differ in size and neither `size` nor `crop` is given.
    """
    same_size = asked.size is None and asked.crop is None
    if not same_size and asked.channels is not None:
        return asked
    first: tuple[str, Header] | None = None
    grey = True
    for index, header in enumerate(_headers(files, skip_bad)):
        if header is None:
            continue
        grey &= header.grey
        name, known = first = first or (files.where(index), header)
        if same_size and (header.width, header.height) != (known.width, known.height):
            raise DiaboloError(
                f"the images differ in size: {name} is {known.width}×{known.height}, "
                f"{files.where(index)} is {header.width}×{header.height}; pass size=… (--size) to resize them"
            )
    return asked if asked.channels is not None else replace(asked, channels=1 if grey else 3)


def check_shape(image: NDArray[Any], shape: tuple[int, ...], where: str) -> None:
    """Refuse an image of another shape than the first: a page of another size than its file's first."""
    if image.shape != shape:
        raise DiaboloError(
            f"the images differ in size: one in or after {where} is {image.shape[2]}×{image.shape[1]}, the first is "
            f"{shape[2]}×{shape[1]}; pass size=… (--size) to resize them"
        )


def decode(files: Files, shaping: Shaping, skip_bad: bool, content: bool = False) -> Iterator[Decoded]:
    """The images in the order of the files, some at a time; with the `content` of the files, where that is wanted.

    Raises BadImageError at the first damaged file unless `skip_bad`, and DiaboloError if no image is left.
    """

    def some(start: int) -> Decoded:
        found = Decoded()
        for index in range(start, min(start + TASK, len(files.names))):
            try:
                data = files.read(index)
                pages, facts = read_pages(data, files.where(index), shaping)
            except BadImageError as error:
                if not skip_bad:
                    raise BadImageError(f"{error}; {REMEDY}") from error
                found.bad[index] = str(error)
                continue
            found.images += pages
            found.content += [data] if content else []
            found.owners += [index] * len(pages)
            found.facts.add(facts)
        return found

    any_good = False
    for found in in_threads(some, range(0, len(files.names), TASK)):
        any_good = any_good or bool(found.images)
        yield found
    if not any_good:
        raise DiaboloError(f"none of {count(len(files.names), 'image')} can be read; the first is {files.where(0)}")


def gather(into: Decoded, more: Decoded) -> None:
    """Add all but images and bytes."""
    into.owners += more.owners
    into.bad |= more.bad
    into.facts.add(more.facts)


def page_names(files: Files, owners: Iterable[int]) -> list[str]:
    """The name of each image: that of its file, with the number of the page from 1 where it is one of several."""
    owners = list(owners)
    pages = np.bincount(owners, minlength=len(files.names))
    seen, names = dict[int, int](), list[str]()
    for owner in owners:
        seen[owner] = seen.get(owner, 0) + 1
        names.append(files.names[owner] + (f"#{seen[owner]}" if pages[owner] > 1 else ""))
    return names


def tell_skipped(files: Files, bad: Mapping[int, str]) -> None:
    """One warning that names what was left out, the first twenty at most, what could not even be listed first."""
    listed = [f"{name} ({reason})" for name, reason in files.listing.bad.items()]
    left = listed + [files.where(index) for index in bad]
    if left:
        more = f" and {len(left) - 20:,} more" if len(left) > 20 else ""
        total = len(files.names) + len(listed)
        log.warning("%d of %d images are damaged and left out: %s%s", len(left), total, ", ".join(left[:20]), more)


def _headers(files: Files, skip_bad: bool) -> Iterator[Header | None]:
    """What each file says about itself; None for a damaged one that `decode` will leave out."""

    def some(start: int) -> list[Header | None]:
        found = list[Header | None]()
        for index in range(start, min(start + TASK, len(files.names))):
            try:
                found.append(read_header(files.read(index), files.where(index)))
            except BadImageError as error:
                if not skip_bad:
                    raise BadImageError(f"{error}; {REMEDY}") from error
                found.append(None)
        return found

    for found in in_threads(some, range(0, len(files.names), TASK)):
        yield from found


def _listed(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], skip_bad: bool) -> DiskFiles:
    if isinstance(paths, str | os.PathLike):
        path = as_path(paths)
        return disk_files(path, skip_bad=skip_bad) if path.is_dir() else _named([path], skip_bad)
    several = [as_path(path) for path in paths]
    if not several:
        raise DiaboloError("no image files are given")
    return _named(several, skip_bad)


def _named(paths: list[Path], skip_bad: bool) -> DiskFiles:
    return disk_files(Path(), [str(path) for path in paths], skip_bad)
