"""What a run folder promises to those who come back to it: damage is noticed, versions are named, moved images are found, the
record is appended to, and folders of before can still be used."""

import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import diabolo
from diabolo import disk
from diabolo.errors import DiaboloError, NotWrittenError, Stopped
from diabolo.pictures import run_figures
from diabolo.runs import checkpoint, files, history
from diabolo.runs.folder import numbered
from diabolo.training.preflight import NothingLeftError

PRIOR = {"width": 8, "layers": 1, "heads": 2, "epochs": 2, "batch_size": 16, "threads": 1, "quiet": True}


@pytest.fixture
def run(train, tiny_model, tiny_pixels):
    return train(tiny_model("vae"), tiny_pixels(), tiny_pixels(20, seed=1))


@pytest.fixture
def quantised(train, tiny_pixels):
    """Images and the run of a small VQ-VAE."""
    torch.manual_seed(0)
    model = diabolo.zoo.vqvae((1, 8, 8), width=16, residual_width=8, residual_layers=1, codes=12)
    x = tiny_pixels()
    return x, train(model, x, epochs=1)


def flip(path, share):
    """One bit of the file is another."""
    content = bytearray(path.read_bytes())
    content[int(share * (len(content) - 1))] ^= 4
    path.write_bytes(content)


# --- checksums --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.4, 0.7, 0.99, 1.0])
@pytest.mark.parametrize("name", ["model.safetensors", "best.safetensors", checkpoint.FILE])
def test_a_flipped_bit_is_named(name, share, run, tiny_pixels):
    flip(run.path / name, share)
    ways = {
        "model.safetensors": lambda: diabolo.load(run.path),
        "best.safetensors": lambda: diabolo.load(run.path, weights="best"),
        checkpoint.FILE: lambda: diabolo.resume(run.path, tiny_pixels(), tiny_pixels(20, seed=1), epochs=3),
    }
    for way in (ways[name], lambda: checkpoint.verify(run.path)):
        with pytest.raises(DiaboloError, match=f"{name} is damaged: its checksum"):
            way()


def test_no_bit_of_a_file_can_be_flipped_unnoticed(tmp_path):
    file = tmp_path / "x.safetensors"
    tensors = {
        "a": torch.randn(3),
        "half": torch.randn(2).bfloat16(),
        "yes": torch.tensor([True]),
        "one": torch.tensor(3),
    }
    files.write_tensors(file, tensors, {"epoch": 3})
    whole = file.read_bytes()
    for bit in range(8 * len(whole)):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        file.write_bytes(content)
        with pytest.raises(DiaboloError, match="is damaged"):
            files.read_tensors(file)


def test_damaged_weights_that_can_be_made_again_are(run, tiny_pixels, left):
    before = left(run.path)
    flip(run.path / "model.safetensors", 0.9)
    diabolo.resume(run.path, tiny_pixels(), tiny_pixels(20, seed=1))
    assert left(run.path) == before


def test_the_same_weights_give_the_same_bytes(tmp_path):
    tensors = {f"layer {i}": torch.full((3,), float(i)) for i in range(5)}
    for name in "ab":
        files.write_tensors(tmp_path / name, tensors, {"epoch": 3})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_written_by_others_have_no_checksum(tmp_path):
    import safetensors.torch

    safetensors.torch.save_file({"x": torch.ones(2)}, tmp_path / "x.safetensors", {"format": "pt"})
    tensors, about = files.read_tensors(tmp_path / "x.safetensors")
    assert (tensors["x"].tolist(), about) == ([1.0, 1.0], None)


# --- the record of the epochs -----------------------------------------------------------------------------------------


def test_an_epoch_costs_its_own_line(tmp_path, monkeypatch):
    written = []
    put = disk._put
    monkeypatch.setattr(disk, "_put", lambda handle, content: (written.append(len(content)), put(handle, content)))
    lines, length, digest = [], 0, ""
    for epoch in range(50):
        lines.append({"epoch": epoch + 1, "train": {"total": epoch / 7}})
        length, digest = history.add(tmp_path, lines, length, digest)
    assert sum(written) == length == (tmp_path / history.FILE).stat().st_size
    assert history.read(tmp_path) == history.confirmed(tmp_path, length, digest) == lines


def test_the_checkpoint_does_not_grow_with_the_epochs(train, tiny_model, tiny_pixels):
    sizes = [(train(tiny_model(), tiny_pixels(), epochs=n).path / checkpoint.FILE).stat().st_size for n in (2, 9)]
    assert abs(sizes[1] - sizes[0]) < 16  # digits of numbers


@pytest.mark.parametrize("tail", ['{"epoch": 3, "tra', '{"epoch": 3}\n', "\x00\x00\x00"])
def test_what_a_kill_left_behind_the_last_line_is_cut_off(tail, run, train, tiny_model, tiny_pixels, left):
    x, held = tiny_pixels(), tiny_pixels(20, seed=1)
    whole = train(tiny_model("vae"), x, held, epochs=4)
    with (run.path / history.FILE).open("a") as file:
        file.write(tail)
    assert left(diabolo.resume(run.path, x, held, epochs=4).path) == left(whole.path)


@pytest.mark.parametrize(
    "edit", [lambda text: text.replace("1", "2", 1), lambda text: text[:-30], lambda text: text[5:]]
)
def test_an_edited_record_is_named_and_may_be_given_up(edit, run, tiny_pixels):
    x, held = tiny_pixels(), tiny_pixels(20, seed=1)
    file = run.path / history.FILE
    file.write_text(edit(file.read_text()))
    with pytest.raises(DiaboloError, match=r"metrics\.jsonl is damaged: its checksum .* delete it to go on"):
        diabolo.resume(run.path, x, held, epochs=3)
    file.unlink()
    assert [line["epoch"] for line in diabolo.resume(run.path, x, held, epochs=3).history] == [3]
    assert len(file.read_text().splitlines()) == 1


def test_a_disk_that_fills_up_within_a_line_leaves_the_lines_before(tmp_path, monkeypatch):
    length, digest = history.add(tmp_path, [{"epoch": 1}], 0, "")

    def full(handle, content):
        import os

        os.write(handle, content[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(disk, "_put", full)
        with pytest.raises(NotWrittenError, match=r"metrics\.jsonl could not be written: No space left"):
            history.add(tmp_path, [{"epoch": 1}, {"epoch": 2}], length, digest)
    assert (tmp_path / history.FILE).stat().st_size == length


# --- folders of before, and of later ----------------------------------------------------------------------------------


def of_before(path):
    """Make the run folder as Diabolo 0.1 wrote it: no format, no checksums, the record of the epochs in the checkpoint."""
    import safetensors.torch

    config = files.read_json(path / "config.json")
    del config["format"]
    files.write_json(path / "config.json", config)
    lines = history.read(path)
    for file in path.rglob("*.safetensors"):
        tensors, about = files.read_tensors(file)
        if file.parent.name == "checkpoint":
            about = {key: about[key] for key in ("epoch", "best", "best_epoch", "status")} | {"history": lines}
        safetensors.torch.save_file(tensors, file, {"about": json.dumps(about)})


def test_a_folder_of_the_version_before_loads_and_goes_on(run, train, tiny_model, tiny_pixels, left):
    x, held = tiny_pixels(), tiny_pixels(20, seed=1)
    whole = train(tiny_model("vae"), x, held, epochs=4)
    codes = run.model.encode(x)
    of_before(run.path)
    checkpoint.verify(run.path)
    assert torch.equal(diabolo.load(run.path).encode(x), codes)
    assert checkpoint.status(run.path) == "finished after 2 epochs"
    with pytest.raises(NothingLeftError, match="has finished its 2 epochs"):
        diabolo.resume(run.path, x, held)
    assert left(diabolo.resume(run.path, x, held, epochs=4).path) == left(whole.path)
    assert "history" not in files.read_about(run.path / checkpoint.FILE)


@pytest.mark.parametrize(
    "edit",
    [
        lambda config: config.update(format=99),
        lambda config: config.update(format=99, versions=None),
        lambda config: (config["versions"].update(diabolo="9.1.0"), config["model"].update(part="nets.OfTomorrow")),
        lambda config: (config["versions"].update(diabolo="0.10.0rc1"), config.pop("units")),
        lambda config: (config["versions"].update(diabolo="9.1.0"), config["model"].update(new_argument=3)),
    ],
)
def test_a_folder_of_a_newer_version_is_named_as_such(edit, run):
    config = files.read_json(run.path / "config.json")
    edit(config)
    files.write_json(run.path / "config.json", config)
    with pytest.raises(
        DiaboloError, match=r"was written by (Diabolo [\d.rc]+|a newer Diabolo), and this is .*upgrade"
    ) as refused:
        diabolo.load(run.path)
    assert "damaged" not in str(refused.value)


def test_an_option_of_a_newer_version(run, tiny_pixels):
    config = files.read_json(run.path / "config.json")
    config["versions"]["diabolo"], config["options"]["of_tomorrow"] = "9.0", 3
    files.write_json(run.path / "config.json", config)
    with pytest.raises(DiaboloError, match=r"was written by Diabolo 9\.0"):
        diabolo.resume(run.path, tiny_pixels(), tiny_pixels(20, seed=1), epochs=3)


def test_a_newer_folder_that_is_understood_is_used(run):
    config = files.read_json(run.path / "config.json")
    config["versions"]["diabolo"] = "9.0"
    files.write_json(run.path / "config.json", config)
    assert diabolo.load(run.path).name == "vae"


# --- going on ---------------------------------------------------------------------------------------------------------


def test_nothing_is_written_into_the_config_before_an_epoch_is_done(run, tiny_pixels, monkeypatch):
    from diabolo.training.loop import Loop

    before = {file: file.read_bytes() for file in run.path.rglob("*") if file.is_file()}

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "_epoch", stopped)
    with pytest.raises(Stopped, match=f"go on with: diabolo resume {run.path}"):
        diabolo.resume(run.path, tiny_pixels(), tiny_pixels(20, seed=1), epochs=1000)
    assert {file: file.read_bytes() for file in run.path.rglob("*") if file.is_file()} == before


def test_stopped_before_there_is_a_run_none_is_named(train, tiny_model, tiny_pixels, tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save", stopped)
        with pytest.raises(KeyboardInterrupt) as ended:
            train(tiny_model(), tiny_pixels())
    assert not str(ended.value)
    assert list((tmp_path / "runs").iterdir()) == []


def test_images_that_were_moved_are_named_anew(train, tiny_model, tiny_pixels, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    np.savez(here / "x.npz", x_train=tiny_pixels(), x_test=tiny_pixels(20, seed=1))
    images, held = diabolo.data.load(str(here / "x.npz"))
    run = train(tiny_model(), images, held)
    shutil.move(here, there)
    with pytest.raises(DiaboloError):
        diabolo.resume(run.path, epochs=3)
    np.savez(tmp_path / "other.npz", x_train=tiny_pixels(seed=5), x_test=tiny_pixels(20, seed=1))
    with pytest.raises(DiaboloError, match="not those that"):
        diabolo.resume(run.path, epochs=3, data=str(tmp_path / "other.npz"))
    assert diabolo.resume(run.path, epochs=3, data=str(there / "x.npz")).status == "finished"


def test_weights_with_nan_are_not_taken_over(run, tiny_model, train, tiny_pixels):
    tensors, about = files.read_tensors(run.path / "model.safetensors")
    name = next(iter(tensors))
    tensors[name].view(-1)[0] = float("nan")
    files.write_tensors(run.path / "model.safetensors", tensors, about)
    with pytest.raises(DiaboloError, match=f"the weights of {run.path} hold NaN or infinity, first in '{name}'"):
        train(tiny_model("vae", seed=1), tiny_pixels(), init=run.path)


def test_figures_that_are_missing_are_known(train, tiny_model, tiny_pixels):
    run = train(tiny_model(), tiny_pixels(), then=("figures",))
    assert run_figures.lacks_figures(run.path)
    drawn = run_figures.draw(run)
    assert not run_figures.lacks_figures(run.path)
    drawn[0].unlink()
    assert run_figures.lacks_figures(run.path)
    run_figures.draw(run)
    more = diabolo.resume(run.path, tiny_pixels(), epochs=3)
    assert run_figures.lacks_figures(more.path)  # they are of earlier weights
    assert not run_figures.lacks_figures(train(tiny_model(), tiny_pixels()).path)  # nobody wanted any


# --- priors -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def half(quantised, monkeypatch):
    """A prior that was stopped after its first epoch."""
    from diabolo.training.loop import Loop

    x, run = quantised
    epoch = Loop._epoch

    def stopping(self, number, state):
        if number == 1:
            raise KeyboardInterrupt
        return epoch(self, number, state)

    with monkeypatch.context() as patched:
        patched.setattr(Loop, "_epoch", stopping)
        with pytest.raises(Stopped, match=f"diabolo resume {run.path / 'prior' / '0001-prior-codes'}"):
            diabolo.fit_prior(run.path, x, **PRIOR)
    return x, run, run.path / "prior" / "0001-prior-codes"


def test_a_prior_goes_on_by_the_same_line(half, tmp_path):
    x, run, prior = half
    shutil.copytree(run.path, tmp_path / "whole")
    shutil.rmtree(tmp_path / "whole" / "prior")
    whole = diabolo.fit_prior(tmp_path / "whole", x, **PRIOR)
    gone_on = diabolo.fit_prior(run.path, x, **PRIOR)
    assert gone_on.path == prior
    assert [line["epoch"] for line in gone_on.history] == [1, 2]
    state = whole.model.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in gone_on.model.state_dict().items())
    assert diabolo.fit_prior(run.path, x, **PRIOR).path.name.startswith("0002")  # that one has ended


@pytest.mark.parametrize("other", [{"epochs": 3}, {"width": 16}, {"lr": 1e-4}])
def test_another_line_is_another_prior(other, half):
    x, run, _ = half
    assert diabolo.fit_prior(run.path, x, **PRIOR | other).path.name.startswith("0002")


def test_the_prior_of_a_run_that_was_moved_goes_on(half, tmp_path):
    _, run, prior = half
    moved = run.path.rename(tmp_path / "elsewhere")
    assert diabolo.resume(moved / "prior" / prior.name).status == "finished"
    assert len(diabolo.load(moved).sample(2)) == 2


def test_a_prior_whose_model_was_trained_on_does_not_go_on(half):
    x, run, prior = half
    diabolo.resume(run.path, x, epochs=2)
    with pytest.raises(DiaboloError, match=f"codes of other weights than .*trained on.*diabolo fit-prior {run.path}"):
        diabolo.resume(prior)


def test_a_prior_that_was_moved_away_or_lost_its_codes(half, tmp_path):
    _, run, prior = half
    kept = prior.rename(tmp_path / "prior-of-mine")
    (run.path / "prior" / "codes.npz").rename(tmp_path / "codes.npz")
    with pytest.raises(DiaboloError, match=r"codes .* are gone|no longer lies in the folder prior"):
        diabolo.resume(kept)
    back = kept.rename(prior)
    with pytest.raises(DiaboloError, match=f"the codes that {back} is fitted to are gone"):
        diabolo.resume(back)
    with pytest.raises(DiaboloError, match="leave --data and --root out"):
        diabolo.resume(back, data="elsewhere")


def test_a_damaged_prior_does_not_cost_the_model(half):
    x, run, prior = half
    diabolo.fit_prior(run.path, x, **PRIOR)
    flip(prior / "model.safetensors", 0.9)
    model = diabolo.load(run.path)
    assert model.encode(x).shape[0] == len(x)
    with pytest.raises(DiaboloError, match=r"cannot be used .*checksum.*fit one with"):
        model.sample(1)
    assert numbered(run.path / "prior") == [Path(prior)]
