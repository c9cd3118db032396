"""A shared folder from elsewhere: it runs no code, and nothing outside it is read."""

import os
import pickle
import sys

import numpy as np
import pytest
import torch

import diabolo
from diabolo.errors import DiaboloError, NotTrustedError
from diabolo.hub import save
from diabolo.runs import files
from diabolo.runs.loading import load_run

AS_PART = {"part": "lurking.Encoder", "input_shape": [1, 8, 8]}
BY_PATH = {"part": "nets.ByPath", "path": "lurking:Encoder", "arguments": "{}"}


@pytest.fixture
def shared(honest, tmp_path):
    """shared(edit): a shared folder whose config.json went through `edit`."""

    def make(edit=lambda config: None):
        folder = save(load_run(honest["vae"]), tmp_path / "shared")
        told = files.read_json(folder / "config.json")
        edit(told)
        files.write_json(folder / "config.json", told)
        return folder

    return make


class Bomb:
    """Leaves a file when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


@pytest.mark.parametrize(
    "encoder",
    [AS_PART, {"part": "nets.UserEncoder", "module": BY_PATH, "input_shape": [1, 8, 8]}],
    ids=["part", "path"],
)
def test_code_outside_diabolo_is_refused(encoder, shared, canary, monkeypatch):
    folder = shared(lambda config: config["model"].update(encoder=encoder))
    mark = canary(folder, "lurking")
    monkeypatch.syspath_prepend(str(folder))
    for trust in ((), "lurk", "lurking_not"):
        with pytest.raises(NotTrustedError, match=r"names code that is not part of diabolo, the module 'lurking'"):
            diabolo.from_pretrained(folder, trust=trust)
    assert not mark.exists()
    assert "lurking" not in sys.modules


def test_a_part_of_ones_own_is_built_where_its_package_is_trusted_by_name(tmp_path):
    from user_cones import PartDecoder, PartEncoder

    torch.manual_seed(0)
    model = diabolo.zoo.vae((1, 8, 8), 4, net=(PartEncoder(), PartDecoder(4, (1, 8, 8))))
    x = np.random.default_rng(0).integers(0, 255, (32, 1, 8, 8), dtype=np.uint8)
    run = diabolo.fit(model, x, epochs=1, batch_size=16, out=tmp_path / "runs", quiet=True, device="cpu")
    folder = run.save_pretrained(tmp_path / "shared")
    script = "import sys, diabolo; sys.path.insert(0, sys.argv[2])\n" + (
        "try:\n    diabolo.from_pretrained(sys.argv[1])\n"
        "except diabolo.errors.NotTrustedError as error:\n    print(error)\n"
        "print(diabolo.from_pretrained(sys.argv[1], trust='user_cones').encode(__import__('torch').zeros(1, 1, 8, 8)).tolist())"
    )
    import subprocess

    where = os.path.dirname(sys.modules["user_cones"].__file__)
    told = subprocess.run(
        [sys.executable, "-c", script, str(folder), where], capture_output=True, text=True, timeout=120, check=False
    )
    assert told.returncode == 0, told.stderr
    refused, code = told.stdout.splitlines()
    assert "--trust user_cones" in refused
    assert code == str(run.model.encode(torch.zeros(1, 1, 8, 8)).tolist())


def test_no_pickle_is_ever_opened(shared, tmp_path):
    mark, folder = tmp_path / "unpickled", shared()
    bomb = pickle.dumps(Bomb(mark))
    (folder / "pytorch_model.bin").write_bytes(bomb)
    assert diabolo.from_pretrained(folder).name == "vae"  # it is not looked at
    (folder / "model.safetensors").write_bytes(bomb)
    with pytest.raises(DiaboloError, match=r"model.safetensors is damaged or cut short"):
        diabolo.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        DiaboloError, match=r"model.safetensors is missing; pytorch_model.bin is not opened, since such a file may run"
    ):
        diabolo.from_pretrained(folder)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "README.md", "prior"])
def test_links_out_of_the_folder_are_refused(name, shared, tmp_path):
    folder, outside = shared(), tmp_path / "outside"
    if (folder / name).exists():
        (folder / name).rename(outside)
    else:
        outside.mkdir()
    (folder / name).symlink_to(outside)
    with pytest.raises(
        DiaboloError, match=rf"{name} is a link that leads out of its folder: put the file itself there"
    ):
        diabolo.from_pretrained(folder)


@pytest.mark.parametrize("part", ["../../lurking.Encoder", "..lurking", "/etc/passwd", "os.system", "nets.__import__"])
def test_a_path_is_no_part(part, shared, canary):
    folder = shared(lambda config: config["model"].update(encoder={"part": part}))
    mark = canary(folder.parent, "lurking")
    with pytest.raises(DiaboloError):
        diabolo.from_pretrained(folder)
    assert not mark.exists()


def test_where_its_images_lie_is_not_looked_at(shared, canary, monkeypatch):
    folder = shared(
        lambda config: config["data"]["train"].update(origin={"load": {"name": "lurking:load"}, "part": "train"})
    )
    mark = canary(folder, "lurking")
    monkeypatch.syspath_prepend(str(folder))
    assert diabolo.from_pretrained(folder).name == "vae"
    assert not mark.exists()


def test_names_of_the_hub_stay_in_their_folder(tmp_path, monkeypatch):
    """What the Hub's cache holds beside the files of a model, or outside of its folder, is not taken."""
    pytest.importorskip("huggingface_hub", reason="the extra 'hub' is not installed")
    from diabolo.runs import pretrained

    cached = tmp_path / "cached"
    for name in ("config.json", "prior/0001-x/config.json", "prior/x/config.json", "figures/a.py", "evil.py"):
        (cached / name).parent.mkdir(parents=True, exist_ok=True)
        (cached / name).write_text("{}")

    class Library:
        @staticmethod
        def snapshot_download(name, **_):
            return str(cached)

    monkeypatch.setattr(pretrained, "library", lambda: Library)
    desk = tmp_path / "desk"
    desk.mkdir()
    found = pretrained._fetched("me/tiny", None, None, desk)
    assert sorted(p.relative_to(found).as_posix() for p in found.rglob("*") if p.is_file()) == [
        "config.json",
        "prior/0001-x/config.json",
    ]
    for name in ("../me", "me/../..", "/etc/passwd", "me/a/b", "me/", "~/me", "me\\x/y", "me/tiny\n"):
        with pytest.raises(DiaboloError, match="is no name on the Hub"):
            diabolo.from_pretrained(name)
