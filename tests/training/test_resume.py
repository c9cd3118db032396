"""Going on with a run: with the same bits, for further epochs, and refused where it would not be the same training."""

import json

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import diabolo
from diabolo import zoo
from diabolo.data.origin import hold_out
from diabolo.errors import DiaboloError
from diabolo.runs import checkpoint, files
from diabolo.training import fit
from diabolo.training.loop import Loop

CASES = {
    "vae": ("vae", {}, {}),
    "constant with all that has a memory": (
        "vae",
        {"net": "conv"},
        {"ema": 0.9, "optimizer": "adamw", "clip_norm": 0.1},
    ),
    "bf16": ("denoising", {}, {"precision": "bf16", "weight_decay": 0.1}),
    "float16": ("undercomplete", {}, {"precision": "float16"}),
    "contractive": ("contractive", {"net": "conv", "contraction": 1e-2}, {"precision": "bf16"}),
    "top-k": ("topk", {"active": 2}, {}),
    "rate": ("kl_sparse", {}, {}),
    "regularised": ("rae", {"decoder_l2": 1e-4, "gradient_penalty": 1e-3}, {}),
    "free bits": ("vae", {"free_bits": 0.1}, {}),
    "capacity": ("vae", {"capacity": 5.0, "beta": 10.0}, {}),
    "importance-weighted, binarised": ("iwae", {"gradient": "dreg", "observation": "binarised"}, {"precision": "bf16"}),
    "learned sigma": ("undercomplete", {"likelihood": "gaussian"}, {"keep": "best"}),
}


@pytest.mark.parametrize("case", CASES)
def test_further_epochs_are_those_of_the_longer_run(case, train, tiny_model, tiny_pixels, left):
    name, model, options = CASES[case]
    x, held = tiny_pixels(), tiny_pixels(30, seed=1)
    whole = train(tiny_model(name, **model), x, held, epochs=5, **options)
    run = train(tiny_model(name, **model), x, held, epochs=2, **options)
    for epochs in (3, 5):
        run = diabolo.resume(run.path, x, held, epochs=epochs)
    assert left(run.path) == left(whole.path)
    assert run.status == whole.status == "finished"
    assert [line["epoch"] for line in run.history] == [1, 2, 3, 4, 5]
    assert all(torch.equal(a, b) for a, b in zip(run.model.parameters(), whole.model.parameters(), strict=True))


@pytest.mark.parametrize("case", [{"schedule": "one-cycle"}, {"schedule": "cosine", "checkpoint_every": 3}])
def test_an_error_in_the_middle_leaves_a_run_that_goes_on(
    case, train, tiny_model, tiny_pixels, left, monkeypatch, tmp_path
):
    x = tiny_pixels()
    options = {"epochs": 6, **case}
    whole = train(tiny_model("vae", beta="linear(0, 2, 0.5)"), x, **options)
    epoch = Loop._epoch

    def failing(self, number, state):
        if number == 4:
            raise MemoryError
        return epoch(self, number, state)

    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_epoch", failing)
        with pytest.raises(MemoryError):
            train(tiny_model("vae", beta="linear(0, 2, 0.5)"), x, out=tmp_path / "broken", **options)
    (path,) = (tmp_path / "broken").iterdir()
    assert checkpoint.status(path) == f"running after {4 if 'checkpoint_every' not in case else 3} epochs"
    run = diabolo.resume(path, x)
    assert left(run.path) == left(whole.path)


def test_the_weights_of_the_model_given_do_not_matter(train, tiny_model, tiny_pixels):
    """Only the folder counts: the global generator, the time of day, another training in between change nothing."""
    x = tiny_pixels()
    first, second = (train(tiny_model("vae"), x) for _ in range(2))
    torch.manual_seed(1)
    one = diabolo.resume(first.path, x, epochs=4)
    torch.manual_seed(2)
    train(tiny_model("vae", seed=9), x, seed=5)
    other = diabolo.resume(second.path, x, epochs=4)
    assert all(torch.equal(a, b) for a, b in zip(one.model.parameters(), other.model.parameters(), strict=True))


# --- refused ----------------------------------------------------------------------------------------------------------


def test_a_finished_run(train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels())
    before = {file: file.read_bytes() for file in run.path.rglob("*") if file.is_file()}
    for epochs in (None, 1, 2):
        with pytest.raises(DiaboloError, match=r"has finished its 2 epochs.*--epochs") as refused:
            diabolo.resume(run.path, tiny_pixels(), epochs=epochs)
        assert "\n" not in str(refused.value)
    assert {file: file.read_bytes() for file in run.path.rglob("*") if file.is_file()} == before


def test_a_run_that_stopped_early(train, tiny_model, tiny_pixels):
    """It ended by its own rule; going on without a new one would add an epoch at each call."""
    x = tiny_pixels()
    run = train(tiny_model(), x, x, epochs=50, early_stopping=1, min_delta=1.0)
    assert run.status.startswith("stopped early")
    with pytest.raises(DiaboloError, match="stopped early"):
        diabolo.resume(run.path, x, x)
    assert len((run.path / "metrics.jsonl").read_text().splitlines()) == len(run.history)


def test_other_images(train, tiny_model, tiny_pixels):
    x, held = tiny_pixels(), tiny_pixels(20, seed=1)
    run = train(tiny_model(), x, held)
    changed = x.copy()
    changed[0, 0, 0, 0] ^= 1
    for images, validation in ((changed, held), (x[:-1], held), (x[::-1].copy(), held), (x, x)):
        with pytest.raises(DiaboloError, match="not those that"):
            diabolo.resume(run.path, images, validation, epochs=3)
    with pytest.raises(DiaboloError, match="given as arrays"):
        diabolo.resume(run.path, epochs=3)
    with pytest.raises(DiaboloError, match="given as arrays"):
        diabolo.resume(run.path, x, epochs=3)
    assert diabolo.resume(run.path, torch.from_numpy(x), held, epochs=3).status == "finished"


def test_validation_images_that_the_run_did_not_have(train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels())
    with pytest.raises(DiaboloError, match="validation"):
        diabolo.resume(run.path, tiny_pixels(), tiny_pixels(20), epochs=3)


def test_named_images_are_loaded_again(train, digits, left):
    images, test = digits
    runs = []
    for epochs in (1, 2):
        torch.manual_seed(0)
        model = zoo.undercomplete(images.shape, 4, hidden=(16,))
        runs.append(train(model, images, test, epochs=epochs, batch_size=128))
    assert left(diabolo.resume(runs[0].path, epochs=2).path) == left(runs[1].path)


@pytest.mark.parametrize("epochs", [0, -1, 2.5, "many", True])
def test_epochs_that_are_none(epochs, train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels())
    with pytest.raises(DiaboloError, match="epochs must be a whole number"):
        diabolo.resume(run.path, tiny_pixels(), epochs=epochs)


def test_a_pca(train, tiny_model, tiny_pixels):
    run = train(tiny_model("pca"), tiny_pixels())
    with pytest.raises(DiaboloError, match="nothing to go on with"):
        diabolo.resume(run.path, tiny_pixels(), epochs=3)


# --- damaged ----------------------------------------------------------------------------------------------------------


def edited(path, **changes):
    """config.json of `path` with every such key, at any depth, changed."""

    def walk(value):
        if isinstance(value, dict):
            return {key: changes.get(key, walk(inner)) for key, inner in value.items()}
        return [walk(inner) for inner in value] if isinstance(value, list) else value

    config = walk(json.loads((path / "config.json").read_text()))
    (path / "config.json").write_text(json.dumps(config))


def test_a_checkpoint_of_another_model_is_refused_even_where_its_shapes_can_be_stretched(
    train, tiny_model, tiny_pixels
):
    """A code of one number: its weights (1, 16) could be copied into (8, 16) without an error."""
    x = tiny_pixels()
    run = train(tiny_model(latent_dim=1), x)
    edited(run.path, latent_dim=8)
    with pytest.raises(DiaboloError, match="does not fit its config"):
        diabolo.resume(run.path, x, epochs=3)


@pytest.mark.parametrize(
    "changes",
    [{"hidden": [17]}, {"hidden": [16, 16]}, {"latent_dim": 5}, {"ema": 0.9}, {"precision": "float16"}],
    ids=str,
)
def test_a_config_edited_after_the_run(changes, train, tiny_model, tiny_pixels):
    x = tiny_pixels()
    run = train(tiny_model(), x)
    edited(run.path, **changes)
    with pytest.raises(DiaboloError, match="does not fit its config"):
        diabolo.resume(run.path, x, epochs=3)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_checkpoint_cut_short(share, train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels())
    file = run.path / checkpoint.FILE
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    for ask in (lambda: diabolo.resume(run.path, tiny_pixels(), epochs=3), lambda: checkpoint.status(run.path)):
        with pytest.raises(DiaboloError, match="damaged or cut short"):
            ask()


@pytest.mark.parametrize(
    "about", [None, [], {}, {"epoch": 1, "more": 2}, "text", {"epoch": "two"}, {"history": 3}], ids=str
)
def test_a_checkpoint_whose_header_says_nonsense(about, train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels())
    tensors, _ = files.read_tensors(run.path / checkpoint.FILE)
    files.write_tensors(run.path / checkpoint.FILE, tensors, about)
    if about != {}:
        with pytest.raises(DiaboloError):
            diabolo.resume(run.path, tiny_pixels(), epochs=3)
        with pytest.raises(DiaboloError):
            checkpoint.status(run.path)


def test_no_checkpoint_at_all(train, tiny_model, tiny_pixels, tmp_path):
    run = train(tiny_model(), tiny_pixels())
    (run.path / checkpoint.FILE).unlink()
    with pytest.raises(DiaboloError, match="is missing"):
        diabolo.resume(run.path, tiny_pixels(), epochs=3)
    with pytest.raises(DiaboloError, match="not a run folder"):
        diabolo.resume(tmp_path)
    with pytest.raises(DiaboloError, match="there is no folder"):
        diabolo.resume(tmp_path / "nowhere")


NONSENSE = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.floats(allow_nan=True), st.text(max_size=4),
    st.sampled_from(["vae", "digits", "train", "test", "held out", "auto", "linear(0, 1)", "nets.MLPEncoder", "pca.PCA"]),
    st.lists(st.integers(-2, 20), max_size=3),
    st.dictionaries(st.sampled_from(["part", "load", "x"]), st.integers(), max_size=2),
)  # fmt: skip


def places(value, path=()):
    """Where something stands in JSON-able data: the keys that lead to it."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from places(below, (*path, key))


def changed(config, data):
    """`config` with one to three things replaced by nonsense, or taken away."""
    config = json.loads(json.dumps(config))
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(list(places(config))))
        inner = config
        for key in way:
            inner = inner[key]
        if data.draw(st.booleans()):
            inner[last] = data.draw(NONSENSE)
        else:
            del inner[last]
    return config


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.filterwarnings("ignore")
def test_whatever_was_edited_resume_says_so_or_goes_on(data, shared_run, monkeypatch):
    config = json.loads((shared_run / "as-it-was.json").read_text())
    (shared_run / "config.json").write_text(json.dumps(changed(config, data)))
    monkeypatch.setattr(fit, "_run", lambda *args, **kwargs: "well")
    try:
        assert diabolo.resume(shared_run, epochs=data.draw(st.sampled_from([None, 3]))) == "well"
    except DiaboloError as error:
        assert str(error).strip()  # noqa: PT017  # any other exception is the failure


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory, digits):
    images, _ = digits
    train, held = hold_out(images, 0.1)
    model = zoo.vae(images.shape, 4, net="conv", channels=(4,), beta="linear(0, 1)")
    run = diabolo.fit(model, train, held, epochs=1, out=tmp_path_factory.mktemp("shared"), quiet=True)
    (run.path / "as-it-was.json").write_text((run.path / "config.json").read_text())
    return run.path


def test_arrays_of_floats_are_the_same_images_again(train, tiny_model, left):
    vectors = np.random.default_rng(0).random((40, 9))
    whole = train(zoo_vectors(), vectors, epochs=2)
    run = train(zoo_vectors(), vectors, epochs=1)
    assert left(diabolo.resume(run.path, vectors, epochs=2).path) == left(whole.path)


def zoo_vectors():
    torch.manual_seed(0)
    return zoo.vae((9,), 2, hidden=(8,))
