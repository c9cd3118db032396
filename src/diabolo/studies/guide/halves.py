"""What the study `guide` says in its row 5.12 of float16 and the scaled loss."""

import math

from diabolo.studies.guide.codes import apart
from diabolo.studies.guide.plain import Numbers


def scaled(n: Numbers) -> str:
    """5.12: float16 with a scaled loss against float32, and where it was run."""
    off, scale = apart(n, "float32, small", "float16"), n["loss scale, float16"].value
    same = (
        f"Trained in float16 with a scaled loss, the smaller autoencoder ends within {100 * off:.2g} % of its float32 loss."
        if off <= 0.01
        else f"Trained in float16 with a scaled loss, the smaller autoencoder ends {100 * off:.3g} % from its float32 loss, "
        f"more than rounding explains."
    )
    kept = (
        f"The scale ends at 2^{math.log2(scale):.0f}: it is halved, and the step skipped, when a gradient overflows, and "
        f"doubled after 2,000 good steps."
    )
    times = n["seconds of a step, float32, small"].value / max(n["seconds of a step, float16"].value, 1e-9)
    where = (
        f"On this GPU a step takes {1 / max(times, 1e-9):.2g} times as long as in float32."
        if n["on a GPU"].value
        else f"No GPU was at hand: this is the same code on the CPU, where a step takes {1 / max(times, 1e-9):.2g} times as "
        f"long as in float32. The speed and memory of float16 on a GPU were not measured."
    )
    return f"{same} {kept} {where}"
