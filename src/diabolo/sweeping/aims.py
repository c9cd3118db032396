"""What a sweep minimises or maximises: a column of metrics.jsonl, or a score of `evaluate` on the validation images.

validation/total                    the loss of the validation images, of the epoch whose weights are kept
train/kl                            a term of the loss of the training images
probes/linear probe: codes          a score of the measure `probes`, measured on the validation images
rate, distortion, probe, fid        short for those that are asked for most
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diabolo.data import Images
from diabolo.errors import DiaboloError, UnknownNameError, listed
from diabolo.evaluation import MEASURES, evaluate
from diabolo.runs import history
from diabolo.runs.config import Config
from diabolo.runs.folder import RunFolder

SHORT = {
    "rate": "validation/kl",
    "distortion": "validation/reconstruction",
    "probe": "probes/linear probe: codes",
    "fid": "generation/FID, prior",
}
PARTS = ("validation", "train")


@dataclass(frozen=True)
class Aim:
    """A number that is to become small, or large where not `lower`.

    Attributes:
        name: as it was asked for.
        lower: whether less is better.
    """

    name: str
    lower: bool = True

    @property
    def part(self) -> str:
        """ "validation" or "train", of a term of the loss; else the measure."""
        return SHORT.get(self.name, self.name).partition("/")[0]

    @property
    def term(self) -> str:
        """The term of the loss, or the score."""
        return SHORT.get(self.name, self.name).partition("/")[2]

    @property
    def of_loss(self) -> bool:
        """Whether it stands in metrics.jsonl."""
        return self.part in PARTS

    @property
    def better(self) -> str:
        """ "lower is better", or the opposite."""
        return f"{'lower' if self.lower else 'higher'} is better"

    def check(self, terms: Sequence[str], validation: Images | None) -> None:
        """Refuse what a model with these `terms` of the loss, or any, does not have.

        Raises:
            UnknownNameError: for a term or a measure that does not exist.
            DiaboloError: where there are no images to measure it on.
        """
        if self.part not in (*PARTS, *MEASURES) or not self.term:
            shown = [*SHORT, "validation/total", *(f"{name}/SCORE" for name in MEASURES)]
            raise UnknownNameError("aim", self.name, shown, see="docs/sweep.md")
        if self.part != "train" and validation is None:
            raise DiaboloError(
                f"the aim {self.name} is measured on validation images, and there are none: take --validation 0.1"
            )
        if self.of_loss and self.term not in terms:
            words = f"the aim {self.name} is of a term of the loss that this model does not have"
            raise DiaboloError(f"{words}; it has {listed(f'{self.part}/{term}' for term in terms)}")

    def of_line(self, line: Mapping[str, Any]) -> float:
        """Its number in a line of metrics.jsonl; NaN where that has none."""
        value = (line.get(self.part) or {}).get(self.term)
        return math.nan if value is None else float(value)


def aims_of(minimise: Sequence[str], maximise: Sequence[str]) -> tuple[Aim, ...]:
    """The aims, those to minimise first.

    Raises:
        DiaboloError: where there is none, or one is asked for twice.
    """
    found = [Aim(name) for name in minimise] + [Aim(name, False) for name in maximise]
    if not found:
        raise DiaboloError("a sweep needs an aim: name one, such as --minimise validation/total")
    names = [SHORT.get(aim.name, aim.name) for aim in found]
    if twice := [aim.name for aim, name in zip(found, names, strict=True) if names.count(name) > 1]:
        raise DiaboloError(f"the aim {twice[0]} is named twice: once is enough")
    return tuple(found)


def kept_line(config: Config, lines: history.History) -> Mapping[str, Any]:
    """The line of metrics.jsonl of the epoch whose weights the run kept: the last, or that of the lowest validation loss."""
    if config.options.get("keep") != "best":
        return lines[-1]
    settled = [line for line in lines if line.get("settled", True) and line.get("validation")]
    return min(settled or lines[-1:], key=lambda line: line["validation"]["total"])


def measured(aims: Sequence[Aim], folder: RunFolder, train: Images, validation: Images | None) -> list[float]:
    """The number of each aim in a run that has ended.

    Raises:
        DiaboloError: where a score cannot be measured, or is no number.
    """
    config = folder.config
    line = kept_line(config, folder.history)
    measures = list(dict.fromkeys(aim.part for aim in aims if not aim.of_loss))
    found = None
    if measures:
        assert validation is not None  # as was checked before
        found = evaluate(folder.path, (train, validation), measures, seed=config.options.get("seed", 0))
    values = []
    for aim in aims:
        if aim.of_loss:
            value = aim.of_line(line)
        else:
            assert found is not None  # its measure is among those asked for
            scores = found.sections[aim.part].scores if aim.part in found.sections else {}
            if aim.term not in scores:
                whys = [why for name, why in found.skipped.items() if name in (aim.part, f"{aim.part}: {aim.term}")]
                there = f"{aim.part} measures {listed(scores)}" if scores else "nothing of it could be measured"
                raise DiaboloError(f"there is no score {aim.name}: {whys[0] if whys else there}")
            value = float(scores[aim.term].value)
        if not math.isfinite(value):
            raise DiaboloError(f"{aim.name} came out as {value}")
        values.append(value)
    return values
