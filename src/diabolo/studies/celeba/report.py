"""The questions of the study of faces, and its report.md in five sections."""

from collections.abc import Callable, Mapping
from functools import partial

from diabolo.data.images import Images
from diabolo.reports.document import Block, Document, Heading, Paragraph, Table
from diabolo.studies.celeba import codes, edits, fits, regimes, seen, words
from diabolo.studies.celeba.contents import SECTIONS
from diabolo.studies.celeba.regimes import Betas
from diabolo.studies.celeba.words import EVERYTHING, HIGH, WIDE
from diabolo.studies.engine.findings import Measured
from diabolo.studies.engine.study import Study
from diabolo.studies.engine.trained import Trained

Found = Mapping[str, Measured]
ASKED = (30_000, 5_000)  # training and test images
COPYING = (
    "A narrow code has no room for the identity. A penalty makes it expensive: its gradient draws every unit towards 0 with "
    "the same force λ. Noise makes it the wrong answer. All three have the narrow code."
)
AGGREGATED = "Codes follow the aggregated posterior q(z) = E q(z|x), and E KL(q(z|x)‖p) = I(x; z) + KL(q(z)‖p)."
LIMITS = (
    "Intervals at the two β are over seeds, those of accuracies over test images; single losses, resolutions and drifts have "
    "none. FID uses a small attribute classifier and cannot be compared with published figures."
)
NAMES = {"celeba": "CelebA"}


def takeaway(images: str, attribute: str, found: Found, betas: Betas) -> str:
    """One sentence with its reason: the probe at the larger weight, the samples at the smaller."""
    strong, weak = betas
    first = regimes.gaps(found, betas)[strong].say(
        more=f"the KL term at β = {strong:g} costs a linear probe for {attribute} {{difference}} percentage points, as "
        "expected "
        "because it limits what a code holds",
        less=f"the KL term at β = {strong:g} helps a linear probe for {attribute} by {{difference}} percentage points, which "
        "leaving out other detail may do",
        neither=f"linear probes for {attribute} on the VAE's codes at β = {strong:g} and on a plain autoencoder's {{differ}}, "
        "which shows no price of the KL term",
    )
    if fits.fid(fits.GAUSSIAN, weak) not in found:
        return f"On {images}, {first}."
    second = fits.gains(found, betas)[weak].say(
        less=f"at β = {weak:g} a Gaussian fitted to codes draws better faces than N(0, I) (FID {{a}} and {{b}})",
        more=f"at β = {weak:g} a Gaussian fitted to codes draws worse faces than N(0, I) (FID {{a}} and {{b}})",
        neither=f"at β = {weak:g} the FIDs of a Gaussian fitted to codes and of N(0, I) {{differ}} ({{a}} and {{b}})",
    )
    return f"On {images}, {first}; {second}."


def progression(found: Found, layers: int, code: int, epochs: int, attributes: tuple[str, str]) -> str:
    """How the tasks follow from each other, and what all models share."""
    read, edited = attributes
    plain, vae = (found[name].value for name in ("parameters", "parameters, VAE"))
    return (
        "Three autoencoders prevent a copy by a narrow code, a penalty or noise; a VAE adds a prior, to draw codes from. "
        "Then the "
        f"codes are used: a linear probe predicts {read}, arithmetic edits "
        f"{edited}, and new faces are sampled. The encoder has {layers} convolutions and a linear layer to a code of {code} "
        f"numbers, and the decoder mirrors it ({plain:,.0f} parameters; the VAE {vae:,.0f}); all are trained for {epochs} "
        "epochs."
    )


def instead(n_train: int, n_test: int, split: str) -> str:
    """What was looked at in place of what the study asks for."""
    if (n_train, n_test, split) == (*ASKED, "official"):
        return ""
    return (
        f" Asked for are {ASKED[0]:,} training and {ASKED[1]:,} test images of CelebA's official parts. This run used "
        f"{n_train:,} and {n_test:,}{', with no person in both' if split == 'persons' else ''}."
    )


def resources(found: Found, n: int, machine: str) -> str:
    """Time and memory, by the numbers of the row on the undercomplete model; on which `machine`."""
    seconds, mib = found["an epoch"].value, found["pixels"].value
    more = found["operations, full size"].value / found["operations"].value
    return (
        f"An epoch of {n:,} images takes {seconds:.3g} s on {machine} (median), and their pixels take {mib:,.0f} MiB. All "
        f"{EVERYTHING:,} training images at {WIDE}×{HIGH} pixels would take {EVERYTHING / n * more:,.0f} times the "
        f"operations and {EVERYTHING / n * WIDE * HIGH / 64**2:,.0f} times the memory."
    )


def machine_of(resolved: Mapping[str, object]) -> str:
    """Where a training ran, by what its run folder says."""
    device, threads = str(resolved.get("device", "cpu")), resolved.get("threads")
    if not device.startswith("cpu"):
        return f"a GPU ({device})"
    return "one CPU core" if threads == 1 else f"{threads} CPU cores" if threads else "a CPU"


class Pieces:
    """What the rows of a study found, as the paragraphs of its report and of its answers. Of a row without findings a piece
    says why there are none."""

    def __init__(self, study: Study, train: Images, test: Images, undercomplete: Trained) -> None:
        self.study, self.train, self.test, self.undercomplete = study, train, test, undercomplete
        self.betas = Betas(study.beta, study.weak_beta)

    def tell(self, index: str, compute: Callable[[Found], str]) -> str:
        """`compute` of the numbers of that row."""
        if self.study.measured(index):
            return compute(self.study.found(index))
        return " ".join(self.study.said(index)) or f"Row {index} was not measured."

    def over_seeds(self, *sentences: Callable[[Found, Betas], str]) -> str:
        """Sentences on the two weights of the KL term."""
        return self.tell("1.13", lambda f: " ".join(sentence(f, self.betas) for sentence in sentences))

    def summary(self) -> str:
        """The takeaway."""
        name = NAMES.get(self.train.name, self.train.name)
        images = f"{len(self.train):,} training and {len(self.test):,} test images of {name}"
        if not self.study.measured("1.13"):
            return f"On {images}, nothing is concluded: a model has not learned, or could not be measured."
        return takeaway(images, self.study.attribute, self.study.found("1.13"), self.betas)

    def tasks(self) -> str:
        """The progression."""
        one = self.study
        attributes = (one.attribute, one.edited)
        return progression(one.found("1.1"), len(one.channels), one.latent_dim, one.epochs, attributes)

    def identity(self) -> str:
        """What prevents a copy: 1.4, with the mechanisms of all three."""
        denoised = self.tell(
            "1.4", lambda f: f"{words.denoised(f['left as it is'], f['denoising'])} {words.against_plain(f)}"
        )
        return f"{COPYING} {denoised}"

    def penalty(self) -> str:
        """1.3."""
        return " ".join(self.study.said("1.3")[1:3])

    def eye(self) -> str:
        """1.5."""

        return self.tell("1.5", lambda f: seen.eye(f, tuple(words.INPUTS), self.test.shape[1]))

    def frequencies(self) -> str:
        """1.5, with the numbers."""
        return self.tell("1.5", lambda f: seen.reconstructions(f, tuple(words.INPUTS), self.test.shape[1]))

    def linear(self) -> str:
        """1.5, against principal components."""
        return " ".join(self.study.said("1.5")[2:3])

    def separable(self) -> str:
        """Over seeds; and against the floors of 1.7."""
        floors = self.tell("1.7", codes.floors)
        return f"{self.over_seeds(partial(regimes.probe, attribute=self.study.attribute))} {floors}"

    def edits(self) -> str:
        """1.8, and over seeds."""
        told = " ".join(self.study.said("1.8")[:3])
        return f"{told} {self.over_seeds(edits.arithmetic)}"

    def samples(self) -> list[str]:
        """New faces: to the eye, by FID, why, and the two regimes."""
        if not self.study.measured("1.13"):
            return [self.over_seeds()]
        found = self.study.found("1.13")
        parts = f"{AGGREGATED} {self.over_seeds(regimes.parts, regimes.moments)}"
        if fits.fid(fits.NORMAL, self.betas.weak) not in found:
            return [parts]
        sampled = self.over_seeds(fits.drawn, fits.means)
        return [
            seen.samples(found, self.betas, self.test.shape[1] // 2),
            sampled,
            parts,
            self.over_seeds(regimes.verdict),
        ]

    def watch(self) -> str:
        """1.10: collapse, balance, dynamics."""
        said = self.study.said("1.10")
        return " ".join([*said[:2], *said[3:4]] if self.study.measured("1.10") else said)

    def cost(self) -> str:
        """Time, memory and data."""
        n, n_test = len(self.train), len(self.test)
        machine = machine_of(self.undercomplete.run.config.resolved)
        return f"{resources(self.study.found('1.2'), n, machine)}{instead(n, n_test, self.study.split)}"

    def losses(self) -> list[Block]:
        """The table of 1.12."""
        if not self.study.measured("1.12"):
            return []
        found = self.study.found("1.12")
        kinds = ("training loss", "validation loss", "training error", "validation error")
        rows = [
            (name, told, *(f"{found[f'{kind}, {name}'].value:.4f}" for kind in kinds))
            for name, told in words.INPUTS.items()
        ]
        linear = next(name for name in found if name.startswith("training error, PCA")).removeprefix("training error, ")
        rows.append((linear, "clean", "–", "–", *(f"{found[f'{kind}, {linear}'].value:.4f}" for kind in kinds[2:])))
        return [
            Table(("model", "input", *kinds), rows, "Loss and error per pixel of the last epoch, one training each.")
        ]

    def accuracies(self) -> list[Block]:
        """The table of 1.7."""
        if not self.study.measured("1.7"):
            return []
        found = {name: told for name, told in self.study.found("1.7").items() if " less " not in name}
        rows = [
            (name, f"{told.value:.1f}", "" if told.half is None else f"{told.half:.1f}") for name, told in found.items()
        ]
        caption = f"{self.study.attribute}, by one linear layer, on test images."
        return [Table(("representation", "accuracy, %", "±"), rows, caption)]


def five_sections(it: Pieces) -> Document:
    """report.md."""
    losses = it.tell("1.12", words.losses)
    parts: tuple[list[Block], ...] = (
        [Paragraph(it.summary()), Paragraph(it.tasks())],
        [*it.losses(), *map(Paragraph, (f"{losses} {it.linear()}", it.identity(), it.penalty(), it.eye()))],
        [*it.accuracies(), Paragraph(it.separable()), Paragraph(it.edits())],
        [*map(Paragraph, it.samples())],
        [*map(Paragraph, (it.watch(), it.cost(), LIMITS))],
    )
    blocks: list[Block] = []
    for title, part in zip(SECTIONS, parts, strict=True):
        blocks += [Heading(title), *part]
    return Document("What keeps an autoencoder from copying faces", "", blocks)


QUESTIONS: dict[str, tuple[Callable[[Pieces], str], tuple[str, ...]]] = {  # the answer, and the rows it rests on
    "How do the three reconstructions differ to the eye, and in which frequencies?": (Pieces.frequencies, ("1.5",)),
    "What keeps the denoising model from the identity, against a narrow code and an L1 penalty?": (
        Pieces.identity, ("1.4", "1.3"),
    ),
    "Which codes are more linearly separable, and what does the KL term help or hurt?": (Pieces.separable, ("1.7", "1.13")),
    "Did the vector work, and did the person survive it?": (Pieces.edits, ("1.8", "1.13")),
    "What is the prior hole here, and does the fitted Gaussian sample better, and why?": (
        lambda it: " ".join(it.samples()), ("1.13",),
    ),
    "Did the posterior collapse, and how were the two terms balanced?": (Pieces.watch, ("1.10",)),
    "What did the subset and the resize buy in time and memory?": (Pieces.cost, ("1.2",)),
}  # fmt: skip
