"""Texts in the words of their data. All is written for images and their pixels; of other arrays a person reads of rows, signals
or volumes, and of their numbers or voxels."""

import re
from collections.abc import Callable, Sequence

Words = Callable[[str], str]  # a text as it is to be read

NOUNS = {1: ("row", "number"), 2: ("signal", "number"), 4: ("volume", "voxel")}  # by the number of axes of an example
# Words in quotes, options with their values, and the size of pictures, whatever the data are
_VERBATIM = r"\bpixels a side\b|(?<!\w)'[^'\n]*'(?!\w)|\"[^\"\n]*\"|`[^`\n]*`|--[\w-]+(?:[= ](?!-)\S+)?"
_WORD = (
    r"(?:\b(?P<an>[Aa])n(?P<gap>\s+))?"
    r"(?<![\w./\\@=#$:-])(?P<noun>[Ii]mage|[Pp]ixel)(?P<s>s?)"
    r"(?![\w@=\\(\[-]|[.:]\w|/(?!s\b))"  # else it is a part of a name, a path, an option or a line of code
)
_BEFORE, _AFTER = r"(?:(?<=\bof )|(?<=\bon )|(?<=: )|(?<=, ))", r"(?=$| \(|[.,;:])"


def of(shape: Sequence[int], *names: str) -> Words:
    """What says a text in the words of arrays of that `shape`, one example's; of pictures (C, H, W) it leaves all as it is.

    Left alone are what stands in quotes, options with their values, parts of identifiers, paths and file names, and `names`.

    Args:
        shape: of one example: (D,) is a row, (C, L) a signal, (C, D, H, W) a volume.
        names: of someone else: data sets, models, classes. One is known where it is the whole text, heads it before a colon, or
            follows "of", "on", a colon or a comma.

    Example:
        >>> words = diabolo.vocabulary.of((13,), "images")
        >>> words("An image has 13 pixels: squared error per pixel on 360 test images of images")
        'A row has 13 numbers: squared error per number on 360 test rows of images'
        >>> diabolo.vocabulary.of((1, 8, 8, 8))("1,234 images/s; see images.npy and --image-size"), words("images")
        ('1,234 volumes/s; see images.npy and --image-size', 'images')
        >>> diabolo.vocabulary.of((1, 28, 28))("squared error per pixel")
        'squared error per pixel'
    """
    if len(shape) not in NOUNS:
        return str
    example, number = NOUNS[len(shape)]
    kept = [re.escape(name) for name in sorted(set(names), key=len, reverse=True) if re.search(_WORD, name)]
    whole = rf"\A(?:{'|'.join(kept)})(?=\Z|:)|{_BEFORE}(?:{'|'.join(kept)}){_AFTER}|" if kept else ""
    pattern = re.compile(f"{whole}{_VERBATIM}|{_WORD}")

    def said(found: re.Match[str]) -> str:
        if found["noun"] is None:
            return found[0]
        word = example if found["noun"].lower() == "image" else number
        word = word.capitalize() if found["noun"][0].isupper() else word
        article = f"{found['an']}{found['gap']}" if found["an"] else ""
        return f"{article}{word}{found['s']}"

    return lambda text: pattern.sub(said, text)
