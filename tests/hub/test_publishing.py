"""Onto the Hub and back, between processes, by the real huggingface_hub against a hub on this machine."""

import json
import os

import pytest
import torch

import diabolo
import fake_hub

pytest.importorskip("huggingface_hub", reason="the extra 'hub' is not installed")

LOAD = """
import sys, json, torch, diabolo
model = diabolo.from_pretrained(sys.argv[1], **json.loads(sys.argv[3]))
torch.save({"weights": model.state_dict(), "z": model.encode(torch.zeros(2, *model.input_shape)),
            "new": model.sample(3, seed=1)}, sys.argv[2])
print("loaded", model.name)
"""


@pytest.fixture
def hub():
    with fake_hub.served() as (hub, address):
        hub.address = address
        yield hub


@pytest.fixture
def around(hub, tmp_path):
    """The environment of a process that knows this hub alone."""

    def make(token=None, **more):
        found = {"HF_ENDPOINT": hub.address, "HF_HOME": tmp_path / "hf", "HF_HUB_DISABLE_XET": "1", **more}
        found |= {"HF_TOKEN": token or "", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        return found

    return make


@pytest.fixture
def run(train, tiny_model, tiny_pixels):
    return train(tiny_model("vae"), tiny_pixels(), tiny_pixels(20, seed=1))


def test_what_one_process_publishes_another_loads_to_the_same_bits(run, hub, around, diabolo_cli, start, tmp_path):
    told = diabolo_cli("publish", run.path, "me/tiny", "--licence", "apache-2.0", **around(fake_hub.TOKEN))
    assert told.wait() == 0, told.errors
    assert told.said.strip().startswith(f"{hub.address}/me/tiny/commit/")
    first, second = hub.repositories["me/tiny"]
    assert first == {}
    assert sorted(second) == ["README.md", "config.json", "model.safetensors"]
    assert second["model.safetensors"] == (run.path / "model.safetensors").read_bytes()
    assert sum(line.startswith("POST /api/models/me/tiny/commit") for line in hub.asked) == 1
    loaded = start(LOAD, "me/tiny", tmp_path / "there.pt", "{}", **around())
    assert loaded.wait() == 0, loaded.errors
    there = torch.load(tmp_path / "there.pt", weights_only=True)
    for name, tensor in run.model.state_dict().items():
        assert torch.equal(there["weights"][name], tensor)
    assert torch.equal(there["z"], run.model.encode(torch.zeros(2, 1, 8, 8)))
    assert torch.equal(there["new"], run.model.sample(3, seed=1))


def test_revisions_and_no_network(run, train, tiny_model, tiny_pixels, hub, around, diabolo_cli, start, tmp_path):
    other = train(tiny_model("vae", seed=5), tiny_pixels())
    for one in (run, other):
        assert diabolo_cli("publish", one.path, "me/tiny", "--licence", "mit", **around(fake_hub.TOKEN)).wait() == 0
    first = hub.sha("me/tiny", 1)
    for revision, wanted in ((first, run), (None, other)):
        options = json.dumps({} if revision is None else {"revision": revision})
        child = start(LOAD, "me/tiny", tmp_path / "found.pt", options, **around())
        assert child.wait() == 0, child.errors
        found = torch.load(tmp_path / "found.pt", weights_only=True)["weights"]
        assert all(torch.equal(found[name], tensor) for name, tensor in wanted.model.state_dict().items())
    missing = start(LOAD, "me/tiny", tmp_path / "x.pt", json.dumps({"revision": "v9"}), **around())
    assert missing.wait() != 0
    assert "me/tiny could not be fetched: it has no such revision" in missing.errors
    gone = around() | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    cached = start(LOAD, "me/tiny", tmp_path / "y.pt", "{}", **gone)  # from what was fetched before
    assert cached.wait() == 0, cached.errors
    never = start(LOAD, "me/never", tmp_path / "z.pt", "{}", **gone)
    assert never.wait() != 0
    last = never.errors.strip().splitlines()[-1]
    assert last.startswith(
        "diabolo.errors.DiaboloError: me/never could not be fetched: http://127.0.0.1:9 cannot be rea"
    )


def test_without_a_token_nothing_is_uploaded(run, hub, around, diabolo_cli):
    told = diabolo_cli("publish", run.path, "me/tiny", "--licence", "mit", **around())
    assert told.wait() == 2
    (line,) = told.errors.splitlines()
    assert "me/tiny was not published, since there is no token" in line
    assert f"{hub.address}/settings/tokens" in line
    assert "hf auth login" in line
    assert hub.asked == []
    assert hub.repositories == {}


def test_a_token_that_may_not_write_is_refused_in_one_sentence(run, hub, around, diabolo_cli):
    told = diabolo_cli("publish", run.path, "me/tiny", "--licence", "mit", **around("hf_reads"))
    assert told.wait() == 2
    (line,) = told.errors.splitlines()
    assert f"me/tiny was not published: {hub.address} refused the token (401)" in line
    assert hub.repositories == {}


def test_what_the_hub_refuses_leaves_nothing(run, hub, around, diabolo_cli):
    hub.refuse_commits = True
    told = diabolo_cli("publish", run.path, "me/tiny", "--licence", "mit", **around(fake_hub.TOKEN))
    assert told.wait() == 2
    (line,) = told.errors.splitlines()
    assert f"me/tiny was not published and is an empty repository now: {hub.address} answered 500" in line
    assert hub.repositories["me/tiny"] == [{}]
    hub.refuse_commits = False
    assert diabolo_cli("publish", run.path, "me/tiny", "--licence", "mit", **around(fake_hub.TOKEN)).wait() == 0
    before = list(hub.repositories["me/tiny"])
    hub.refuse_commits = True
    told = diabolo_cli("publish", run.path, "me/tiny", "--licence", "mit", **around(fake_hub.TOKEN))
    assert told.wait() == 2
    assert f"me/tiny was not published: {hub.address} answered 500" in told.errors
    assert hub.repositories["me/tiny"] == before


def test_no_network_is_one_sentence(run, around, diabolo_cli):
    gone = around(fake_hub.TOKEN) | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    told = diabolo_cli("publish", run.path, "me/tiny", "--licence", "mit", **gone)
    assert told.wait() == 2
    (line,) = told.errors.splitlines()
    assert "me/tiny was not published: http://127.0.0.1:9 cannot be reached" in line


def test_what_is_no_model_of_diabolo_is_said(hub, around, start, tmp_path):
    hub.repositories["someone/bert"] = [{"pytorch_model.bin": b"pickled", "README.md": b""}]
    told = start(LOAD, "someone/bert", tmp_path / "x.pt", "{}", **around())
    assert told.wait() != 0
    assert "someone/bert on the Hub holds no model of Diabolo: config.json is missing" in told.errors
    assert not any("pytorch_model" in line for line in hub.asked)


def test_the_old_prior_and_figures_go(train, tiny_model, tiny_pixels, hub, around, diabolo_cli, start, tmp_path):
    """The prior over codes travels with its model, and is not kept where the next model has none."""
    x = tiny_pixels(40)
    run = train(_vqvae(), x)
    diabolo.fit_prior(run.path, x, epochs=1, width=16, layers=1, heads=2, quiet=True, device="cpu")
    run = diabolo.runs.loading.load_run(run.path)
    assert diabolo_cli("publish", run.path, "me/vq", "--licence", "mit", **around(fake_hub.TOKEN)).wait() == 0
    files = hub.repositories["me/vq"][-1]
    assert {name for name in files if name.startswith("prior/")} == {
        "prior/0001-prior-codes/config.json",
        "prior/0001-prior-codes/model.safetensors",
    }
    child = start(LOAD, "me/vq", tmp_path / "vq.pt", "{}", **around())
    assert child.wait() == 0, child.errors
    assert torch.equal(torch.load(tmp_path / "vq.pt", weights_only=True)["new"], run.model.sample(3, seed=1))
    for place in (run.path / "prior").iterdir():
        if place.is_dir():
            for file in place.rglob("*.safetensors"):
                file.unlink()
    assert diabolo_cli("publish", run.path, "me/vq", "--licence", "mit", **around(fake_hub.TOKEN)).wait() == 0
    assert not any(name.startswith("prior/") for name in hub.repositories["me/vq"][-1])
    child = start(LOAD, "me/vq", tmp_path / "vq.pt", "{}", **around())
    assert child.wait() != 0
    assert "me/vq was shared without a prior over its codes" in child.errors


def _vqvae():
    torch.manual_seed(0)
    return diabolo.zoo.vqvae((1, 8, 8), latent_dim=4, codes=8, width=8, residual_width=4)


def test_the_card_passes_the_hubs_own_validation(run, hub, around, start, tmp_path):
    run.save_pretrained(tmp_path / "shared", licence="mit")
    script = """
import sys
from huggingface_hub import ModelCard
card = ModelCard.load(sys.argv[1])
card.validate()
print(card.data.license, card.data.library_name)
bad = ModelCard("---\\nlicense: not a licence\\n---\\n")
try:
    bad.validate()
except ValueError:
    print("refused")
"""
    told = start(script, tmp_path / "shared" / "README.md", **around())
    assert told.wait() == 0, told.errors
    assert told.said.splitlines() == ["mit diabolo", "refused"]
    assert "POST /api/validate-yaml" in hub.asked


def test_a_name_or_licence_that_is_none_is_refused_at_once(run, tmp_path):
    with pytest.raises(diabolo.DiaboloError, match=r"^'tiny' is no name on the Hub: it is user/name, such as me/digi"):
        diabolo.hub.publish(run, "tiny", "mit", token="x")
    for name in ("me/a--b", "me/tiny.", "me/tiny.git", "mé/tiny", f"me/{'x' * 200}"):
        with pytest.raises(diabolo.DiaboloError, match="was not published: that is no name on the Hub"):
            diabolo.hub.publish(run, name, "mit", token="x")
        with pytest.raises(diabolo.DiaboloError, match="could not be fetched: that is no name on the Hub"):
            diabolo.from_pretrained(name)
    with pytest.raises(diabolo.DiaboloError, match=r"^unknown licence 'apache2'; did you mean 'apache-2.0'\?"):
        diabolo.hub.publish(run, "me/tiny", "apache2", token="x")
    with pytest.raises(diabolo.DiaboloError, match=r"^there is no folder nowhere, and 'nowhere' is no name on the Hub"):
        diabolo.from_pretrained("nowhere")
    assert os.listdir(tmp_path) == ["runs"]
