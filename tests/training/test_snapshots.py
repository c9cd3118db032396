"""What is written as training goes: the loss within epochs, and pictures of samples and reconstructions."""

import json

import numpy as np
import pytest
import torch

import diabolo
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.pictures import run_figures
from diabolo.reports import run_report
from diabolo.runs import files
from diabolo.training import loop, snapshots
from diabolo.training.loop import Loop

ALONG = {"log_every": 2, "sample_every": 2}


def test_the_weights_are_those_of_a_training_without(train, tiny_model, tiny_pixels, left):
    model = {"dropout": 0.3, "corruption": "masking"}  # which draws from torch's own generator and from the noise
    x, held = tiny_pixels(), tiny_pixels(20, seed=1)
    plain = train(tiny_model("vae", **model), x, held, epochs=4, ema=0.5)
    along = train(tiny_model("vae", **model), x, held, epochs=4, ema=0.5, **ALONG)
    assert left(along.path) == left(plain.path)
    assert not {"steps.jsonl", "progress"} & {file.name for file in plain.path.iterdir()}


def test_lines_are_the_means_of_the_steps_since_the_last(train, tiny_model, tiny_pixels):
    x = tiny_pixels()  # 70 images: 4 steps of 16 and one of 6
    every = train(tiny_model("vae"), x, log_every=1).folder.steps
    assert [line["step"] for line in every] == list(range(1, 11))
    run = train(tiny_model("vae"), x, log_every=3)
    assert [(line["epoch"], line["step"]) for line in run.folder.steps] == [(1, 3), (2, 6), (2, 9)]
    total = [line["train"]["total"] for line in every]
    found = [line["train"]["total"] for line in run.folder.steps]
    assert found == pytest.approx([np.mean(total[:3]), total[5], np.mean(total[6:9])], rel=1e-6)
    sizes = np.array([16] * 4 + [6])
    assert run.history[0]["train"]["total"] == pytest.approx(np.average(total[:5], weights=sizes), rel=1e-6)
    assert not train(tiny_model("vae"), x, log_every=99).folder.steps


def test_in_a_long_epoch_lines_are_written_once_a_second(train, tiny_model, tiny_pixels, monkeypatch):
    written = []
    clock = iter(np.arange(0, 1e6, 0.4))
    monkeypatch.setattr(loop.time, "perf_counter", lambda: next(clock))
    append = files.append
    monkeypatch.setattr(files, "append", lambda file, line, at: (written.append(line), append(file, line, at)))
    run = train(tiny_model(), tiny_pixels(200), log_every=1, epochs=1)
    assert [line["step"] for line in run.folder.steps] == list(range(1, 14))
    assert 3 < len(written) < 13


@pytest.mark.parametrize("every", [1, 3])
def test_a_broken_off_training_goes_on_to_the_same_files(every, train, tiny_model, tiny_pixels, tmp_path, monkeypatch):
    x, options = tiny_pixels(), {"epochs": 5, "checkpoint_every": every} | ALONG
    whole = train(tiny_model("vae"), x, **options)
    save = Loop._save_alone

    def failing(self, path, state):
        save(self, path, state) if state.epoch < 5 else (_ for _ in ()).throw(MemoryError)

    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_save_alone", failing)
        with pytest.raises(MemoryError):
            train(tiny_model("vae"), x, out=tmp_path / "broken", **options)
    (path,) = (tmp_path / "broken").iterdir()
    with (path / "steps.jsonl").open("ab") as file:
        file.write(b'{"epoch": 5, "st')  # the half of a line
    run = diabolo.resume(path, x)
    for name in ("steps.jsonl", "figures/progress-samples.png", "figures/progress-reconstructions.png"):
        assert (run.path / name).read_bytes() == (whole.path / name).read_bytes(), name
    kept = [sorted((r.path / "progress").iterdir()) for r in (run, whole)]
    assert [file.name for file in kept[0]] == ["00002.safetensors", "00004.safetensors"]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*kept, strict=True))


def test_a_loss_that_breaks_is_in_the_lines_as_no_number(train, tiny_model, tiny_pixels, tmp_path):
    with pytest.raises(DiaboloError, match="became"):
        train(tiny_model(hidden=(64,) * 6), tiny_pixels(), lr=1000, epochs=5, log_every=1)
    (path,) = (tmp_path / "runs").iterdir()
    lines = [json.loads(line, parse_constant=pytest.fail) for line in (path / "steps.jsonl").read_text().splitlines()]
    assert lines[-1]["train"]["total"] is None


def test_pictures_are_what_the_model_gives_of_validation_images(train, tiny_model, tiny_pixels):
    run = train(tiny_model("vae"), tiny_pixels(), tiny_pixels(30, seed=1), sample_every=2)
    shown, about = files.read_tensors(run.path / "progress" / "00002.safetensors")
    assert about == {"epoch": 2}
    assert np.array_equal(shown["images"], Images(tiny_pixels(30, seed=1)).spread(10).images)
    assert torch.equal(shown["reconstructions"], (run.model.reconstruct(shown["images"]) * 255).round().byte())
    assert torch.equal(shown["samples"], (run.model.sample(10, 0) * 255).round().byte())


CASES = {
    "grey": ("vae", (1, 8, 8), {}, {"samples", "reconstructions"}),
    "colour": ("undercomplete", (3, 8, 8), {}, {"samples", "reconstructions"}),
    "classes": ("cvae", (1, 8, 8), {"classes": 2}, {"samples", "reconstructions"}),
    "a quarter": ("completion", (1, 8, 8), {}, {"samples", "reconstructions"}),
    "no prior yet": ("vqvae", (1, 8, 8), {"width": 4, "residual_width": 2, "hidden": None}, {"reconstructions"}),
    "two channels": ("vae", (2, 8, 8), {}, set()),
    "vectors": ("vae", (12,), {}, set()),
    "no decoder": ("classifier", (1, 8, 8), {"classes": 2}, set()),
}


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_model(case, train, tiny_model, caplog):
    name, shape, options, wanted = CASES[case]
    model = tiny_model(name, shape=shape, **options) if "width" not in options else diabolo.zoo.vqvae(
        shape, codes=8, latent_dim=2, width=4, residual_width=2, residual_layers=1
    )  # fmt: skip
    random = np.random.default_rng(0)
    x = random.random((40, *shape), np.float32) if len(shape) == 1 else random.integers(0, 256, (40, *shape), np.uint8)
    with caplog.at_level("INFO", "diabolo.training"):
        run = train(model, Images(x, np.arange(40) % 2), epochs=1, sample_every=1)
    assert {file.stem.removeprefix("progress-") for file in (run.path / "figures").glob("progress-*")} == wanted
    assert ("what this model reconstructs are no pictures" in caplog.text) == (not wanted)


def test_the_report_shows_them(train, tiny_model, tiny_pixels):
    run = train(tiny_model("vae"), tiny_pixels(), epochs=3, log_every=2, sample_every=1)
    shown = {block.path.stem for block in run_report._figures(run, None) if hasattr(block, "path")}
    assert {"steps", "progress-samples", "progress-reconstructions"} <= shown <= run_report.CAPTIONS.keys()
    assert not run_figures.lacks_figures(run.path)


def test_a_strip_has_at_most_twelve_epochs_the_first_and_the_last(train, tiny_model, tiny_pixels, monkeypatch):
    seen = {}
    run = train(tiny_model("vae"), tiny_pixels(20), epochs=1, sample_every=1)
    for epoch in range(2, 31):
        (run.path / "progress" / f"{epoch:05d}.safetensors").write_bytes(
            (run.path / "progress" / "00001.safetensors").read_bytes()
        )
    monkeypatch.setattr(diabolo.figures, "strips", lambda rows, title: seen.update(rows))
    snapshots.drawn(run.path, "vae")
    assert len(seen) == snapshots.ROWS
    assert {"epoch 1", "epoch 30"} < seen.keys()


@pytest.mark.parametrize("damage", ["cut short", "other tensors", "other shapes"])
def test_a_damaged_picture_costs_no_training(damage, train, tiny_model, tiny_pixels):
    run = train(tiny_model("vae"), tiny_pixels(), epochs=1, sample_every=1)
    file = run.path / "progress" / "00001.safetensors"
    if damage == "cut short":
        file.write_bytes(file.read_bytes()[:-1])
    else:
        shown = files.read_tensors(file)[0]
        kept = {"images": shown["images"]} | ({"reconstructions": torch.zeros(3)} if damage == "other shapes" else {})
        files.write_tensors(file, kept)
    with pytest.warns(UserWarning, match=r"00001\.safetensors .* left out of the pictures by epoch"):
        longer = diabolo.resume(run.path, Images(tiny_pixels()), epochs=2)
    assert len(longer.history) == 2
    with pytest.raises(DiaboloError, match=r"00001\.safetensors"):
        snapshots.read(run.path)
