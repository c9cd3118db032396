"""Illnesses of what came out: a bottleneck that says less than it could, outputs that are stuck or blurred, codes that lie
apart from the prior, and images that were seen before.
"""

import math

import numpy as np
from numpy.typing import NDArray

from diabolo.bottlenecks.gaussian import Variational
from diabolo.bottlenecks.identity import Identity, Regularised
from diabolo.bottlenecks.skips import WithSkips
from diabolo.conditions import Unconditional
from diabolo.data.selection import NEAR, distance_to
from diabolo.doctor.course import LOST
from diabolo.doctor.patient import Patient
from diabolo.doctor.prescription import USUAL, all_images, enough, gentler, train_again
from diabolo.doctor.symptom import Illness, Remedy, symptom
from diabolo.latents.nearest import memorisation
from diabolo.metrics.divergence import gaussian_kl
from diabolo.plain import percent
from diabolo.runs.lines import shell_line

UNUSED = 0.5  # of the codes of a codebook that no image needs
MOST = 0.75  # of the units, from which on their silence is no economy but a collapse


@symptom
def posterior_collapse(patient: Patient) -> Illness | None:
    """Most units of a posterior say nothing, and the image suffers, or goes another way (Bowman et al. 2016, arXiv 1511.06349;
    Lucas et al. 2019, arXiv 1911.02469)."""
    found, kl = patient.finding("inactive-units"), patient.diagnosis.values.get("kl_per_unit")
    if found is None or not isinstance(kl, list):
        return None
    active = patient.diagnosis.values["active_units"]
    assert isinstance(active, int | float)
    skips = isinstance(patient.model.bottleneck, WithSkips)
    if active > (1 - MOST) * len(kl) or (active and not skips and patient.unexplained < LOST):
        return None  # the others were not needed: a latent wider than used
    held = {"beta": "linear(0, 1, 0.5)", "free_bits": 0.5}
    if skips:  # without them the code has to come to life yet
        remedy = train_again(patient, "cut the skips, which lead the image around the code", skips=False, **held)
    elif patient.beta is not None and patient.beta > 1:
        remedy = train_again(patient, "the ELBO itself", beta=1.0)
    else:
        remedy = train_again(patient, "a KL term that grows, and some nats that cost nothing", **held)
    return Illness(
        "posterior collapse",
        found.evidence.removesuffix(": posterior collapse"),
        remedy,
        explains=("code ignored", "blurry reconstructions", "latent wider than used"),
    )


@symptom
def codebook_collapse(patient: Patient) -> Illness | None:
    """Most codes of a codebook are never used (Dhariwal et al. 2020, arXiv 2005.00341, appendix)."""
    found, dead = patient.finding("dead-codes"), patient.diagnosis.values.get("dead_codes")
    if found is None or not isinstance(dead, int | float) or dead < UNUSED * patient.bottleneck.codes:
        return None
    if len(patient.few.test) * math.prod(patient.model.latent_shape[1:]) < patient.bottleneck.codes:
        return None  # too few positions to need them all
    if patient.option("restart") == 0 or patient.option("kmeans") is False:
        remedy = train_again(patient, "begin with centres, and begin dead codes anew", restart=0.1, kmeans=True)
    else:
        even = patient.diagnosis.values["codebook_perplexity"]
        assert isinstance(even, int | float)
        fewer = max(2, min(patient.bottleneck.codes // 2, round(even)))
        remedy = train_again(patient, "no more codes than are used", codes=fewer)
        if remedy.command is None:  # no codebook to learn: levels
            remedy = train_again(patient, "fewer levels", levels=[max(2, round(even ** (1 / 2)))] * 2)
    return Illness(
        "codebook collapse",
        found.evidence,
        remedy,
        explains=("code ignored", "blurry reconstructions", "too high a learning rate"),
    )


@symptom
def code_ignored(patient: Patient) -> Illness | None:
    """The decoder makes the same of every code."""
    found = patient.finding("code-ignored")
    if found is None:
        return None
    lr = gentler(patient.lr) if patient.lr > USUAL / 10 else USUAL
    epochs = max(2 * len(patient.run.history), enough(patient, lr))
    return Illness(
        "code ignored",
        found.evidence,
        train_again(patient, "another learning rate, for longer", lr=lr, epochs=epochs),
        explains=("blurry reconstructions", "latent wider than used"),
    )


# Of the power of fine detail, the share that reconstructions explain. On MNIST: 16 units 0.43, a VAE's 0.29, two units 0.03,
# 16 principal components 0.01; on digits: four units 0.33, one unit 0.13.
FINE = 0.2
KEPT = 0.5  # share of that power from which on wrong detail is there: not blurry, whatever else


@symptom
def saturated(patient: Patient) -> Illness | None:
    """Outputs stuck at 0 or 1, where a sigmoid has no gradient."""
    found = patient.finding("saturated-outputs")
    if found is None:
        return None
    lr = gentler(patient.lr)
    return Illness(
        "outputs saturated",
        found.evidence,
        train_again(patient, "smaller steps of limited length", lr=lr, clip_norm=1.0, epochs=enough(patient, lr)),
        explains=("too high a learning rate", "numerical trouble", "underfitting", "overfitting", "code ignored",
                  "blurry reconstructions", "latent wider than used", "posterior collapse", "prior hole"),
    )  # fmt: skip


@symptom
def blurry(patient: Patient) -> Illness | None:
    """Fine detail is missing: of the spectrum of the images, the upper half of the frequencies is all in the error."""
    if not patient.judged or len(patient.model.input_shape) != 3 or min(patient.model.input_shape[1:]) < 4:
        return None
    x, x_hat = patient.whole("test").numpy(), patient.few.reconstructions
    mean = x.mean(0)
    power, kept, error = detail(x - mean), detail(x_hat - mean), detail(x - x_hat)
    explained = 1 - error / power if power > 0 else 1.0
    if explained >= FINE or kept >= KEPT * power:
        return None
    return Illness(
        "blurry reconstructions",
        f"of the power of the test images in the upper half of the frequencies, their reconstructions explain "
        f"{percent(max(explained, 0))} (of all their variance {percent(1 - patient.unexplained)})",
        _sharper(patient),
        explains=("latent wider than used",),
    )


def _sharper(patient: Patient) -> Remedy:
    """A wider code where it is full; otherwise what keeps it from being used."""
    used = used_units(patient)
    full = used is None or used[0] > 0.9 * patient.width
    if not full and isinstance(patient.bottleneck, Variational) and patient.beta:
        return train_again(patient, "a lighter KL term, at a cost to samples from the prior", beta=patient.beta / 10)
    if not full:
        epochs = max(3 * len(patient.run.history), enough(patient, patient.lr / 3))
        return train_again(patient, "smaller steps, and more of them", lr=patient.lr / 3, epochs=epochs)
    before = patient.option("latent_dim", patient.model.latent_shape[0])
    return train_again(patient, "a wider code", latent_dim=4 * before)


def detail(x: NDArray[np.floating]) -> float:
    """The power of the images `x` (N, C, H, W) in spatial frequencies above half the highest, along either axis: the mean over
    images of Σ |F|²."""
    h, w = x.shape[-2:]
    power = np.abs(np.fft.fft2(x.astype(np.float64))) ** 2
    down, across = np.abs(np.fft.fftfreq(h)) > 0.25, np.abs(np.fft.fftfreq(w)) > 0.25
    return float((power * (down[:, None] | across[None, :])).mean(0).sum())


WIDE = 0.5  # share of the width used, from which down the latent is far too wide
SPARE = 4  # units too many, from which on "far" is said
VARIANCE = 0.99  # of the codes, which the directions that count hold
NATS = 0.95  # of the KL term, which the units that count hold
HOLE = 0.5  # nats per unit between the Gaussian of the codes and the prior; under 0.1 at beta 1, 0.7 at 0.1
FLAT = 1e-6  # variance below which a direction counts as having this one: the divergence stays finite


@symptom
def wide_latent(patient: Patient) -> Illness | None:
    """Far more units than the codes have directions, or than carry the KL term of a posterior."""
    found = used_units(patient)
    if found is None:
        return None
    used, what = found
    if not 0 < used <= min(WIDE * patient.width, patient.width - SPARE):
        return None
    return Illness(
        "latent wider than used",
        f"the code has {patient.width} units, and {used} {what}",
        train_again(patient, "a code as wide as is used", latent_dim=used),
    )


def used_units(patient: Patient) -> tuple[int, str] | None:
    """How many units or directions of the code are used, and in what sense; None for codes that are wide on purpose, maps, and
    where it cannot be told."""
    if not patient.judged or not isinstance(patient.bottleneck, Identity | Regularised | Variational):
        return None
    if len(patient.bottleneck.latent_shape) != 1 or len(patient.few.train) < 2 * patient.width:
        return None
    kl = patient.diagnosis.values.get("kl_per_unit")
    if isinstance(kl, list):
        return _reaching(np.sort(kl)[::-1], NATS), f"of them hold {percent(NATS)} of the nats of the KL term"
    codes = patient.codes("train")
    spectrum = np.linalg.svd(codes - codes.mean(0), compute_uv=False) ** 2
    return _reaching(spectrum, VARIANCE), f"directions hold {percent(VARIANCE)} of the variance of the codes"


def _reaching(parts: NDArray[np.float64], share: float) -> int:
    """How many of `parts` (D,), the largest first, make up that share of their sum."""
    total = float(parts.sum())
    return int(np.searchsorted(np.cumsum(parts), share * total)) + 1 if total > 0 else 0


@symptom
def prior_hole(patient: Patient) -> Illness | None:
    """The codes of images do not lie where the prior says: the aggregated posterior against N(0, I) (Rosca et al. 2018,
    arXiv 1802.06847; Ghosh et al. 2020, arXiv 1903.12436)."""
    beta = patient.beta
    if beta is None or not isinstance(patient.bottleneck, Variational) or len(patient.few.train) < 2 * patient.width:
        return None
    drawn = patient.model.sample_codes(patient.x("train"), 0, patient.known("train"))
    z = drawn.flatten(1)[:, : patient.width].cpu().double().numpy()
    if not np.isfinite(z).all():
        return None  # numerical trouble
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(z, rowvar=False))).clip(FLAT)
    gap = gaussian_kl(z.mean(0), values, 0, 1) / patient.width  # N(0, I) is the same along any axes
    if gap < HOLE:
        return None
    mean, deviation = float(np.abs(z.mean(0)).max()), z.std(0)
    told = (
        f"the codes of training images are not spread as the prior: {gap:.2g} nats per unit lie between their Gaussian and "
        f"N(0, I) (standard deviations from {deviation.min():.2g} to {deviation.max():.2g}, means up to {mean:.2g}), so that "
        f"samples from the prior are decoded from where no image was"
    )
    remedy = (
        train_again(patient, "the ELBO itself", beta=1.0)
        if beta < 1
        else Remedy(
            "draw from a density fitted to the codes", shell_line("sample", patient.run.path, "--density", "mixture")
        )
    )
    return Illness("prior hole", told, remedy)


LEAK = 0.01  # share of the test images that may lie among the training images
COPIES = 0.1  # share of the samples that may stand out as 1 % of unseen images do
UNSEEN = 100  # images, at least, of which 1 % can be told
DRAWN = 200  # samples: 0.1 of them is known to within 0.02
CHANCE = 1e-6  # that so many stand out by chance


@symptom
def leak(patient: Patient) -> Illness | None:
    """Test images that are training images too, or nearly."""
    test = patient.all("test")
    test = test.at_most(1000, 0)
    near = distance_to(test, patient.all("train")) < NEAR
    if near.mean() < LEAK or near.sum() < 2:
        return None
    return Illness(
        "leak between train and test",
        f"{near.sum()} of {len(test)} test images are (nearly) among the training images: what is measured on them is too good",
        train_again(patient, "leave out training images that are test images", drop_leaks=True),
    )


@symptom
def memorised(patient: Patient) -> Illness | None:
    """Samples that are copies of training images (Meehan et al. 2020, arXiv 2004.05675, ask for a like comparison)."""
    if not isinstance(patient.model.condition, Unconditional):
        return None  # a part of the image may have been told
    if not isinstance(patient.bottleneck, Variational) or len(patient.few.test) < UNSEEN or len(patient.few.train) < 2:
        return None
    samples = patient.model.sample(DRAWN, 0).cpu().numpy()
    found = memorisation(samples, patient.all("train").images, patient.whole("test").numpy())
    if found.copies < COPIES or found.copies_p > CHANCE:
        return None
    return Illness(
        "memorised samples",
        f"{percent(found.copies)} of the samples lie as close to a single training image, against the next, as only "
        "1 % of unseen "
        f"images do: they are copies of it",
        all_images(patient) or Remedy("more images, or a smaller model"),
        explains=("overfitting", "prior hole"),
    )
