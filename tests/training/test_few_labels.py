"""Batches in which so many images are labelled; training with them by one process, two, and after a break."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import diabolo
from diabolo import distributed
from diabolo.data.stores import ResidentStore
from diabolo.errors import DiaboloError
from diabolo.hardware import choose_precision
from diabolo.randomness import generator
from diabolo.runs import checkpoint, files
from diabolo.runs.folder import RunFolder
from diabolo.training.batches import mixed, plan, shuffled
from diabolo.training.loop import Loop
from diabolo.training.options import TrainOptions
from diabolo.training.progress import Silence
from diabolo.training.stepping import step_of
from diabolo.updates.graph import DeviceLoop
from diabolo.updates.record import NotFiniteError

MODEL = {"hidden": (16,), "latent_dim": 4, "classes": 3}


@given(n=st.integers(1, 200), size=st.integers(2, 30), world=st.integers(1, 3), data=st.data())
def test_every_batch_has_its_labelled_images(n, size, world, data):
    each = data.draw(st.integers(1, size - 1))
    labelled = torch.tensor(sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=1))))
    real = distributed.world, distributed.rank
    try:
        distributed.world = lambda: world
        order = mixed(shuffled(n, 0, 1), labelled, each, size, 0, 1)
        shares = []
        for rank in range(world):
            distributed.rank = lambda rank=rank: rank
            shares.append(plan(order, size).batches)
    finally:
        distributed.world, distributed.rank = real
    steps = -(-n // ((size - each) * world))
    joint = list(order.split(size * world))
    assert len(joint) == steps
    turns = torch.cat([batch[: each * world] for batch in joint])
    assert turns.numel() == steps * each * world
    assert set(turns.tolist()) <= set(labelled.tolist())
    counts = torch.bincount(turns, minlength=n)[labelled]
    assert counts.max() - counts.min() <= 1  # they come round in turn
    others = torch.cat([batch[each * world :] for batch in joint])
    assert torch.equal(others, shuffled(n, 0, 1))  # and besides them every image once
    for i in range(steps - 1):
        assert torch.equal(torch.cat([batches[i] for batches in shares]), joint[i])


def test_the_order_is_new_in_each_epoch_and_comes_from_the_seed():
    labelled = torch.arange(0, 100, 10)
    one, again, other = (mixed(shuffled(100, 0, epoch), labelled, 4, 20, 0, epoch) for epoch in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one[:4], other[:4])


@pytest.fixture
def few(tiny_pixels):
    """few(n): images of which 12 are labelled: how far the bright square is from the top."""

    def draw(n=70):
        pixels = tiny_pixels(n)
        labels = (pixels > 100).any((1, 3)).argmax(1) % 3
        return diabolo.data.Images(pixels, labels=labels.astype(np.int64), name="tiny").keep_labels(12)

    return draw


@pytest.mark.parametrize("name", ["joint", "m2", "classifier"])
def test_further_epochs_are_those_of_the_longer_run(name, train, tiny_model, few, left):
    options = {"labelled_per_batch": 5}
    whole = train(tiny_model(name, classes=3), few(), few(), epochs=4, **options)
    run = train(tiny_model(name, classes=3), few(), few(), epochs=2, **options)
    run = diabolo.resume(run.path, few(), few(), epochs=4)
    assert left(run.path) == left(whole.path)
    assert run.config.options["labelled_per_batch"] == 5
    assert run.history[0]["step"] == -(-70 // 11)
    assert torch.equal(run.model.predict(few().images), diabolo.load(run.path).predict(few().images))


def test_the_record_holds_both_terms_and_the_share_misclassified(train, tiny_model, few):
    run = train(tiny_model("joint", classes=3, alpha=3.0), few(), few(), epochs=30, lr=1e-2, labelled_per_batch=8)
    assert run.history[-1]["train"]["misclassified"] < 0.1 < run.history[0]["train"]["misclassified"]
    last = run.history[-1]["train"]
    assert last["total"] == pytest.approx(last["reconstruction"] + 3 * last["classification"], rel=1e-4)
    images = few()
    known = images.labels >= 0
    wrong = (run.model.predict(images.images).argmax(1).numpy() != images.labels)[known].mean()
    assert wrong < 0.1


def test_refused_before_anything_is_made(train, tiny_model, few, tmp_path):
    with pytest.raises(DiaboloError, match="labelled_per_batch must be below the batch size of 16, not 16"):
        train(tiny_model("joint", classes=3), few(), labelled_per_batch=16)
    with pytest.raises(DiaboloError, match="labelled_per_batch must be a whole number of at least 1"):
        train(tiny_model("joint", classes=3), few(), labelled_per_batch=0)
    with pytest.raises(DiaboloError, match="labelled_per_batch needs a model that reads labels"):
        train(tiny_model("vae"), few(), labelled_per_batch=4)
    assert not (tmp_path / "runs").exists()


def test_the_batch_that_ended_in_nan_is_the_one_that_was_trained_on(train, tiny_model, few, monkeypatch, tmp_path):
    model, seen = tiny_model("joint", classes=3), []
    encode = model.encoder.forward

    def failing(x):
        seen.append(x.clone())
        return encode(x) * torch.nan if len(x) == 16 and sum(len(x) == 16 for x in seen) == 3 else encode(x)

    monkeypatch.setattr(model.encoder, "forward", failing)
    with pytest.raises(NotFiniteError, match="at step 3 of epoch 1"):
        train(model, few(), labelled_per_batch=5)
    (path,) = (tmp_path / "runs").glob("*/offending-batch.safetensors")
    tensors, _ = files.read_tensors(path)
    assert torch.equal(tensors["x"], seen[-1])


@pytest.mark.parametrize("name", ["joint", "m2"])
def test_driven_from_the_device_it_is_the_same_training(name, tiny_model, few, tmp_path, weights):
    images, options = few(), TrainOptions(epochs=2, batch_size=16, labelled_per_batch=5, precision="float32")
    models = [tiny_model(name, classes=3) for _ in range(2)]
    for model, driven in zip(models, (False, True), strict=True):
        path = tmp_path / str(driven)
        (path / "checkpoint").mkdir(parents=True)
        step = step_of(model, options, choose_precision("float32", torch.device("cpu")))
        store = ResidentStore(images.images, torch.device("cpu"))
        loop = Loop(
            step,
            store,
            len(images),
            None,
            0,
            options,
            RunFolder(path),
            Silence(),
            known=torch.from_numpy(images.labels),
        )
        if driven:
            shape = (sum(len(batch) == 16 for batch in plan(loop.order(0), 16).batches), 16)
            noise = generator(options.seed, "noise")
            total = loop.steps * options.epochs
            loop.device_loop = DeviceLoop(step, store, loop.new_record(), noise, shape, total, known=loop.known)
        loop.run(checkpoint.State())
        step.release()
    torch.testing.assert_close(weights(models[1]), weights(models[0]), rtol=1e-5, atol=1e-6)


TWO = """
import numpy as np, torch
import diabolo
torch.manual_seed(7)
images = diabolo.data.Images(np.load("x.npy"), labels=np.load("y.npy"), name="tiny")
model = diabolo.zoo.build({name!r}, images.shape, **{model!r})
diabolo.fit(model, images, images, **{options!r}, quiet=True)
"""


@pytest.mark.parametrize("name", ["joint", "m2"])
def test_two_processes_do_what_one_does_with_twice_the_batch(name, pair, few, tmp_path):
    images = few(72)
    np.save(tmp_path / "x.npy", images.images)
    np.save(tmp_path / "y.npy", images.labels)
    options = {"epochs": 2, "precision": "float32", "threads": 1, "device": "cpu"}
    shared = options | {"batch_size": 8, "labelled_per_batch": 2, "out": "two"}
    children = pair(TWO.format(name=name, model=MODEL, options=shared))
    assert [child.wait() for child in children] == [0, 0], children[0].errors + children[1].errors
    (path,) = [path for path in (tmp_path / "two").iterdir() if not path.name.startswith(".")]
    torch.manual_seed(7)
    model = diabolo.zoo.build(name, images.shape, **MODEL)
    alone = options | {"batch_size": 16, "labelled_per_batch": 4, "out": tmp_path / "one", "quiet": True}
    one = diabolo.fit(model, images, images, **alone)
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    for ours, theirs in zip(lines, one.history, strict=True):
        assert ours["step"] == theirs["step"]
        assert ours["train"] == pytest.approx(theirs["train"], rel=1e-4, abs=1e-5)
    ours, theirs = diabolo.load(path).state_dict(), one.model.state_dict()
    for key in theirs:
        torch.testing.assert_close(ours[key], theirs[key], rtol=1e-3, atol=1e-4)
