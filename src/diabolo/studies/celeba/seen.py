"""What one sees in reconstructions and new faces, in the words of a viewer, chosen by the numbers that show it.

Sharpness is the highest frequency that is kept. How well new faces are formed shows in their FID, and how varied they are in
their coverage, the share of real faces that have a new one near by their features; each beside that of reconstructions, which
are as blurred. (Precision is near 1 for any blurred face: it lies in the middle of the real ones.)
"""

from collections.abc import Mapping

from diabolo.plain import percent
from diabolo.studies.celeba.variants import PATTERN
from diabolo.studies.engine.findings import Measured

Found = Mapping[str, Measured]
SHARP, SOFT = 0.75, 0.4  # of the finest frequency of the images
FORMED, PARTLY = 1.15, 1.5  # times the FID of reconstructions
VARIED, ALIKE = 0.9, 0.6  # times the coverage of reconstructions
OWN = "reconstructions"


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
        look = "To the eye the reconstructions are " + ", ".join(f"{look} ({name})" for name, look in looks.items())
    if high < side // 2:
        look += f": {detail(high, side)}"
    rank = "" if low == high else f" The {min(resolutions, key=resolutions.__getitem__)} model's are the most blurred."
    patterned = [name for name, grid in grids.items() if grid >= PATTERN]
    pattern = (
        f"A checkerboard shows in those of {', '.join(patterned)}" if patterned else "No checkerboard shows in them"
    )
    return f"{look}.{rank} {pattern}."


def look(fid: float, coverage: float, cycles: float, finest: int) -> str:
    """How new faces look, by their FID and coverage as multiples of the reconstructions'."""
    form = (
        "as well formed as"
        if fid <= FORMED
        else "in part half-formed beside"
        if fid <= PARTLY
        else "half-formed beside"
    )
    variety = "as varied" if coverage >= VARIED else "less varied" if coverage >= ALIKE else "much less varied"
    return f"{crispness(cycles, finest)}, {form} reconstructions and {variety}"


def samples(found: Found, betas: tuple[float, float], finest: int) -> str:
    """New faces at either weight, from N(0, I) and from the fitted Gaussian: "FID, …", "coverage, …", "sharpness, …", the first
    two beside those of "reconstructions"."""
    said = []
    for beta in betas:
        fids, shares, cycles = (
            [found[f"{what}, {name}, β = {beta:g}"].value for name in ("N(0, I)", "fitted Gaussian", *beside)]
            for what, beside in (("FID", [OWN]), ("coverage", [OWN]), ("sharpness", []))
        )
        both = range(2)
        times = [fids[i] / max(fids[2], 1e-9) for i in both]
        looks = [look(times[i], shares[i] / max(shares[2], 1e-9), cycles[i], finest) for i in both]
        which = (
            f"faces from N(0, I) are {looks[0]}; those from the fitted Gaussian are {looks[1]}"
            if looks[0] != looks[1]
            else f"faces from N(0, I) and from the fitted Gaussian are {looks[0]}"
        )
        told = (
            f"FID {fids[0]:.4g} and {fids[1]:.4g}, of reconstructions {fids[2]:.4g}; coverage {percent(shares[0])} and "
            f"{percent(shares[1])}; detail up to {cycles[0]:.0f} and {cycles[1]:.0f} cycles per image"
        )
        said.append(f"At β = {beta:g} {which} ({told}).")
    return " ".join(said)
