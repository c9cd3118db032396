"""What lies in a stranger's run folder: only regular files are opened, and JSON that is a bomb is one sentence."""

import json
import os
import sys
import threading
from pathlib import Path

import pytest

from diabolo import regular
from diabolo.errors import DiaboloError
from diabolo.owners import me
from diabolo.runs import checkpoint, files, lock
from diabolo.runs.folder import create
from diabolo.runs.loading import load, load_run

FILES = [
    "config.json",
    "metrics.jsonl",
    "model.safetensors",
    "best.safetensors",
    "checkpoint/last.safetensors",
    ".lock",
    "any",
]


def replaced(path, kind, aside):
    """Put something that is no file of the folder in the place of `path`."""
    path.parent.mkdir(exist_ok=True)
    if path.exists():
        path.rename(aside)
    else:
        aside.write_text("{}")
    match kind:
        case "a FIFO":
            os.mkfifo(path)
        case "a device":
            path.symlink_to("/dev/zero")
        case "a link out":
            path.symlink_to(aside)
        case "a relative link out":
            path.symlink_to(os.path.relpath(aside, path.parent))
        case "a loop":
            path.symlink_to(path.name)
        case "a dangling link":
            path.symlink_to("nowhere")


@pytest.mark.parametrize(
    "kind", ["a FIFO", "a device", "a link out", "a relative link out", "a loop", "a dangling link"]
)
def test_what_is_no_file_of_the_folder_is_not_opened(kind, stranger, tmp_path):
    run = stranger()
    for name in FILES:
        replaced(run / name, kind, tmp_path / "aside")
        for opened in (load, load_run):
            with pytest.raises(DiaboloError, match=r"take it away|leads out of its folder") as caught:
                opened(run)
            assert "\n" not in str(caught.value)
        (run / name).unlink()
        (tmp_path / "aside").rename(run / name)
    if "link out" in kind:
        (run / "any").unlink()
        load(run)  # as it was


def test_folders_that_are_links_lead_no_output_elsewhere(stranger, diabolo, tmp_path):
    run, elsewhere = stranger(), tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("evaluation", "prior", "extra"):
        (run / name).symlink_to(elsewhere)
        for words in (["info"], ["evaluate"], ["sample"], ["resume", "--epochs", "3"], ["report", "--no-notebook"]):
            code, _, err = diabolo(words[0], run, *words[1:])
            assert (code, err.count("\n")) == (2, 1), err
            assert "leads out of its folder" in err
        (run / name).unlink()
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("place", ["run", "beside"])
def test_a_lock_that_is_a_link_is_not_written_through(place, stranger, diabolo, tmp_path):
    run, own = stranger(), tmp_path / "aside"
    own.write_text("precious")
    link = (run if place == "run" else run.parent) / ".lock"
    verbs = {
        "run": [["evaluate", run, "--measures", "usage"], ["report", run], ["fit-prior", run], ["resume", run]],
        "beside": [["sample", run, "--n", 2], ["resume", run, "--epochs", 3, "--no-figures"]],
    }
    for words in verbs[place]:
        link.unlink(missing_ok=True)
        link.symlink_to(own)
        exit_code, _, err = diabolo(*words)
        assert own.read_text() == "precious", words
        assert exit_code == (2 if place == "run" else 0), err
        assert err.count("\n") <= 1
    with pytest.raises(DiaboloError, match=r"\.lock is a link .*take it away"):
        create(link.parent, "new")
    assert own.read_text() == "precious"


def test_folders_deep_within_each_other_are_swept(stranger, monkeypatch):
    run = stranger()
    with monkeypatch.context() as inside:
        inside.chdir(run)
        for _ in range(sys.getrecursionlimit() + 100):
            os.mkdir("d")
            os.chdir("d")
        owner = str(me()).rpartition("-")[0] + "-1"  # of a process with our number that is dead
        Path(f".x.{owner}-0123abcd.tmp").write_text("")
    with lock.held(run, "resume"):
        pass
    with monkeypatch.context() as inside:
        inside.chdir(run)
        for _ in range(sys.getrecursionlimit() + 100):
            os.chdir("d")
        assert not os.listdir()
        for _ in range(sys.getrecursionlimit() + 100):  # deeper than pytest can take away
            os.chdir("..")
            os.rmdir("d")


@pytest.mark.parametrize(
    "nonsense",
    [
        {"epoch": True},
        {"epoch": -3},
        {"status": None},
        {"best": "low"},
        {"best": [1.0]},
        {"best": float("nan")},
        {"best_epoch": "two"},
        {"waited": None},
        {"epochs": [3]},
        {"length": -5},
        {"digest": 7},
        {"history": [1]},
        {"history": [{"epoch": 1, "train": 2}]},
        {"later": 1},
    ],
    ids=str,
)
def test_a_checkpoint_that_says_nonsense_is_one_sentence(nonsense, stranger, diabolo):
    run = stranger()
    tensors, about = files.read_tensors(run / checkpoint.FILE)
    files.write_tensors(run / checkpoint.FILE, tensors, about | nonsense)
    for words in (["resume", run, "--epochs", 3], ["info", run]):
        exit_code, _, err = diabolo(*words)
        assert (exit_code, err.count("\n")) == (2, 1), err
        assert "is damaged" in err


def test_half_a_surrogate_pair_is_written_as_it_was_read(tmp_path):
    told = {"text": "\ud800 and \N{GREEK SMALL LETTER BETA}"}
    files.write_json(tmp_path / "some.json", told)
    assert files.read_json(tmp_path / "some.json") == told


def test_links_within_the_folder_and_to_it_are_followed(stranger, tmp_path):
    run = stranger()
    (run / "model.safetensors").rename(run / "kept.safetensors")
    (run / "model.safetensors").symlink_to("kept.safetensors")
    (tmp_path / "by another name").symlink_to(run)
    assert load(tmp_path / "by another name").name == "vae"


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "model.safetensors", "checkpoint/last.safetensors"])
def test_folders_in_the_place_of_files_are_one_sentence(name, stranger, diabolo):
    run = stranger()
    (run / name).unlink()
    (run / name).mkdir()
    for words in (["info"], ["resume", "--epochs", "3"], ["report", "--no-notebook"]):
        code, _, err = diabolo(words[0], run, *words[1:])
        assert code == 0 or err.count("\n") == 1, err
        assert "Traceback" not in err


BOMBS = {
    "deep lists": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "closed": "[" * 100_000 + "]" * 100_000,
    "a huge number": "1" * 5_000,
    "a number beyond floats": '{"format": 1' + "0" * 400 + "}",
    "the same name twice": '{"name": "a", "name": "b"}',
    "no text": "\x00",
    "half a character": '"\\ud800',
    "nothing": "",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=list(BOMBS))
def test_bombs_of_json_are_one_sentence(text, stranger, diabolo):
    run = stranger()
    (run / "config.json").write_text(text)
    code, _, err = diabolo("info", run)
    assert (code, err.count("\n")) == (2, 1), err
    with pytest.raises(ValueError):  # noqa: PT011  # of any kind, and no other error
        files.parse(text)


def deep(levels, within):
    for _ in range(levels):
        within = [within]
    return within


@pytest.mark.parametrize(
    "edit",
    [
        lambda config: config["model"].update(likelihood=deep(900, 1)),
        lambda config: config["model"].update(encoder={"part": "nets.MLPEncoder", "input_shape": deep(60, 8)}),
        lambda config: config["model"]["bottleneck"].update(beta=float("nan")),
        lambda config: config["model"]["bottleneck"].update(beta=float("-inf")),
        lambda config: config["data"]["train"].update(images="many"),
        lambda config: config["data"]["train"].update(shape=None),
        lambda config: config["data"]["train"].pop("name"),
        lambda config: config["data"]["validation"].update(split=3),
        lambda config: config.update(versions=[]),
    ],
)
def test_a_config_of_another_shape_is_one_sentence(edit, stranger, diabolo):
    run = stranger(edit)
    for words in (["info", run], ["report", run, "--no-notebook"], ["doctor", run]):
        code, _, err = diabolo(*words)
        assert (code, err.count("\n")) == (2, 1), err


@pytest.mark.parametrize(
    "edit",
    [
        lambda line: line["health"].update(active_units=[3.0, {}]),
        lambda line: line["health"].update(active_units=[[1, 2]]),
        lambda line: line["train"].update(total="0"),
        lambda line: line.update(seconds=10**400),
        lambda line: line.update(warnings={"a": {}}),
        lambda line: line.update(epoch=1.5),
    ],
)
def test_a_record_of_another_shape_is_one_sentence(edit, stranger, diabolo):
    run = stranger()
    first, *others = (run / "metrics.jsonl").read_text().splitlines()
    line = json.loads(first)
    edit(line)
    (run / "metrics.jsonl").write_text("\n".join([json.dumps(line), *others]) + "\n")
    code, _, err = diabolo("report", run, "--no-notebook")
    assert (code, err.count("\n")) == (2, 1), err
    assert "metrics.jsonl was edited or damaged" in err


def test_headers_of_safetensors_that_lie_are_one_sentence(stranger, diabolo):
    run = stranger()
    path = run / "model.safetensors"
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    name = next(name for name in header if name != "__metadata__")

    def with_header(entry):
        text = json.dumps(entry).encode()
        return len(text).to_bytes(8, "little") + text + whole[8 + length :]

    hostile = {
        "longer than the file": (2**62).to_bytes(8, "little") + whole[8:],
        "of 99 MB": (99_000_000).to_bytes(8, "little") + whole[8:],
        "deep": with_header(header | {"__metadata__": {"about": "[" * 100_000}}),
        "twice": with_header(header | {"__metadata__": {"about": '{"a": 1, "a": 2}'}}),
        "absurd shape": with_header(header | {name: header[name] | {"shape": [2**62, 2**62]}}),
        "beyond the end": with_header(header | {name: header[name] | {"data_offsets": [0, 2**50]}}),
        "no header": b"\x00" * 8,
    }
    for what, content in hostile.items():
        path.write_bytes(content)
        with pytest.raises(DiaboloError) as caught:
            load(run)
        assert "\n" not in str(caught.value), what


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "evaluation/scores.json"])
def test_a_file_that_would_fill_the_memory_is_one_sentence(name, stranger, diabolo):
    run = stranger()
    (run / name).parent.mkdir(exist_ok=True)
    with open(run / name, "ab") as file:
        file.truncate(2**40)  # sparse: it takes no room on the disk
    code, _, err = diabolo("report", run, "--no-notebook")
    assert (code, err.count("\n")) == (2, 1), err
    assert "larger than 256 MiB" in err


def test_a_file_that_comes_and_goes_is_a_file(tmp_path):
    """Two looks at it, one before and one after it was taken away, made it "no regular file": six processes that numbered
    runs at once met that."""
    comes, ended = tmp_path / "a.png", threading.Event()

    def come_and_go():
        while not ended.is_set():
            comes.touch()
            comes.unlink()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(5000):
            regular.check_file(comes)
            regular.check_folder(tmp_path)
            regular.inside(tmp_path, "a.png", (".png",))
    finally:
        ended.set()
        thread.join()
