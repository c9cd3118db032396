"""What the study `beta` says, from what it measured."""

from collections.abc import Mapping
from itertools import pairwise

from diabolo.display import words
from diabolo.plain import percent
from diabolo.studies.engine.findings import Measured, difference, from_best, joined

SILENT = 0.5  # nats per image, below which a code says next to nothing


def from_noise(fid: Mapping[str, Measured], centre: float, deviation: float, far: float, usual: float) -> str:
    """What the plain autoencoder decodes from noise: FID of codes from "N(0, I)" and from a "fitted Gaussian"; how far a
    unit's mean is from 0, and its deviation; the distance to the nearest training code, of draws of N(0, I) and of test
    images."""
    where = (
        f"The means of its units are {centre:.3g} from 0 (root mean square), their deviations {deviation:.3g} on average, "
        f"where N(0, I) has 0 and 1; and a draw of N(0, I) is {far / usual:.2g} times as far from the nearest training code as "
        f"the code of a test image is"
    )
    return difference(*(fid[name] for name in ("N(0, I)", "fitted Gaussian"))).say(
        more="From N(0, I) the autoencoder decodes images at an FID of {a}; from a Gaussian fitted to its codes they are "
        f"nearer to real ones, at {{b}}. {where}. The loss never asked that codes lie anywhere: the decoder is trained at the "
        "codes of images alone, and what it gives elsewhere is left to chance.",
        less="From N(0, I) the autoencoder's images have an FID of {a}, less than the {b} from a Gaussian fitted "
        "to its codes. "
        f"{where}. The loss never asked that codes lie anywhere; that N(0, I) serves better here is an accident "
        "of this "
        "training.",
        neither="From N(0, I) the autoencoder's images have an FID of {a}, and from a Gaussian fitted to its codes "
        "{b}, which is "
        f"{{different}}. {where}. The loss never asked that codes lie anywhere: the decoder is "
        "trained at the "
        "codes of images alone.",
    )


def free(
    kl: float, noise: Mapping[str, float], distance: Mapping[str, float], fid: Mapping[str, Measured], beta: float
) -> str:
    """β = 0: its KL term in nats; of "0" and "tuned" the share of noise in the variance of an active unit, Fréchet
    distances of aggregated posteriors to N(0, I), and FID of samples from it."""
    place = "farther from" if distance["0"] > distance["tuned"] else "no farther from"
    head = (
        f"At β = 0 the code costs nothing: its KL stands at {kl:.4g} nats per image, and codes lie {place} N(0, I) (Fréchet "
        f"distance {distance['0']:.3g}) than at β = {words(beta)} ({distance['tuned']:.3g}). "
    )
    share = (
        f"Noise, which only harms the reconstruction, makes {percent(noise['0'], 1)} of the variance of an active unit"
    )
    why = (
        f"{share} ({percent(noise['tuned'], 1)} at β = {words(beta)}): this is a plain autoencoder in all but name"
        if noise["0"] < min(noise["tuned"], 0.1)
        else f"{share} ({percent(noise['tuned'], 1)} at β = {words(beta)}), which this training has not yet made small"
    )
    samples = difference(*(fid[name] for name in ("0", "tuned"))).say(
        more="; samples from N(0, I) have an FID of {a}, against {b}.",
        less="; yet samples from N(0, I) are nearer to real images (FID {a} against {b}).",
        neither="; the FIDs of samples from N(0, I) {differ} ({a} against {b}).",
    )
    return head + why + samples


def heavy(beta: float, kl: float, active: float, units: int, unexplained: float, alike: float) -> str:
    """β = 10: its KL term in nats, its active units, the share of variance that reconstructions leave; the variance among its
    samples as a share of that among test images."""
    vary = f"samples vary by {percent(alike, 1)} of what test images vary"
    if kl < SILENT and active == 0:
        mean = (
            f"about the mean image ({percent(unexplained)} of the variance is unexplained)"
            if unexplained < 1.1
            else f"about one image, which is not even the mean yet ({percent(unexplained)} of the variance is unexplained)"
        )
        return (
            f"At β = {words(beta)} the posterior has collapsed: {kl:.2g} nats and {active:g} of {units} active units. A nat "
            f"costs {words(beta)} in squared error per pixel, more than the whole image is worth, so that the cheapest code "
            f"says nothing and the decoder always draws {mean}; {vary}."
        )
    return (
        f"At β = {words(beta)} the code still carries {kl:.3g} nats in {active:g} of {units} active units, although a nat "
        f"costs {words(beta)} in squared error per pixel; {percent(unexplained)} of the variance is unexplained, and {vary}."
    )


def tuned(fid: Mapping[float, Measured], errors: Mapping[float, Measured]) -> str:
    """The search on validation images: FID of samples from N(0, I), and errors, by β."""
    best, against = from_best(fid)
    others = [beta for beta, d in against.items() if not d.sure]
    among = (
        f"; β = {joined([words(b) for b in others])} is not shown to be worse"
        if others
        else "; all others are significantly worse"
    )
    head = (
        f"Of {len(fid)} weights from {words(max(fid))} down to {words(min(fid))}, β = {words(best)} gives the samples nearest "
        "to real ones: "
        f"an FID to validation images of {fid[best].value:.4g}{among}"
    )
    ordered = [errors[beta].value for beta in sorted(errors)]
    falls = ", which falls all the way as β falls," if all(a <= b for a, b in pairwise(ordered)) else ""
    least, close = from_best(errors)
    near = [beta for beta, d in close.items() if not d.sure]
    as_good = f" (β = {joined([words(beta) for beta in near])} is not shown to be worse)" if near else ""
    alone = f"The error of reconstructions alone{falls} would choose β = {words(least)}{as_good}"
    if best in (max(fid), min(fid)):
        return (
            f"{head}. {alone}. The best lies at the end of the search, so that a weight beyond it may be better still."
        )
    return (
        f"{head}. {alone}; samples are best in between: with a large weight the code says too little to draw a "
        f"digit from, and with a small one the codes of images leave N(0, I), where samples are drawn."
    )


def good(errors: Mapping[str, float], fid: Mapping[str, Measured], epochs: Mapping[str, int], beta: float) -> str:
    """Test errors, FID of samples from N(0, I), and epochs of training, of "AE" and "VAE"."""
    ratio = errors["VAE"] / errors["AE"]
    side = (
        f"After {epochs['VAE']} epochs the VAE at β = {words(beta)} leaves {ratio:.2f} times the autoencoder's test error "
        f"({errors['VAE']:.4f} against {errors['AE']:.4f} squared error per pixel, after {epochs['AE']} epochs)"
    )
    return difference(*(fid[name] for name in ("VAE", "AE"))).say(
        less=f"{side}, and its samples from N(0, I) are nearer to real images, at an FID of {{a}} against "
        f"{{b}}. A good "
        "result is good at both: reconstructions that keep the digit, and samples that can be read; neither "
        "number alone is enough.",
        more=f"{side}, and its samples from N(0, I) are farther from real images, at an FID of {{a}} against "
        f"{{b}}. This is not "
        "a good result yet: that would have reconstructions that keep the digit, and samples that can be read.",
        neither=f"{side}, and the FID of its samples from N(0, I) {{differs}} from the autoencoder's ({{a}} "
        "against {b}). This is not a good result yet: that would have samples that can be read.",
    )


def between(jump: Mapping[str, Measured], sure: Mapping[str, Measured]) -> str:
    """On straight ways between codes of two test images, of "AE" and "VAE": the longest step over the mean step, and the least
    confidence of a classifier on the way."""
    steps = difference(*(jump[name] for name in ("VAE", "AE")))
    even = steps.say(
        less="The VAE's images change more evenly on the way: the longest step is {a} mean steps, {b} for the "
        "autoencoder",
        more="The VAE's images change less evenly on the way: the longest step is {a} mean steps, {b} for the "
        "autoencoder",
        neither="How evenly images change on the way {differs}: the longest step is {a} mean steps for the "
        "VAE and {b} for the autoencoder",
    )
    clear = difference(*(sure[name] for name in ("VAE", "AE"))).say(
        more="; and at its most doubtful image a classifier is surer of the VAE's ({a} against {b}): noise on "
        "the codes has made "
        "the decoder draw digits around each of them, and not at the codes alone.",
        less="; but at its most doubtful image a classifier is less sure of the VAE's ({a} against {b}): "
        "between two classes the "
        "VAE draws something between two digits.",
        neither="; the lowest confidence of a classifier along the way {differs} ({a} for the VAE, {b} for "
        "the autoencoder).",
    )
    return even + clear


def downstream(
    linear: Mapping[str, Measured],
    near: Mapping[str, Measured],
    active: float,
    units: int,
    epochs: Mapping[str, int],
) -> str:
    """Test accuracies of a linear layer and of five nearest neighbours on the codes of "AE" and "VAE", the linear layer on
    "pixels", and the neighbours among as many "principal components"; the VAE's active units; and epochs of training."""
    head = f"Trained for {epochs['VAE']} epochs (VAE) and {epochs['AE']} (autoencoder): "
    probe = difference(*(linear[name] for name in ("VAE", "AE")))
    said = probe.say(
        more="a linear layer reads the digit better off the VAE's codes, with an accuracy of {a} against {b}",
        less="a linear layer reads the digit better off the autoencoder's codes, with an accuracy of {b} against {a}",
        neither="the accuracy of a linear probe {differs} ({a} for the VAE, {b} for the autoencoder)",
    )
    close = difference(*(near[name] for name in ("VAE", "AE"))).say(
        more="; nearest neighbours are right more often among the VAE's codes ({a} against {b}).",
        less="; nearest neighbours are right less often among the VAE's codes ({a} against {b}).",
        neither="; that of nearest neighbours {differs} ({a} and {b}).",
    )
    code = f" The VAE uses {active:g} of {units} units: " + (
        "the others carry nothing that the decoder could see through the noise of the posterior"
        if active < units
        else "at this weight none is idle"
    )
    best = max(("AE", "VAE"), key=lambda name: linear[name].value)
    floor = difference(linear[best], linear["pixels"]).say(
        more="; on raw pixels a linear probe reaches {b}, less than on the better code ({a}).",
        less="; on raw pixels a linear probe reaches {b}, more than on the better code ({a}).",
        neither="; on raw pixels a linear probe reaches {b}, {different} from the better code ({a}).",
    )
    best = max(("AE", "VAE"), key=lambda name: near[name].value)
    flat = difference(near[best], near["principal components"]).say(
        more=" Among as many principal components the neighbours are right less often ({b}) than among the better of the "
        "codes ({a}).",
        less=" Among as many principal components the neighbours are right more often ({b}) than among the better of the "
        "codes ({a}).",
        neither=" Among as many principal components the neighbours' accuracy ({b}) {differs} from that among "
        "the better of the codes ({a}).",
    )
    return head + said + close + code + floor + flat


def use(jump: Mapping[str, Measured], fid: Mapping[str, Measured]) -> str:
    """What to take for what: longest steps, and FID of samples, of "AE" and "VAE"."""
    too = "it too"
    samples = difference(*(fid[name] for name in ("VAE", "AE")))
    if not (samples.sure and samples.value < 0):
        too = "the VAE"
    draw = samples.say(
        less="for drawing new images take the VAE, whose codes lie nearer to where one draws",
        more="for drawing new images the VAE has gained nothing here",
        neither="for drawing new images the two {differ} in FID ({a} and {b})",
    )
    move = difference(*(jump[name] for name in ("VAE", "AE"))).say(
        less=f"for moving between images take {too}, since they change more evenly",
        more="for moving between images take the autoencoder, where they change more evenly",
        neither="for moving between images the two {differ} in their longest step",
    )
    return f"So, {draw}; {move}; for features to classify by, go by the probes and not by the look of the samples."


def words_of(text: str) -> int:
    """How many words a text has: signs such as "=" and "%" are none."""
    return sum(any(letter.isalnum() for letter in word) for word in text.split())
