"""The training of the run, as it goes."""

from contextlib import suppress
from typing import Any

import numpy as np
from bokeh.layouts import column
from bokeh.models import AdaptiveTicker, ColumnDataSource
from bokeh.plotting import figure

from diabolo.errors import NoPriorError
from diabolo.explorer.desk import Desk
from diabolo.explorer.following import Following, Progress
from diabolo.explorer.state import State
from diabolo.explorer.views.plate import Plate
from diabolo.explorer.views.widgets import say, words
from diabolo.figures.colours import BLUE, VERMILLION
from diabolo.pictured import as_pictures

LOOK_AGAIN = 1000  # milliseconds
SHOWN = 8  # images
SPLITS = {"train": BLUE, "validation": VERMILLION}


class Training:
    """Curves, health, and each epoch fresh reconstructions and samples."""

    title = "Training"
    told = (
        "The loss after each epoch, on the images trained on and those held out. While a training goes on, reconstructions and "
        "samples of its newest checkpoint follow."
    )

    def __init__(self, desk: Desk, every: Any) -> None:
        self.desk = desk
        path = desk.first.path
        assert path is not None
        self.following = Following(path)
        self.sources = {split: ColumnDataSource({"epoch": [], "loss": []}) for split in SPLITS}
        self.plot = figure(
            name="training",
            height=220,
            sizing_mode="stretch_width",
            toolbar_location=None,
            tools="",
            x_axis_label="epoch",
            y_axis_label="loss",
            background_fill_alpha=0,
            border_fill_alpha=0,
            outline_line_color=None,
        )
        for split, colour in SPLITS.items():
            style = {"color": colour, "source": self.sources[split]}
            self.plot.line("epoch", "loss", line_width=2, legend_label=split, **style)
            self.plot.scatter("epoch", "loss", size=5, legend_label=split, **style)  # one epoch makes no line
        for item in self.plot.legend.items:
            item.visible = False
        self.plot.xaxis.ticker = AdaptiveTicker(base=10, mantissas=[1, 2, 5], min_interval=1)
        self.plot.legend.background_fill_alpha = 0
        self.plot.legend.border_line_alpha = 0
        self.about = words("training-told")
        self.plate = Plate(desk.first.codec.input_shape, "training-images", 48, 420)
        self.root = column(self.plot, self.about, self.plate.root, sizing_mode="stretch_width")
        every(LOOK_AGAIN, self._look)

    def follow(self, old: State | None, new: State) -> None:
        """Show it once; from then on the clock does."""
        if old is None:
            self._look()

    def _look(self) -> None:
        if self.following.changed():
            self.desk.later("training", self.following.progress, self._show)

    def _show(self, progress: Progress | str) -> None:
        if isinstance(progress, str):
            say(self.about, progress)
            return
        for split, source in self.sources.items():
            epochs, losses = progress.losses(split)
            if epochs:
                self._legend(split).visible = True
                source.data = {"epoch": epochs, "loss": losses}
        say(self.about, progress.told)
        if not progress.problem and not progress.status.startswith("finished"):
            self.desk.later("training-images", self._images, self._show_images, slow=True)

    def _legend(self, split: str) -> Any:
        return next(item for item in self.plot.legend.items if item.label.value == split)

    def _images(self) -> Any:
        """Originals, reconstructions and samples (3, K, *shape) of the newest checkpoint."""

        run, model = self.desk.first, self.following.model()
        model = as_pictures(model) if len(model.input_shape) == 3 else model
        if run.test is None or not model.reconstructs or model.needs_column is not None:
            return None
        few = run.test.take(range(min(SHOWN, len(run.test))))
        rows = [few.pixels, model.reconstruct(few.tensor).cpu().numpy()]
        with suppress(NoPriorError):
            rows.append(model.sample(len(few), 0).cpu().numpy())
        return np.stack(rows)

    def _show_images(self, found: Any) -> None:
        if isinstance(found, str):
            say(self.about, found)
        elif found is not None:
            self.plate.show(found)
