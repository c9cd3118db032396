"""What the folders around images mean: parts (train, validation, test) and classes. Understood, or refused; never guessed."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diabolo.errors import DiaboloError, listed
from diabolo.plain import count

TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = {
    "train": TRAIN, "training": TRAIN, "trainset": TRAIN, "train_set": TRAIN, "training_set": TRAIN,
    "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "dev": VALIDATION, "validation_set": VALIDATION,
    "test": TEST, "testing": TEST, "eval": TEST, "evaluation": TEST, "testset": TEST, "test_set": TEST,
}  # fmt: skip
MASKS = {
    "ground_truth",
    "groundtruth",
    "masks",
    "mask",
    "labels",
    "annotations",
    "segmentations",
}  # pictures of labels, not images
IMAGES = {"images", "image", "imgs", "img", "jpegimages"}  # where images lie beside something else
MASK_KIND = "masks of other images"


@dataclass(frozen=True)
class Layout:
    """What folders say of each image: `parts`, `classes` (None where there are none), and the indices of `masks` among them."""

    parts: list[str] | None
    classes: list[str] | None
    masks: set[int]


def read_layout(names: Sequence[str], folders: Iterable[str], where: object, classed: bool = True) -> Layout:
    """The layout of images called `names`, relative with "/" between folders, beside `folders`, some of which may be empty.

    Folders around everything are looked through. Then parts are folders called train, val, valid, validation, dev, test, … in
    any case, all of them, at the top or all within the classes; what is left above an image is its class, whichever way its
    accents are encoded. Beside parts a folder of masks (ground_truth, as in MVTec AD) is left out. A folder images that is the
    last above every image says nothing. Where what they show is known otherwise, not `classed`, folders that are no parts say
    nothing either.

    Raises:
        DiaboloError: when parts stand beside other folders, one is empty, train lacks, images lie both in class folders and
            outside, or masks beside images.
    """
    paths = [name.split("/")[:-1] for name in names]
    below = dict[str, set[str]]()  # of each folder those in it, empty ones too
    for folder in folders:
        above, _, last = folder.rpartition("/")
        below.setdefault(above, set()).add(last)
    common = _common(paths)  # folders around everything, as archives have
    around, beside = 0, below.get("", set[str]())
    while around < len(common) and not any(name.lower() in PARTS for name in {common[around], *beside}):
        around += 1
        beside = below.get("/".join(common[:around]), set[str]())
    paths = [path[around:] for path in paths]
    masks = _masks(paths, where)
    kept = [path for index, path in enumerate(paths) if index not in masks]
    if all(path and path[-1].lower() in IMAGES for path in kept):
        paths, kept = [path[:-1] for path in paths], [path[:-1] for path in kept]
    tops = {path[0] if path else "" for path in kept} | {name for name in beside if name.lower() in PARTS}
    if any(top.lower() in PARTS for top in tops):
        _check_parts(tops, where)
        parts = [PARTS[path[0].lower()] if index not in masks else TRAIN for index, path in enumerate(paths)]
        for folder in sorted(tops):
            if not any(path[0] == folder for path in kept):
                raise DiaboloError(
                    f"{where} has a part {folder} without images that can be read; put its images there, or give the folder "
                    "train alone to have it split"
                )
        return Layout(*_checked(parts, [path[1:] for path in paths], masks, where, classed), masks)
    _check_disguised(tops, where)
    within = [index for index, path in enumerate(paths) if any(step.lower() in PARTS for step in path)]
    if within:  # parts inside the classes
        if len(within) != len(paths) or not all(len(path) > 1 and path[1].lower() in PARTS for path in paths):
            some = "/".join(paths[within[0]])
            raise DiaboloError(
                f"{where} has {some}, but not all its classes are divided so: cannot tell whether that is a part or a class; "
                f"put train and test above the classes, rename the folder, or give one folder alone, such as {paths[0][0]}"
            )
        _check_parts({path[1] for path in paths}, where, several=True)
        return Layout(
            *_checked(
                [PARTS[path[1].lower()] for path in paths],
                [[path[0], *path[2:]] for path in paths],
                masks,
                where,
                classed,
            ),
            masks,
        )
    return Layout(None, _checked([TRAIN] * len(paths), paths, masks, where, classed)[1], masks)


def _common(paths: Sequence[list[str]]) -> list[str]:
    """The steps that all paths begin with."""
    if not paths:
        return []
    first, last = min(paths), max(paths)
    differs = next(
        (k for k, (one, two) in enumerate(zip(first, last, strict=False)) if one != two), min(len(first), len(last))
    )
    return first[:differs]


def _masks(paths: Sequence[list[str]], where: object) -> set[int]:
    """The indices of masks, where they stand beside parts; refused beside a folder of images; else they are a class."""
    tops = {path[0] for path in paths if path}
    if any(top.lower() in PARTS for top in tops):
        found = {index for index, path in enumerate(paths) if path and path[0].lower() in MASKS}
        if found:
            return found
    below = dict[tuple[str, ...], set[str]]()
    for path in paths:
        for place, step in enumerate(path):
            below.setdefault(tuple(path[:place]), set()).add(step)
    for above, steps in below.items():
        images = sorted(step for step in steps if step.lower() in IMAGES)
        masks = sorted(step for step in steps if step.lower() in MASKS)
        if images and masks:
            inside = "".join(f"{step}/" for step in above)
            raise DiaboloError(
                f"{where} holds {inside}{images[0]} and {inside}{masks[0]}, pictures of their labels; move {masks[0]} out, or "
                f"give {images[0]} alone"
            )
    return set()


def _check_disguised(tops: Iterable[str], where: object) -> None:
    """Refuse folders such as train_images beside test_images, trainA beside testA: parts, as it seems, but called otherwise."""
    seen = dict[str, dict[str, str]]()
    for top in tops:
        for word in sorted(PARTS, key=len, reverse=True):
            rest = top[len(word) :]
            if top.lower().startswith(word) and rest and not rest[0].islower():
                break
            rest = top[: -len(word)]
            if top.lower().endswith(word) and rest[-1:] in tuple(" _.-"):
                break
        else:
            continue
        seen.setdefault(rest.strip(" _.-").lower(), {})[PARTS[word]] = top
    for parts in seen.values():
        if TRAIN in parts and len(parts) > 1:
            raise DiaboloError(
                f"{where} holds {' and '.join(sorted(parts.values()))}: cannot tell whether these are parts or classes; if "
                f"parts, rename them to {' and '.join(sorted(parts))}"
            )


def _check_parts(tops: set[str], where: object, several: bool = False) -> None:
    others = sorted(top or "images outside any folder" for top in tops if top.lower() not in PARTS)
    known = sorted(top for top in tops if top.lower() in PARTS)
    if others:
        raise DiaboloError(
            f"{where} holds {', '.join(known)} beside {listed(others)}: cannot tell whether these are parts or classes; leave "
            "only parts at the top, with the classes in each, or rename them"
        )
    meant = [PARTS[top.lower()] for top in known]
    for part in set(meant):
        twice = [top for top in known if PARTS[top.lower()] == part]
        if len(twice) > 1 and not several:
            raise DiaboloError(f"{where} holds {' and '.join(twice)}, which are one part ({part}); leave one of them")
    if TRAIN not in meant:
        raise DiaboloError(
            f"{where} holds {' and '.join(known)} but no train; add one, or give the folder {known[0]} itself to have it split"
        )


def _checked(
    parts: list[str], classes: list[list[str]], masks: set[int], where: object, classed: bool
) -> tuple[list[str] | None, list[str] | None]:
    """Parts, and classes as one name each, where images are `classed`; refused when some have a class and others none."""
    if not classed:
        return parts, None
    loose = [index for index, path in enumerate(classes) if not path and index not in masks]
    total = len(classes) - len(masks)
    if 0 < len(loose) < total:
        flat = {parts[index] for index in loose} - {
            parts[i] for i in range(len(parts)) if i not in masks and classes[i]
        }
        if flat and len(flat) < len(set(parts)):
            raise DiaboloError(
                f"the part {sorted(flat)[0]} of {where} has no class folders, and others have; sort it into classes too, or "
                "give the other part alone to have it split"
            )
        raise DiaboloError(
            f"{where} holds {count(len(loose), 'image')} beside folders with {total - len(loose):,} more; "
            "put every image into a class folder, or none"
        )
    if loose:
        return parts, None
    names = [unicodedata.normalize("NFC", "/".join(path)) for path in classes]
    _check_case(
        [(name, part) for index, (name, part) in enumerate(zip(names, parts, strict=True)) if index not in masks], where
    )
    return parts, names


def _check_case(classes: Sequence[tuple[str, str]], where: object) -> None:
    """Refuse classes of two parts that differ in small and capital letters or spaces alone: one class, written in two ways."""
    written = dict[str, dict[str, set[str]]]()
    for name, part in set(classes):
        written.setdefault("".join(name.casefold().split()), {}).setdefault(name, set()).add(part)
    for ways in written.values():
        if len(ways) > 1 and not set.intersection(*ways.values()):
            both = " and ".join(map(repr, sorted(ways)))
            raise DiaboloError(
                f"{where} holds the classes {both} in different parts; call the class alike in all parts"
            )
