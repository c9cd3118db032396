"""Who else hears of a training: a callback of your own, or a tracker that keeps its numbers where others look at them.

callback.py              what `fit(callbacks=[…])` takes
tracker.py               a callback that passes each epoch on once
tensorboard.py, mlflow.py, wandb.py     one tracker each; wandb.py also speaks to trackio
following.py             the same from the file of a run, finished or still going on
"""

from diabolo.errors import UnknownNameError
from diabolo.tracking.callback import Callback
from diabolo.tracking.following import follow
from diabolo.tracking.mlflow import MLflow
from diabolo.tracking.tensorboard import TensorBoard
from diabolo.tracking.tracker import Tracker
from diabolo.tracking.wandb import Wandb

__all__ = ["Callback", "MLflow", "TensorBoard", "Tracker", "Wandb", "follow", "named"]

TRACKERS = ("tensorboard", "mlflow", "wandb", "trackio")


def named(name: str, where: str | None = None) -> Tracker:
    """The tracker of that name.

    Args:
        name: tensorboard, mlflow, wandb or trackio.
        where: a folder of events (tensorboard), the address of a server or store (mlflow), or a project (wandb, trackio).

    Raises:
        UnknownNameError: for another name.
        DiaboloError: when its package is not installed.

    Example:
        >>> type(diabolo.tracking.named("tensorboard", "events")).__name__
        'TensorBoard'
    """
    if name == "tensorboard":
        return TensorBoard(where)
    if name == "mlflow":
        return MLflow(where)
    if name == "wandb":
        return Wandb(where or Wandb.PROJECT)
    if name == "trackio":
        return Wandb(where or Wandb.PROJECT, "trackio")
    raise UnknownNameError("tracker", name, TRACKERS, see="diabolo track --help")
