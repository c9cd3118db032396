"""MLflow: a server, or a database on this machine."""

import os
import re
import time
from typing import Any

from diabolo.errors import DiaboloError
from diabolo.tracking.tracker import Tracked, Tracker, identity, settings, title

TAG = "diabolo.id"  # of an MLflow run: which run it is of
LAST = "epoch"  # the metric that is written with each epoch, and read to go on
SETTINGS = 90  # parameters that one call may take, and MLflow's limit is 100
ENDED = {"finished": "FINISHED", "stopped": "FINISHED", "interrupted": "KILLED", "broken": "FAILED"}


class MLflow(Tracker):
    """Keeps a run in MLflow: the numbers of each epoch as metrics, what defines the run as parameters. Needs the extra `track`.

    Args:
        where: the address of a server, or of a database such as sqlite:///mlflow.db; MLflow's own choice when left out
            (MLFLOW_TRACKING_URI, else mlflow.db here).
        experiment: in which experiment.

    Example:
        >>> tracker = diabolo.tracking.MLflow("sqlite:///mlflow.db")  # doctest: +SKIP
        >>> run = diabolo.fit("vae", train, test, callbacks=[tracker])  # doctest: +SKIP
    """

    def __init__(self, where: str | None = None, experiment: str = "diabolo") -> None:
        self.where, self.experiment = where, experiment
        self.run_id = ""
        _module()

    @property
    def place(self) -> str:
        """The experiment, and where it is."""
        return f"the experiment {self.experiment!r} of MLflow at {self.client.tracking_uri}"

    def open(self, run: Tracked) -> int:
        """Find the run again by its tag, or make a new one."""
        mlflow = _module()
        self.client = mlflow.MlflowClient(tracking_uri=self.where)
        found = self.client.get_experiment_by_name(self.experiment)
        home = self.client.create_experiment(self.experiment) if found is None else found.experiment_id
        own = identity(run.path)
        known = [] if run.path is None else self.client.search_runs([home], f"tags.`{TAG}` = '{own}'", max_results=1)
        if known:
            self.run_id = known[0].info.run_id
            self.client.update_run(self.run_id, status="RUNNING")
            return int(known[0].data.metrics.get(LAST, 0))
        made = self.client.create_run(home, tags={TAG: own}, run_name=title(run))
        self.run_id = made.info.run_id
        chosen = [mlflow.entities.Param(_name(name), str(value)) for name, value in settings(run.config).items()]
        for start in range(0, len(chosen), SETTINGS):
            self.client.log_batch(self.run_id, params=chosen[start : start + SETTINGS])
        return 0

    def log(self, epoch: int, values: dict[str, float]) -> None:
        """All of them in one call, the number of the epoch last."""
        metric, now = _module().entities.Metric, int(time.time() * 1000)
        told = {**values, LAST: float(epoch)}
        self.client.log_batch(self.run_id, [metric(_name(name), value, now, epoch) for name, value in told.items()])

    def close(self, status: str) -> None:
        """Note how it ended; of one that goes on, nothing."""
        if self.run_id and (word := ENDED.get(status.split()[0])):
            self.client.set_terminated(self.run_id, word)


def _name(name: str) -> str:
    """A name that MLflow takes."""
    return re.sub(r"[^\w./ -]", "_", name)


def _module() -> Any:
    """MLflow.

    Raises:
        DiaboloError: when the extra is not installed.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when it is imported: nobody asked for calls home
    try:
        import mlflow
    except ImportError as error:
        raise DiaboloError("MLflow needs the extra: pip install 'diabolo[track]'") from error
    return mlflow
