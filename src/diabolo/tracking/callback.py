"""What `fit(callbacks=[…])` takes."""

from typing import Any

from diabolo.runs.loading import Run


class Callback:
    """Hears of a training when it starts, after each epoch, and when it ends. Write the methods you need.

    `run` is the training as it stands: `run.model` with the weights that would be kept, `run.history` with all epochs so far,
    `run.config`, `run.status`, and `run.path`, which is None with out=None. `diabolo.resume` takes callbacks too: what they
    hear is of the epochs that it adds, and `run.history` has the others. A model that is solved at once, such as PCA, has one
    epoch. Of several processes the first alone calls them. One that raises is left out from then on, and training goes on.

    Example:
        >>> class Best(diabolo.tracking.Callback):
        ...     def on_epoch(self, line, run):
        ...         self.epoch = min(run.history, key=lambda line: line["validation"]["total"])["epoch"]
        >>> best = Best()
        >>> run = diabolo.fit("vae", train, test, latent_dim=2, hidden=(16,), epochs=3, quiet=True, callbacks=[best])
        >>> best.epoch
        3
    """

    def on_start(self, run: Run) -> None:
        """Training is about to start, or to go on after the epochs in `run.history`."""

    def on_epoch(self, line: dict[str, Any], run: Run) -> None:
        """An epoch is over, and `line`, which is its line of metrics.jsonl, is written."""

    def on_end(self, run: Run) -> None:
        """Training is over; `run.status` says why: finished, stopped early, interrupted, or broken off by an error."""
