"""What one sees in reconstructions and new faces, in the words of a viewer, chosen by the numbers that show it.

Sharpness is the highest frequency that is kept. How well new faces are formed shows in where their FID lies between that of
reconstructions, which are as blurred, and that of averages of two reconstructions, which are half-formed (`form`). How varied
they are shows in their coverage, the share of real faces that have a new one near by their features, beside that of
reconstructions. (Precision is near 1 for any blurred face: it lies in the middle of the real ones.)

The thresholds were set by `benchmarks/looks.py` without a trained decoder, on images held out of the training images, of the
drawn faces and of CelebA. Compared were 300 and 1,000 other real faces, blurred alike (at 8 and 16 cycles), and sets of them
with a known fault; three draws each. Of 1,000 faces, `form` is 0.02 … 0.11 for others without a fault, 0.27 … 0.46 where half
are averages of two, and 0.90 … 1.12 where all are; of 300, where it is less certain, 0.06 … 0.35, 0.40 … 0.60 and 1.09 … 1.34.
Coverage, as a multiple of the reconstructions', is 0.83 … 0.98 for others, 0.54 … 0.73 for a quarter of the kinds of drawn
faces, and 0.03 … 0.27 for ten faces drawn again and again. A quarter of the kinds of CelebA's faces, by their colours, covers
0.79 … 0.97 and is not noticed. Missing kinds raise `form` as well: where both are bad, the grid of faces shows which it is.
"""

from collections.abc import Mapping

from diabolo.display import words as written
from diabolo.plain import percent
from diabolo.studies.celeba.variants import PATTERN
from diabolo.studies.engine.findings import Measured, joined

Found = Mapping[str, Measured]
SHARP, SOFT = 0.75, 0.4  # of the finest frequency of the images
FORMED, PARTLY = 0.25, 0.75  # of the way from the FID of reconstructions to that of averages of two
VARIED, ALIKE = 0.8, 0.4  # times the coverage of reconstructions
OWN, AVERAGES = "reconstructions", "averages of two reconstructions"


def crispness(cycles: float, finest: int) -> str:
    """Sharp, soft or blurred, by the highest frequency that is kept, in cycles per image, of which there are `finest`."""
    return "sharp" if cycles >= SHARP * finest else "soft" if cycles >= SOFT * finest else "blurred"


def detail(cycles: float, side: int) -> str:
    """What is lost above that frequency, in pixels of an image of that side."""
    if not cycles:
        return "even the largest shapes are off"
    return f"detail finer than about {side / (2 * cycles):.1f} pixels, such as strands of hair or the edges of teeth, is gone"


def reconstructions(resolutions: Mapping[str, float], grids: Mapping[str, float], side: int) -> str:
    """The reconstructions of several models: their resolutions in cycles per image, and their grid patterns."""
    looks = {name: crispness(cycles, side // 2) for name, cycles in resolutions.items()}
    low, high = min(resolutions.values()), max(resolutions.values())
    if len(set(looks.values())) == 1:
        look = f"To the eye all reconstructions are {next(iter(looks.values()))}"
    else:
        look = f"To the eye the reconstructions are {joined([f'{look} ({name})' for name, look in looks.items()])}"
    if high < side // 2:
        look += f": {detail(high, side)}"
    rank = "" if low == high else f" The {min(resolutions, key=resolutions.__getitem__)} model's are the most blurred."
    patterned = [name for name, grid in grids.items() if grid >= PATTERN]
    pattern = (
        f"A checkerboard shows in those of the {joined(patterned)} model{'s' * (len(patterned) > 1)}"
        if patterned
        else "No checkerboard shows in them"
    )
    return f"{look}.{rank} {pattern}."


def form(fid: float, own: float, averages: float) -> float:
    """Where the FID of new faces lies between that of reconstructions, 0, and that of averages of two of them, 1."""
    return (fid - own) / max(averages - own, 1e-9)


def look(form: float, coverage: float, cycles: float, finest: int) -> str:
    """How new faces look, by their form and their coverage as a multiple of the reconstructions'."""
    shape = "as well formed as" if form <= FORMED else f"{'partly ' * (form <= PARTLY)}half-formed compared with"
    variety = "as varied" if coverage >= VARIED else "less varied" if coverage >= ALIKE else "much less varied"
    return f"{crispness(cycles, finest)}, {shape} reconstructions and {variety}"


def samples(found: Found, betas: tuple[float, float], finest: int) -> str:
    """New faces at either weight, from N(0, I) and from the fitted Gaussian: "FID, …", "coverage, …", "sharpness, …", the first
    two beside those of `OWN`, and the first beside that of `AVERAGES`."""
    said = []
    for beta in betas:
        fids, shares, cycles = (
            [found[f"{what}, {name}, β = {beta:g}"].value for name in ("N(0, I)", "fitted Gaussian", *beside)]
            for what, beside in (("FID", [OWN, AVERAGES]), ("coverage", [OWN]), ("sharpness", []))
        )
        forms = [form(fid, *fids[2:]) for fid in fids[:2]]
        looks = [look(forms[i], shares[i] / max(shares[2], 1e-9), cycles[i], finest) for i in range(2)]
        which = (
            f"faces from N(0, I) are {looks[0]}; those from the fitted Gaussian are {looks[1]}"
            if looks[0] != looks[1]
            else f"faces from N(0, I) and from the fitted Gaussian are {looks[0]}"
        )
        distances = [written(float(f"{fid:.3g}")) for fid in fids]
        told = (
            f"FID {distances[0]} and {distances[1]}; reconstructions {distances[2]}, averages of two {distances[3]}; coverage "
            f"{percent(shares[0])} and {percent(shares[1])}; detail up to {cycles[0]:.0f} and {cycles[1]:.0f} cycles per image"
        )
        said.append(f"At β = {beta:g} {which} ({told}).")
    return " ".join(said)
