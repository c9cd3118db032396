"""The step driven from the device: the same training as the eager loop; on a GPU captured in a graph."""

import copy

import pytest
import torch

from diabolo import zoo
from diabolo.data.arrays import as_images
from diabolo.data.stores import ResidentStore
from diabolo.hardware import choose_precision
from diabolo.randomness import generator
from diabolo.runs import checkpoint
from diabolo.runs.folder import RunFolder
from diabolo.training import fit
from diabolo.training.batches import plan
from diabolo.training.loop import Loop
from diabolo.training.options import TrainOptions
from diabolo.training.progress import Silence
from diabolo.training.stepping import step_of
from diabolo.updates.graph import DeviceLoop

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def run(model, pixels, options, path, device="cpu", driven=True):
    (path / "checkpoint").mkdir(parents=True, exist_ok=True)
    step = step_of(model.to(device), options, choose_precision(options.precision, torch.device(device)))
    store = ResidentStore(as_images(pixels).images, torch.device(device))
    loop = Loop(step, store, len(pixels), None, 0, options, RunFolder(path), Silence())
    if driven:
        full = sum(len(batch) == options.batch_size for batch in plan(torch.arange(loop.n), options.batch_size).batches)
        noise = generator(options.seed, "noise", device=device)
        shape = (full, options.batch_size)
        loop.device_loop = DeviceLoop(step, store, loop.new_record(), noise, shape, loop.steps * options.epochs)
        if device == "cuda":
            loop.device_loop.capture()
    state = loop.run(checkpoint.State())
    step.release()
    return state


@pytest.mark.parametrize("n", [64, 70, 65, 16])
@pytest.mark.parametrize(
    "options", [{}, {"schedule": "one-cycle"}, {"schedule": "cosine", "ema": 0.9, "clip_norm": 0.1}], ids=str
)
def test_driven_from_the_device_it_is_the_same_training(n, options, tiny_model, tiny_pixels, tmp_path, weights):
    chosen = TrainOptions(**({"epochs": 3, "batch_size": 16, "lr": 1e-2, "precision": "float32", "seed": 4} | options))
    eager = tiny_model("vae", beta="cyclical(0, 2, 2)")
    driven = copy.deepcopy(eager)
    pixels = tiny_pixels(n)
    expected = run(eager, pixels, chosen, tmp_path / "eager", driven=False)
    found = run(driven, pixels, chosen, tmp_path / "driven")
    torch.testing.assert_close(weights(driven), weights(eager), rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(found.history, expected.history, strict=True):
        assert ours["train"] == pytest.approx(theirs["train"], rel=1e-5)
        assert ours["lr"] == pytest.approx(theirs["lr"], rel=1e-5)


@pytest.mark.parametrize("codebook", ["ema", "loss"])
def test_a_codebook_learns_the_same_driven_from_the_device(codebook, tiny_pixels, tmp_path, weights):
    torch.manual_seed(0)
    net = {"width": 8, "residual_width": 4, "residual_layers": 1}
    eager = zoo.vqvae((1, 8, 8), 4, codes=9, codebook=codebook, restart=0.5, codebook_decay=0.8, **net)
    driven = copy.deepcopy(eager)
    chosen = TrainOptions(epochs=3, batch_size=16, lr=1e-2, precision="float32")
    expected = run(eager, tiny_pixels(70), chosen, tmp_path / "eager", driven=False)
    found = run(driven, tiny_pixels(70), chosen, tmp_path / "driven")
    torch.testing.assert_close(driven.state_dict(), eager.state_dict(), rtol=1e-5, atol=1e-6)
    assert found.history[-1]["train"] == pytest.approx(expected.history[-1]["train"], rel=1e-5)


def test_no_graph_is_said_with_the_reason(tiny_model, tiny_pixels, tmp_path, monkeypatch):
    said = []

    class Listener(Silence):
        def say(self, text):
            said.append(text)

    def refuse(self):
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(DeviceLoop, "capture", refuse)
    options = TrainOptions(batch_size=16, precision="float32")
    step = step_of(tiny_model("vae"), options, choose_precision("float32", torch.device("cpu")))
    store = ResidentStore(as_images(tiny_pixels(40)).images, torch.device("cpu"))
    loop = Loop(step, store, 40, None, 0, options, RunFolder(tmp_path), Silence())
    assert fit._captured(loop, store, Listener()) is None
    assert said == ["no CUDA graph, steps run eagerly: operation not permitted when stream is capturing"]
    step.release()


@gpu
@pytest.mark.parametrize("n", [64, 70])
@pytest.mark.parametrize("net", ["mlp", "conv"])
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_the_graph_trains_as_eager_steps_do(n, net, precision, tiny_model, tiny_pixels, tmp_path, weights):
    chosen = TrainOptions(epochs=3, batch_size=16, lr=1e-2, precision=precision, schedule="one-cycle")
    eager = tiny_model("vae", net=net, beta="linear(0, 1, 0.5)")
    graphed, pixels = copy.deepcopy(eager), tiny_pixels(n)
    run(eager, pixels, chosen, tmp_path / "eager", "cuda", driven=False)
    run(graphed, pixels, chosen, tmp_path / "graph", "cuda")
    tolerance = 1e-3 if precision == "float32" else 5e-2
    torch.testing.assert_close(weights(graphed), weights(eager), rtol=tolerance, atol=tolerance)


@gpu
def test_an_epoch_never_waits_for_the_gpu(train, tiny_model, tiny_pixels, monkeypatch):
    steps = Loop._steps

    def strict(self, *arguments):
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield from steps(self, *arguments)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(Loop, "_steps", strict)
    train(tiny_model("vae", net="conv"), tiny_pixels(70), device="cuda", precision="bf16")
    train(tiny_model("vae"), tiny_pixels(70), device="cuda", precision="float32", graph=False)


@gpu
@pytest.mark.parametrize("options", [{"precision": "bf16"}, {"precision": "float16"}, {"graph": False}], ids=str)
def test_on_the_gpu_it_learns_and_resumes(options, train, tiny_model, tiny_pixels, left, monkeypatch):
    import diabolo

    pixels = tiny_pixels(70)
    whole = train(tiny_model("vae"), pixels, device="cuda", epochs=4, **options)
    assert whole.history[-1]["train"]["total"] < whole.history[0]["train"]["total"]
    broken = train(tiny_model("vae"), pixels, device="cuda", epochs=2, **options)
    resumed = diabolo.resume(broken.path, pixels, epochs=4)
    assert left(resumed.path) == left(whole.path)
