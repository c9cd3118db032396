"""Each tracker against the real package on local storage: what it holds is what metrics.jsonl says, each epoch once."""

import json
import shutil

import pytest

import diabolo
from diabolo.errors import DiaboloError
from diabolo.tracking import MLflow, TensorBoard, Wandb, follow, named
from diabolo.tracking.tracker import scalars


class Kept:
    """A tracker's storage in `folder`: `make()` a tracker, and `read()` what it holds, [(epoch, value)] of a name, by run."""

    def __init__(self, folder):
        self.folder = folder


class Events(Kept):
    def make(self):
        return TensorBoard(self.folder / "events")

    def read(self, name):
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

        found = {}
        for place in sorted((self.folder / "events").iterdir()):
            for file in sorted(place.glob("events*")):
                for event in EventFileLoader(str(file)).Load():
                    for value in event.summary.value:
                        if value.tag == name:
                            found.setdefault(place.name, []).append((event.step, value.tensor.float_val[0]))
        return list(found.values())


class Experiments(Kept):
    def __init__(self, folder):
        super().__init__(folder)
        pytest.importorskip("mlflow", reason="mlflow is not installed (extra 'track')")
        pytest.importorskip("sqlalchemy", reason="sqlalchemy, in which MLflow keeps its runs, is not installed")
        self.where = f"sqlite:///{folder / 'mlflow.db'}"

    def make(self):
        return MLflow(self.where)

    def runs(self):
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=self.where)
        home = client.get_experiment_by_name("diabolo").experiment_id
        return client, sorted(client.search_runs([home]), key=lambda run: run.info.start_time)

    def read(self, name):
        client, runs = self.runs()
        every = [client.get_metric_history(run.info.run_id, name) for run in runs]
        return [sorted((metric.step, metric.value) for metric in history) for history in every]


class Projects(Kept):
    def __init__(self, folder):
        super().__init__(folder)
        self.trackio = pytest.importorskip("trackio", reason="trackio is not installed (extra 'track')")

    def make(self):
        return Wandb("diabolo", "trackio")

    def read(self, name):
        from trackio.sqlite_storage import SQLiteStorage

        every = (SQLiteStorage.get_logs("diabolo", run) for run in SQLiteStorage.get_runs("diabolo"))
        return [[(row["step"], row[name]) for row in rows if name in row] for rows in every]


@pytest.fixture(params=[Events, Experiments, Projects], ids=["tensorboard", "mlflow", "trackio"])
def kept(request, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")
    found = request.param(tmp_path)
    if request.param is Projects:
        from trackio import sqlite_storage, utils

        for module in (sqlite_storage, utils):
            for name in ("TRACKIO_DIR", "MEDIA_DIR"):
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, tmp_path / "trackio" / ("media" if name == "MEDIA_DIR" else ""))
    return found


def told(run, name="total/train"):
    """What metrics.jsonl says."""
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    return [(line["epoch"], pytest.approx(scalars(line)[name], rel=1e-6)) for line in lines]


def test_each_epoch_once_by_whoever_passes_it_on(kept, train, tiny_model, tiny_pixels):
    """As a callback, resumed with one, followed afterwards, twice, and after a resume without one; beside another run."""
    x, held = tiny_pixels(), tiny_pixels(20, seed=1)
    run = train(tiny_model("vae"), x, held, epochs=2, callbacks=[kept.make()])
    for name in ("total/train", "kl/validation", "lr", "seconds", "images_per_second", "health/active_units"):
        assert kept.read(name) == [told(run, name)]
    run = diabolo.resume(run.path, x, held, epochs=3, callbacks=[kept.make()])
    assert follow(run, kept.make()) == 0
    run = diabolo.resume(run.path, x, held, epochs=5)
    assert follow(run, kept.make()) == 2
    assert follow(run, kept.make()) == 0
    assert kept.read("total/train") == [told(run)]
    other = train(tiny_model("vae", seed=4), x, held, epochs=1)
    assert follow(other, kept.make()) == 1
    assert sorted(map(len, kept.read("total/train"))) == [1, 5]


def test_lines_that_are_trained_once_more_are_not_passed_on_twice(
    kept, train, tiny_model, tiny_pixels, monkeypatch, tmp_path
):
    """Epoch 4 was over, but no checkpoint held it when the process died."""
    from diabolo.training.loop import Loop

    epoch = Loop._epoch

    def failing(self, number, state):
        if number == 4:
            raise MemoryError
        return epoch(self, number, state)

    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_epoch", failing)
        with pytest.raises(MemoryError):
            train(tiny_model(), tiny_pixels(), epochs=6, checkpoint_every=3)
    (path,) = (tmp_path / "runs").iterdir()
    assert follow(path, kept.make()) == 4
    run = diabolo.resume(path, tiny_pixels())
    assert follow(path, kept.make()) == 2
    assert kept.read("total/train") == [told(run)]


def test_mlflow_knows_what_defines_a_run_and_how_it_ended(train, tiny_model, tiny_pixels, tmp_path):
    experiments = Experiments(tmp_path)
    run = train(tiny_model("vae", beta=0.5), tiny_pixels(), epochs=2, callbacks=[experiments.make()])
    ((found,),) = (experiments.runs()[1],)
    assert found.info.run_name == run.path.name
    assert found.info.status == "FINISHED"
    params = found.data.params
    assert (params["model"], params["epochs"], params["seed"], params["batch_size"]) == ("vae", "2", "0", "16")

    class Stop(diabolo.tracking.Callback):
        def on_epoch(self, line, run):
            if line["epoch"] == 1:
                import signal

                signal.raise_signal(signal.SIGINT)

    stopped = train(tiny_model(), tiny_pixels(), epochs=9, callbacks=[Stop(), experiments.make()])
    assert experiments.runs()[1][-1].info.status == "KILLED"
    diabolo.resume(stopped.path, tiny_pixels(), callbacks=[experiments.make()])
    assert experiments.runs()[1][-1].info.status == "FINISHED"


def test_without_a_folder_a_tracker_has_a_run_all_the_same(kept, train, tiny_model, tiny_pixels):
    runs = [train(tiny_model(), tiny_pixels(), out=None, epochs=2, callbacks=[kept.make()]) for _ in range(2)]
    wanted = [[(line["epoch"], pytest.approx(line["train"]["total"])) for line in run.history] for run in runs]
    assert kept.read("total/train") == wanted


def test_a_run_that_was_moved_is_the_same_run(tmp_path, train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels(), epochs=2)
    assert follow(run, TensorBoard(tmp_path / "events")) == 2
    shutil.move(run.path, tmp_path / run.path.name)
    assert follow(tmp_path / run.path.name, TensorBoard(tmp_path / "events")) == 0


def test_a_server_that_is_gone_does_not_stop_the_training(train, tiny_model, tiny_pixels, capsys, monkeypatch):
    pytest.importorskip("mlflow", reason="mlflow is not installed (extra 'track')")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    run = train(tiny_model(), tiny_pixels(), callbacks=[MLflow("http://127.0.0.1:9")], quiet=False)
    said = [line for line in capsys.readouterr().out.splitlines() if "MLflow" in line]
    assert len(said) == 1
    assert said[0].startswith("warning: the callback MLflow raised MlflowException in on_start: ")
    assert said[0].endswith(f"training goes on without it; diabolo track {run.path} --to … makes up for it")
    assert run.status == "finished"
    with pytest.raises(
        DiaboloError, match=r"^MLflow raised MlflowException after epoch 0: .*; the same line goes on from"
    ):
        follow(run, MLflow("http://127.0.0.1:9"))


def test_what_is_not_there_is_said(monkeypatch, tmp_path, train, tiny_model, tiny_pixels):
    import sys

    for package, make, said in (
        ("mlflow", MLflow, r"^MLflow needs the extra: pip install 'diabolo\[track\]'"),
        ("trackio", lambda: Wandb("p", "trackio"), r"^trackio is not installed: pip install 'diabolo\[track\]'"),
        ("wandb", Wandb, r"^wandb is not installed: pip install wandb$"),
    ):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(DiaboloError, match=said):
            make()
    with pytest.raises(DiaboloError, match=r"^unknown tracker 'wand'; did you mean 'wandb'\?"):
        named("wand")
    with pytest.raises(DiaboloError, match=r"is not a run folder"):
        follow(tmp_path, TensorBoard(tmp_path / "events"))


def test_wandb_is_given_what_its_functions_take(train, tiny_model, tiny_pixels, monkeypatch):
    """Its own signatures, on a stand-in: the package itself keeps nothing without an account or a server."""
    import sys
    import types

    calls = []

    class Run:
        step = 0

        def log(self, data, step=None):
            calls.append(("log", step, data))
            Run.step = step + 1

        def finish(self, exit_code=None):
            calls.append(("finish",))

    def init(entity=None, project=None, dir=None, id=None, name=None, config=None, resume=None):
        calls.append(("init", project, id, name, resume))
        return Run()

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    run = train(tiny_model(), tiny_pixels(), epochs=2, callbacks=[Wandb("faces")])
    kind, project, own, name, resume = calls[0]
    assert (kind, project, resume) == ("init", "faces", "allow")
    assert name == f"{run.path.name}-{own[:6]}"
    assert [call[1] for call in calls if call[0] == "log"] == [1, 2]
    assert calls[1][2] == scalars(run.history[0])
    assert calls[-1] == ("finish",)
    assert follow(run, named("wandb", "faces")) == 0
    assert [call[2] for call in calls if call[0] == "init"] == [own, own]
