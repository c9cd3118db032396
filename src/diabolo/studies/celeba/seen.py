"""What one sees in reconstructions and new faces, in the words of a viewer, chosen by the numbers that show it.

Sharpness is the highest frequency that is kept, of those from `FINE` cycles on: what is missing below is no blur. How well new
faces are formed shows in where their FID lies between that of reconstructions, which are as blurred, and that of averages of
two reconstructions, which are half-formed (`form`); beyond these they are broken up. How varied they are shows in their
coverage, the share of real faces that have a new one near by their features, beside that of reconstructions.
(Precision is near 1 for any blurred face: it lies in the middle of the real ones.)

The thresholds were set by `benchmarks/looks.py` without a trained decoder, on images held out of the training images, of the
drawn faces and of CelebA. Compared were 300 and 1,000 other real faces, blurred alike (at 8 and 16 cycles), and sets of them
with a known fault; three draws each. Of 1,000 faces, `form` is 0.02 … 0.11 for others without a fault, 0.27 … 0.46 where half
are averages of two, and 0.90 … 1.12 where all are; of 300, where it is less certain, 0.06 … 0.35, 0.40 … 0.60 and 1.09 … 1.34.
What lies above 1.5 is worse than averages of two. Coverage, as a multiple of the reconstructions', is 0.83 … 0.98 for others,
0.54 … 0.73 for a quarter of the kinds of drawn faces, and 0.03 … 0.27 for ten faces drawn again and again. A quarter of the
kinds of CelebA's faces, by their colours, covers 0.79 … 0.97 and is not noticed. Missing kinds raise `form` as well: where both
are bad, the grid of faces shows which it is.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from diabolo.plain import percent
from diabolo.studies.celeba.fits import GAUSSIAN, NORMAL, at
from diabolo.studies.celeba.variants import checkerboard, shows
from diabolo.studies.engine.findings import Measured, joined, with_error

Found = Mapping[str, Measured]
SHARP, SOFT = 0.75, 0.4  # of the finest frequency of the images
FINE = 4  # cycles per image, below which lie light and layout
FORMS = {  # up to so much of the way from the FID of reconstructions to that of averages of two
    0.25: "well formed",
    0.75: "slightly deformed",
    1.5: "half-formed",
    float("inf"): "broken up",
}
VARIETY = {
    0.4: "much less varied",
    0.8: "less varied",
    float("inf"): "as varied",
}  # times the coverage of reconstructions
CLOSE = 1.5  # cycles per image: reconstructions that differ by less look alike
SOURCES = {NORMAL: NORMAL, GAUSSIAN: f"the {GAUSSIAN}"}  # as they are said
OWN, AVERAGES = "reconstructions", "averages of two reconstructions"


def crispness(cycles: float, finest: int) -> str:
    """Sharp, soft or blurred, by the highest frequency that is kept, in cycles per image, of which there are `finest`."""
    return "sharp" if cycles >= SHARP * finest else "soft" if cycles >= SOFT * finest else "blurred"


def finest(power: ArrayLike, error: ArrayLike) -> float:
    """The highest frequency up to which the power of the error stays below half of that of the images, in cycles per image,
    with straight lines between whole frequencies; entry 0 of both, the mean, does not count."""
    lost: list[float] = (np.asarray(error, float) / np.maximum(np.asarray(power, float), 1e-12)).tolist()
    last = next((i for i in range(1, len(lost)) if lost[i] >= 0.5), len(lost))
    if last in (1, len(lost)):
        return float(last - 1)
    return last - 1 + (0.5 - lost[last - 1]) / (lost[last] - lost[last - 1])


def detail(cycles: float, side: int) -> str:
    """What is lost above that frequency, in pixels of an image of that side."""
    if not cycles:
        return "even the largest shapes are off"
    return f"detail finer than about {side / (2 * cycles):.0f} pixels, such as strands of hair or the edges of teeth, is gone"


def eye(found: Found, names: tuple[str, ...], side: int) -> str:
    """The reconstructions of several models: "resolution, NAME" in cycles per image, and "grid, NAME"."""
    resolutions, grids = ({name: found[f"{what}, {name}"].value for name in names} for what in ("resolution", "grid"))
    looks = {name: crispness(cycles, side // 2) for name, cycles in resolutions.items()}
    low, high = min(resolutions.values()), max(resolutions.values())
    if len(set(looks.values())) == 1:
        look = f"To the eye all reconstructions are {next(iter(looks.values()))}"
    else:
        look = f"To the eye the reconstructions are {joined([f'{look} ({name})' for name, look in looks.items()])}"
    if high < side // 2:
        look += f": {detail(high, side)}"
    rank = (
        f"The {min(resolutions, key=resolutions.__getitem__)} model's are the most blurred"
        if high - low >= CLOSE
        else "They hardly differ in sharpness"
    )
    return f"{look}. {rank}. {shows(grids, found['grid, none'].value)}."


def reconstructions(found: Found, names: tuple[str, ...], side: int) -> str:
    """The same with the numbers, and "contrast, NAME", that of the images being 1."""
    kept, shades = (
        joined([f"{told(found[f'{what}, {name}'].value)} ({name})" for name in names])
        for what, told in (("resolution", lambda cycles: f"{cycles:.1f}"), ("contrast", percent))
    )
    board = checkerboard({name: found[f"grid, {name}"].value for name in names}, found["grid, none"].value)
    return (
        f"{eye(found, names, side)} Half of the power is kept up to {kept} cycles per image. {board}. Contrast is {shades} of "
        "that of the images."
    )


def form(fid: float, own: float, averages: float) -> float:
    """Where the FID of new faces lies between that of reconstructions, 0, and that of averages of two of them, 1."""
    return (fid - own) / max(averages - own, 1e-9)


def band(measured: Measured, bands: Mapping[float, str]) -> str:
    """What the number is by `bands` (upper end → words); "one, perhaps other" where its 95 % interval reaches over an end."""
    half = measured.half or 0.0
    each = list(zip(pairwise([-float("inf"), *bands]), bands.values(), strict=True))
    own = next(words for (_, high), words in each if measured.value < high)
    within = [words for (low, high), words in each if measured.value - half < high and measured.value + half >= low]
    others = [words for words in dict.fromkeys((within[0], within[-1])) if words != own]
    return f"{own}, perhaps {' or '.join(others)}" if others else own


def look(forms: Sequence[Measured], shares: Sequence[Measured], named: bool = True) -> str:
    """How new faces look that are described by the same words, by their form and their coverage as a multiple of the
    reconstructions'; with what the numbers are called, if `named`."""
    told = [" and ".join(_number(one) for one in several) for several in (forms, shares)]
    form, variety = band(forms[0], FORMS), band(shares[0], VARIETY)
    scales = ("form ", "coverage ") if named else ("", "")
    comma = "," if "," in form else ""
    return f"{form} ({scales[0]}{told[0]}){comma} and {variety} ({scales[1]}{told[1]})"


def _number(one: Measured) -> str:
    return with_error(one.value, one.half or 0).replace("-", "−")


def samples(found: Found, betas: tuple[float, float], finest: int) -> str:
    """New faces at either weight, from N(0, I) and from the fitted Gaussian: "form, …", "relative coverage, …" and
    "sharpness, …" over seeds."""
    crisp: dict[str, list[str]] = {}
    for beta in betas:
        for name in (NORMAL, GAUSSIAN):
            how = crispness(found[at(f"sharpness, {name}", beta)].value, finest)
            crisp.setdefault(how, []).append(f"{SOURCES[name]} at β = {beta:g}")
    told = (
        next(iter(crisp))
        if len(crisp) == 1
        else "; ".join(f"{how} from {joined(places)}" for how, places in crisp.items())
    )
    said = [f"New faces are {told}."]
    for beta in betas:
        forms, shares = (
            [found[at(f"{what}, {name}", beta)] for name in (NORMAL, GAUSSIAN)]
            for what in ("form", "relative coverage")
        )
        words = [[band(one, bands) for one in several] for several, bands in ((forms, FORMS), (shares, VARIETY))]
        alike = all(first == second for first, second in words)
        which = (
            f"faces from N(0, I) and from the fitted Gaussian are {look(forms, shares)}"
            if alike
            else f"faces from N(0, I) are {look(forms[:1], shares[:1])}; those from the fitted Gaussian are "
            f"{look(forms[1:], shares[1:], named=False)}"
        )
        said.append(f"At β = {beta:g}, {which}.")
    return f"{' '.join(said)} {SCALE}"


SCALE = (
    "Form is 0 at the FID of reconstructions, 1 at that of averages of two, which are half-formed. Coverage is "
    "relative to reconstructions."
)
