"""What the study `beta` says of what is read off frozen codes, by a linear probe and by the nearest neighbours."""

from diabolo.studies.beta.words import Found, small
from diabolo.studies.engine.findings import Difference, Measured, difference

LINEAR, NEAR = "linear probe", "5 nearest neighbours"
PLAIN = "the autoencoder's codes"
CODES = ("codes, VAE", "codes, AE", "sampled codes, VAE")
UNUSED = 0.01  # of the test error: where less of it depends on some units, the decoder makes no use of these


def points(measured: Measured) -> Measured:
    """A share in percent, whose differences are percentage points."""
    return measured.times(100, "% of test images")


def linear(f: Found) -> str:
    """The linear probe on means, on sampled codes, and on idle units alone."""
    vae, ae, drawn = (points(f[f"{LINEAR}: {name}"]) for name in CODES)
    beyond = {"more": ", above the autoencoder's", "less": ", below the autoencoder's"}
    against = beyond.get(difference(drawn, ae).decision, "")
    said = (
        f"{beside('A linear probe on posterior means', difference(vae, ae), PLAIN)}. On codes sampled "
        f"from the posterior it reaches {drawn.value:.1f} %{against}."
    )
    if f"{LINEAR}: idle units, VAE" not in f:
        return said
    names = (f"{LINEAR}: idle units, VAE", f"{LINEAR}: active units, VAE", "majority class")
    idle, active, majority = (points(f[name]) for name in names)
    alone = (
        f"The means of the {f['idle units, VAE'].value:.0f} idle units alone give {idle.value:.1f} %, those of the "
        f"{f['units in use, VAE'].value:.0f} active ones {active.value:.1f} %."
    )
    more = difference(idle, majority)
    if not (more.sure and more.value > 0):
        return f"{said} {alone}"
    kinds = (f"standard deviation of {what} of an idle unit, VAE" for what in ("means", "noise"))
    signal, noise = (f"{f[kind].value:.2g}" for kind in kinds)
    change = f["change of the test error without idle units, VAE"].value
    used = "makes no use of it" if abs(change) < UNUSED else "uses it too"
    return (
        f"{said} {alone} So class information survives in idle units, at a standard deviation of {signal} where the "
        f"posterior noise has {noise}. A probe can rescale it; the decoder {used} (its test error without them changes by "
        f"{small(abs(change))})."
    )


def near(f: Found) -> str:
    """Nearest neighbours, and why they gain less from idle units than a linear probe does."""
    vae, ae, drawn = (points(f[f"{NEAR}: {name}"]) for name in CODES)
    found = difference(vae, ae)
    said = f"{beside('5-NN on posterior means', found, PLAIN)}."
    if "variance in idle units, VAE" not in f or found.decision == "more":
        return f"{said} On sampled codes it reaches {drawn.value:.1f} %."
    return (
        f"{said} Idle units hold {small(f['variance in idle units, VAE'].value)} of the variance of the means, which hardly "
        f"changes a distance. On sampled codes, with their noise, 5-NN reaches {drawn.value:.1f} %."
    )


def floors(f: Found, units: int) -> str:
    """Both beside raw pixels and as many principal components."""
    pixels, components = (points(f[name]) for name in (f"{LINEAR}: pixels", f"{NEAR}: PCA"))
    best = {
        what: max((points(f[f"{what}: codes, {name}"]) for name in ("VAE", "AE")), key=lambda one: one.value)
        for what in (LINEAR, NEAR)
    }
    return (
        f"{beside('A linear probe on raw pixels', difference(pixels, best[LINEAR]), 'the better codes')}. "
        f"{beside(f'5-NN on {units} principal components', difference(components, best[NEAR]), 'the better codes')}."
    )


def beside(subject: str, d: Difference, other: str) -> str:
    """How accurate `subject` is in percent, beside what is read off some `other` codes."""
    a, b = (f"{one.value:.1f} %" for one in (d.a, d.b))
    against = {
        "more": f"more than on {other} ({b})",
        "less": f"less than on {other} ({b})",
        "small": f"{d.size} points {'above' if d.value > 0 else 'below'} {other}: significant, but too small to matter",
        "same": f"the same as on {other} ({b}) to within {d.matters:g} points",
        "not decided": f"not significantly different from {other} ({b})",
    }
    return f"{subject} reaches {a}, {against[d.decision]}"
