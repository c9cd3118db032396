"""Options that several verbs share."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from diabolo.errors import DiaboloError

if TYPE_CHECKING:
    from diabolo.data import Images


@Parameter(name="*")
@dataclass(frozen=True)
class DataOptions:
    """Which images.

    Args:
        data: a name (see `diabolo data`), a folder of images, or a .zip, .npy or .npz file.
        root: the folder that holds the data sets; else DIABOLO_DATA, else ~/.cache/diabolo.
        size: side of the images in pixels, where the source can resize.
        crop: side of the centre crop taken before the resize.
        channels: 1 or 3, where the source can convert.
        split: for celeba, "official" or "random".
        n_train: exactly so many training images, drawn by data_seed.
        n_test: exactly so many test images.
        data_seed: of subsets and splits.
        skip_bad: leave out files that cannot be read, instead of stopping at the first.
        validation: what is watched while training: "test", "none", or a share of the training images such as 0.1. When left
            out: a tenth of the training images if they decide anything (early stopping, keep best), else the test images.
    """

    data: str = "digits"
    root: Path | None = None
    size: int | None = None
    crop: int | None = None
    channels: int | None = None
    split: str | None = None
    n_train: int | None = None
    n_test: int | None = None
    data_seed: int = 42
    skip_bad: Annotated[bool, Parameter(negative=())] = False
    validation: str | None = None

    def load(self) -> "tuple[Images, Images]":
        """Train and test images."""
        from diabolo import data

        chosen: dict[str, Any] = {
            name: value for name in ("size", "crop", "channels", "split") if (value := getattr(self, name)) is not None
        }
        if self.skip_bad:
            chosen["skip_bad"] = True
        return data.load(self.data, self.root, n_train=self.n_train, n_test=self.n_test, seed=self.data_seed, **chosen)

    def watched(self, train: "Images", test: "Images", decides: bool) -> "tuple[Images, Images | None]":
        """The images to train on, and those to validate with; `decides` says whether validation decides anything."""
        from diabolo.data.origin import hold_out

        choice = self.validation or ("0.1" if decides else "test")
        if choice in ("test", "none"):
            return train, test if choice == "test" else None
        try:
            fraction = float(choice)
        except ValueError:
            raise DiaboloError(f"--validation is test, none, or a share such as 0.1, not {choice!r}") from None
        return hold_out(train, fraction, self.data_seed)
