"""What surrounds the capture of a step, on a machine without a GPU: a stand-in for CUDA's graphs runs the step again."""

import contextlib
import copy

import pytest
import torch

from diabolo import distributed
from diabolo.data.arrays import as_images
from diabolo.data.stores import HostStore, ResidentStore
from diabolo.hardware import choose_precision
from diabolo.runs import checkpoint
from diabolo.runs.folder import RunFolder
from diabolo.training import fit
from diabolo.training.loop import Loop
from diabolo.training.options import TrainOptions
from diabolo.training.progress import Silence
from diabolo.training.stepping import step_of
from diabolo.updates.graph import DeviceLoop

CPU = torch.device("cpu")


class Listener(Silence):
    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)


@pytest.fixture
def pretended(monkeypatch):
    """`DeviceLoop.capture` works without CUDA: what was captured is run again, eagerly, at each replay."""

    class Stream:
        def wait_stream(self, other):
            pass

    class Graph:
        def register_generator_state(self, state):
            pass

        def replay(self):
            self.body()

    @contextlib.contextmanager
    def graph(g, **_):
        made.append(g)
        yield

    made = []
    capture = DeviceLoop.capture

    def captured(self):
        capture(self)
        made[-1].body = self.body

    for name, stand_in in {
        "Stream": Stream,
        "current_stream": Stream,
        "stream": lambda stream: contextlib.nullcontext(),
        "CUDAGraph": Graph,
        "graph": graph,
    }.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    monkeypatch.setattr(DeviceLoop, "capture", captured)
    return made


def lay_out(model, pixels, options, path, state=None):
    """A loop as `fit` lays it out on a GPU."""
    (path / "checkpoint").mkdir(parents=True, exist_ok=True)
    step = step_of(model, options, choose_precision(options.precision, CPU))
    if state is not None:
        step.restore(state)
    store = ResidentStore(as_images(pixels).images, CPU)
    return Loop(step, store, len(pixels), None, 0, options, RunFolder(path), Silence())


def options(**changes):
    return TrainOptions(**({"epochs": 2, "batch_size": 16, "lr": 1e-2, "precision": "float32", "seed": 4} | changes))


@pytest.mark.parametrize("n", [64, 70, 65])
@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("net", ["mlp", "conv"])
def test_after_the_capture_training_is_that_of_eager_steps(
    n, precision, net, pretended, tiny_model, tiny_pixels, tmp_path, weights
):
    """The warm-up and the capture leave no trace: not in weights, their half-precision copies, moments or noise."""
    chosen, pixels = options(precision=precision, ema=0.9), tiny_pixels(n)
    eager = tiny_model("vae", net=net, beta="linear(0, 1, 0.5)")
    graphed = copy.deepcopy(eager)
    expected = lay_out(eager, pixels, chosen, tmp_path / "eager").run(checkpoint.State())
    loop, listener = lay_out(graphed, pixels, chosen, tmp_path / "graph"), Listener()
    loop.device_loop = fit._captured(loop, loop.store, listener)
    assert listener.said == ["the step of 16 images is captured in a CUDA graph"]
    assert len(pretended) == 1
    found = loop.run(checkpoint.State())
    tolerance = 1e-6 if precision == "float32" else 2e-3  # β comes as a float32 number
    assert [line["train"] for line in found.history] == [
        pytest.approx(line["train"], rel=max(tolerance, 1e-5)) for line in expected.history
    ]
    torch.testing.assert_close(weights(graphed), weights(eager), rtol=1e-5, atol=tolerance)
    assert found.history[-1]["train"]["total"] < found.history[0]["train"]["total"]


@pytest.mark.parametrize("precision", ["float32", "bf16", "float16"])  # whose loss scale lies on the device
def test_the_capture_changes_nothing_that_is_kept_or_seen(precision, pretended, tiny_model, tiny_pixels, tmp_path):
    loop = lay_out(tiny_model("vae", net="conv"), tiny_pixels(64), options(precision=precision), tmp_path)
    loop.run(checkpoint.State())  # so that the optimizer has moments
    step = loop.step
    before = {name: t.clone() for name, t in step.state().items()}
    seen = {name: p.detach().clone() for name, p in step.model.named_parameters()}
    device_loop = fit._captured(loop, loop.store, Listener())
    assert device_loop is not None
    assert set(step.state()) == set(before)
    for name, tensor in step.state().items():
        assert torch.equal(tensor, before[name]), name
    for name, p in step.model.named_parameters():
        assert torch.equal(p, seen[name]), f"what the layers see of {name}"
    assert int(device_loop.counter) == 0
    assert not bool(device_loop.record.bad)


def test_resumed_with_a_graph_it_ends_with_the_bits_of_the_whole(pretended, tiny_model, tiny_pixels, tmp_path, weights):
    pixels, chosen = tiny_pixels(70), options(precision="bf16", epochs=4)
    whole, broken = (tiny_model("vae") for _ in range(2))

    def graphed(model, path, state=None):
        loop = lay_out(model, pixels, chosen, tmp_path / path, state)
        loop.device_loop = fit._captured(loop, loop.store, Listener())
        return loop

    graphed(whole, "whole").run(checkpoint.State())
    first = graphed(broken, "broken")
    steps = Loop._epoch

    def stopping(self, epoch, state):
        if epoch == 2:
            raise KeyboardInterrupt
        return steps(self, epoch, state)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Loop, "_epoch", stopping)
        with pytest.raises(KeyboardInterrupt):
            first.run(checkpoint.State())
    again = tiny_model("vae", seed=1)
    loop = lay_out(again, pixels, chosen, tmp_path / "broken")
    state = checkpoint.restore(tmp_path / "broken", loop.step.restore)
    assert state.epoch == 2
    loop.device_loop = fit._captured(loop, loop.store, Listener())
    loop.run(state)
    assert torch.equal(weights(again), weights(whole))


def test_where_no_batch_is_full_nothing_is_captured(pretended, tiny_model, tiny_pixels, tmp_path, monkeypatch):
    """17 images in batches of 16: the last joins the only batch. A step without a row in its table would fault a GPU."""
    tried = []
    monkeypatch.setattr(DeviceLoop, "body", lambda self: tried.append(self.table.shape))
    loop, listener = lay_out(tiny_model("vae"), tiny_pixels(17), options(), tmp_path), Listener()
    loop.device_loop = fit._captured(loop, loop.store, listener)
    assert tried == []
    assert loop.device_loop is None
    assert "no CUDA graph" in listener.said[0]
    assert loop.run(checkpoint.State()).status == "finished"


def test_the_rows_of_this_process_are_known_when_the_step_is_captured(
    pretended, tiny_model, tiny_pixels, tmp_path, monkeypatch
):
    """Their place in the joint noise is baked into the graph; told afterwards it would come too late."""
    monkeypatch.setattr(distributed, "world", lambda: 2)
    monkeypatch.setattr(distributed, "rank", lambda: 1)
    windows = []
    monkeypatch.setattr(DeviceLoop, "capture", lambda self: windows.append(self.window))
    loop = lay_out(tiny_model("vae"), tiny_pixels(64), options(), tmp_path)
    assert fit._captured(loop, loop.store, Listener()) is not None
    assert windows == [(16, 32)]


@pytest.mark.parametrize("error", [RuntimeError("first line\nsecond"), RuntimeError(), IndexError("out of range")])
def test_whatever_the_capture_dies_of_training_goes_on(
    error, pretended, tiny_model, tiny_pixels, tmp_path, monkeypatch
):
    body = DeviceLoop.body

    def broken(self):
        if pretended:  # while the step is captured, after the warm-up
            raise error
        return body(self)

    monkeypatch.setattr(DeviceLoop, "body", broken)
    pixels = tiny_pixels(70)
    loop, listener = lay_out(tiny_model("vae"), pixels, options(), tmp_path / "failed"), Listener()
    loop.device_loop = fit._captured(loop, loop.store, listener)
    assert loop.device_loop is None
    assert listener.said[0].startswith("no CUDA graph, steps run eagerly")
    assert "second" not in listener.said[0]
    found = loop.run(checkpoint.State())
    expected = lay_out(tiny_model("vae"), pixels, options(), tmp_path / "eager").run(checkpoint.State())
    assert [line["train"] for line in found.history] == [line["train"] for line in expected.history]


def test_what_cannot_be_captured_is_said(tiny_model, tiny_pixels, tmp_path):
    loop, listener = lay_out(tiny_model("vae"), tiny_pixels(64), options(), tmp_path), Listener()
    assert fit._captured(loop, HostStore(tiny_pixels(64), CPU), listener) is None
    assert "the images do not lie on the device" in listener.said[0]
