"""A run folder names code; only diabolo's own, the program's own, and that of packages trusted by name is ever imported."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import diabolo as library
from diabolo import parts, zoo
from diabolo.doctor import diagnose
from diabolo.errors import DiaboloError, NotTrustedError
from diabolo.reports.run_report import document_of
from diabolo.runs.loading import load, load_run
from diabolo.training.fit import fit
from diabolo.trust import is_trusted, trusting

VERBS = {
    "info": ["info", "RUN"],
    "evaluate": ["evaluate", "RUN"],
    "compare": ["compare", "RUN", "OTHER"],
    "doctor": ["doctor", "RUN"],
    "explore": ["explore", "map", "RUN"],
    "sample": ["sample", "RUN"],
    "reconstruct": ["reconstruct", "RUN", "image.png"],
    "encode": ["encode", "RUN", "image.png"],
    "resume": ["resume", "RUN", "--epochs", "3"],
    "report": ["report", "RUN", "--no-notebook"],
    "fit-prior": ["fit-prior", "RUN"],
    "spread-labels": ["spread-labels", "RUN"],
}
AS_PART = {"part": "lurking.Encoder", "input_shape": [1, 8, 8]}
BY_PATH = {"part": "nets.ByPath", "path": "lurking:Encoder", "arguments": "{}"}
WITHIN = {"part": "nets.UserEncoder", "module": BY_PATH, "input_shape": [1, 8, 8]}
FEATURES = {"part": "likelihoods.Perceptual", "network": AS_PART}


def naming(encoder):
    return lambda config: (config.update(name="stranger"), config["model"].update(encoder=encoder))


@pytest.mark.parametrize("words", VERBS.values(), ids=list(VERBS))
@pytest.mark.parametrize("code", [AS_PART, WITHIN], ids=["part", "path"])
def test_no_verb_imports_what_a_folder_names(words, code, stranger, honest, canary, diabolo, monkeypatch):
    run = stranger(naming(code))
    mark = canary(run, "lurking")
    monkeypatch.syspath_prepend(str(run))  # the worst place to stand
    told = [str({"RUN": run, "OTHER": honest["vae"]}.get(word, word)) for word in words]
    exit_code, out, err = diabolo(*told)
    assert exit_code == 1, (out, err)
    assert err.count("\n") == 1
    assert "'lurking'" in err
    assert "--trust lurking" in err
    assert not mark.exists()
    assert "lurking" not in sys.modules


@pytest.mark.parametrize(
    "opened",
    [
        load,
        load_run,
        library.resume,
        library.evaluate,
        diagnose,
        document_of,
        library.fit_prior,
    ],
    ids=["load", "load_run", "resume", "evaluate", "diagnose", "report", "fit_prior"],
)
def test_nor_does_python(opened, stranger, canary, monkeypatch):
    run = stranger(naming(WITHIN))
    mark = canary(run, "lurking")
    monkeypatch.syspath_prepend(str(run))
    for trust in ((), "lurk", "lurking_not", ["lurking.not"], "Lurking"):
        with pytest.raises(NotTrustedError, match=r"'lurking'.*trust='lurking'") as caught:
            opened(run, trust=trust)
        assert caught.value.exit_code == 1
    assert not mark.exists()


def test_scores_in_a_folder_are_shown_without_opening_its_model(
    stranger, honest, canary, diabolo, monkeypatch, tmp_path
):
    run, other = stranger(), shutil.copytree(honest["vae"], tmp_path / "other")
    for path in (run, other):
        library.evaluate(path, measures=["usage"]).write(path / "evaluation")
    config = json.loads((run / "config.json").read_text())
    naming(AS_PART)(config)
    (run / "config.json").write_text(json.dumps(config))
    mark = canary(run, "lurking")
    monkeypatch.syspath_prepend(str(run))
    exit_code, out, err = diabolo("compare", run, other, "--measures", "usage")
    assert (exit_code, err) == (0, "")
    assert "stranger" in out
    exit_code, out, err = diabolo("compare", run, other, "--measures", "rate")  # is to be measured, so opened
    assert exit_code == 1
    assert "--trust lurking" in err
    assert not mark.exists()
    assert "lurking" not in sys.modules


@pytest.mark.parametrize("code", [AS_PART, WITHIN], ids=["part", "path"])
def test_compare_leaves_out_what_is_not_trusted(code, stranger, honest, canary, diabolo, monkeypatch, tmp_path):
    run = stranger(naming(code))
    mark = canary(run, "lurking")
    monkeypatch.syspath_prepend(str(run))
    others = [shutil.copytree(path, tmp_path / path.name) for path in honest.values()]
    for trust in ((), "lurk", ["lurking.not"]):
        with pytest.raises(DiaboloError, match=r"fewer than two .*'lurking'.*trust='lurking'") as caught:
            library.compare([others[0], run], ["usage"], trust=trust)
        assert caught.value.exit_code == 1
    assert not (others[0] / "evaluation").exists()  # known before anything is measured
    exit_code, out, err = diabolo("compare", others[0], run, others[1], "--measures", "usage")
    assert exit_code == 1
    (told,) = [line for line in (out + err).splitlines() if line.startswith("left out: ")]
    assert "--trust lurking" in told
    found = library.compare([run, *others], ["usage"])
    assert set(found.left_out) == {str(run)}
    assert sum(map(len, found.groups.values())) == 2
    assert not mark.exists()
    assert "lurking" not in sys.modules


@pytest.mark.parametrize(
    "description",
    [
        {"part": "antigravity.X"},
        {"part": "os.system", "command": "true"},
        {"part": "lurking.inner.X"},
        {"part": "nets.ByPath", "path": "lurking:X"},
        {"part": "nets.ByPath", "path": "torch.nn:Linear", "arguments": '{"in_features": 1, "out_features": 1}'},
        {"part": "nets.UserEncoder", "module": {"part": "nets.ByPath", "path": "lurking:X"}, "input_shape": [1, 8, 8]},
        {"part": "bottlenecks.Identity", "in_features": [[{"part": "lurking.X"}]], "latent_dim": 2},
        FEATURES,
    ],
    ids=lambda d: str(d)[:60],
)
def test_code_is_refused_before_anything_is_made(description, canary, tmp_path, monkeypatch):
    mark = canary(tmp_path, "lurking", "antigravity")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(NotTrustedError):
        parts.build({"part": "heads.Classifier", "latent_dim": 3, "aside": description})
    assert not mark.exists()


def test_a_new_process_refuses_the_same(stranger, canary):
    """One in which no part of Diabolo's has been imported yet."""
    run = stranger(naming(WITHIN))
    mark = canary(run.parent, "lurking")
    said = subprocess.run(
        [sys.executable, "-c", f"import diabolo; diabolo.load({str(run)!r})"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(run.parent), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert "NotTrustedError" in said.stderr
    assert not mark.exists()


def test_a_trusted_part_does_not_bring_in_others(canary, tmp_path, monkeypatch):
    mark = canary(tmp_path, "lurking")
    (tmp_path / "bringing.py").write_text(
        "from diabolo.nets.custom import ByPath\nfrom diabolo.parts import part\n\n"
        "@part\nclass Bringing(ByPath):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with trusting("bringing"), pytest.raises(NotTrustedError, match="'lurking'"):
        parts.build({"part": "bringing.Bringing", "path": "lurking:X"})
    assert not mark.exists()


@pytest.mark.parametrize(
    "name",
    [
        "diabolo.studies.pca.script.X",  # whose module is a script that runs at once
        "diabolo.evil.X",
        "studies.pca.script.X",
        "nets.custom.importlib",
        "nets.ByPath.__init__",
        "parts.build",
        "..lurking.X",
        "lurking..X",
        "lurking/X.Y",
        ".X",
        "X",
        "",
    ],
)
def test_names_within_diabolo_are_those_of_its_parts(name, canary, tmp_path, monkeypatch):
    mark = canary(tmp_path, "lurking", "diabolo/evil", "studies/pca/script")
    monkeypatch.syspath_prepend(str(tmp_path))
    with trusting("lurking"), pytest.raises(DiaboloError, match="unknown part"):
        parts.build({"part": name})
    assert not mark.exists()
    assert "diabolo.studies.pca.script" not in sys.modules


@pytest.mark.parametrize(
    "trust", ["", "my pkg", "my-pkg", "my_pkg:Encoder", ".", "a..b", 3, "diabolo", "diabolo.studies"]
)
def test_trust_is_given_to_packages_by_name(trust, stranger):
    run = stranger()
    with pytest.raises(DiaboloError, match=r"trust"):
        load(run, trust=[trust])


def test_trust_goes_by_whole_words():
    with trusting(["my", "other.deep"]):
        assert [is_trusted(m) for m in ("my", "my.nets", "other.deep", "other.deep.x")] == [True] * 4
        assert not any(is_trusted(m) for m in ("my_evil", "myself.nets", "other", "other.deeper", "not.my", ""))
    assert not is_trusted("my")


ENCODER = """
from pathlib import Path
from torch import nn
from diabolo.parts import part

Path({mark!r}).write_text("")

@part
class Encoder(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.layer = nn.Conv2d(1, width, 3, 2)

    def forward(self, x):
        return self.layer(x)

class Plain(nn.Conv2d):
    pass
"""


@pytest.fixture
def of_ones_own(tmp_path, canary, monkeypatch):
    """A run whose encoder was made in a package of one's own, and the file which that leaves when it is imported. Nothing of it
    is known any more."""
    mark = canary(tmp_path / "home")
    package = tmp_path / "site" / "kindred"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "nets.py").write_text(ENCODER.format(mark=str(mark)))
    monkeypatch.syspath_prepend(str(package.parent))
    from kindred.nets import Encoder

    decoder = nets_decoder()
    model = zoo.undercomplete((1, 8, 8), 4, net=(Encoder(), decoder))
    x = np.random.default_rng(0).random((40, 1, 8, 8), dtype=np.float32)
    run = fit(model, x, epochs=1, batch_size=20, out=tmp_path / "runs", quiet=True, device="cpu")
    assert torch.equal(load(run.path).encode(x), run.model.encode(x))  # within the program that knows it
    mark.unlink()
    forget(monkeypatch)
    yield run, mark, x
    forget(monkeypatch)


def nets_decoder():
    from diabolo import nets

    return nets.build("mlp", (1, 8, 8), 4, hidden=(8,))[1]


def forget(monkeypatch):
    parts.PARTS.pop("kindred.nets.Encoder", None)
    for module in [name for name in sys.modules if name.partition(".")[0] == "kindred"]:
        del sys.modules[module]


def test_a_trusted_package_is_used_and_only_while_it_is_trusted(of_ones_own, diabolo):
    run, mark, x = of_ones_own
    with pytest.raises(NotTrustedError, match=r"'kindred.nets'.*--trust kindred"):
        load(run.path)
    assert not mark.exists()
    assert torch.equal(load(run.path, trust="kindred").encode(x), run.model.encode(x))
    assert mark.exists()
    with pytest.raises(NotTrustedError):
        load(run.path)
    assert load_run(run.path, trust=["other", "kindred.nets"]).status.startswith("finished")
    for words in (["info", run.path, "--trust", "kindred"], ["--trust=kindred", "info", run.path]):
        assert diabolo(*words)[0] == 0
    assert diabolo("info", run.path, "--trust", "kin")[0] == 1
    assert diabolo("info", run.path, "--trust")[0] == 2


def test_a_trusted_package_is_not_taken_from_the_run_folder(of_ones_own, canary, monkeypatch):
    run, mark, _ = of_ones_own
    shutil.move(run.path.parents[1] / "site", run.path / "site")
    canary(run.path, "kindred/__init__", "kindred/nets")
    monkeypatch.chdir(run.path)
    monkeypatch.setattr(sys, "path", ["", str(run.path), str(run.path / "site"), *sys.path])
    with pytest.raises(DiaboloError, match=r"'kindred.nets'.*cannot be imported"):
        load(run.path, trust="kindred")
    assert not mark.exists()
    assert sys.path[0] == ""


@pytest.mark.usefixtures("of_ones_own")
def test_a_trusted_module_gives_its_parts_alone():
    for name in ("kindred.nets.Plain", "kindred.nets.Path", "kindred.nets.nn", "kindred.nets.Vanished"):
        with trusting("kindred"), pytest.raises(DiaboloError, match=r"is not a part|has no Vanished"):
            parts.build({"part": name})


def test_what_the_program_has_made_known_needs_no_trust(tiny_pixels, tmp_path):
    x = tiny_pixels(40)
    told = {
        "encoder": "user_cones:Encoder",
        "decoder": "user_cones:Decoder",
        "decoder_args": {"code": 5, "shape": (1, 8, 8)},
    }
    run = fit(zoo.vae((1, 8, 8), 5, net="custom", **told), x, epochs=1, batch_size=20, quiet=True, out=tmp_path)
    assert torch.equal(load(run.path).encode(x), run.model.encode(x))
    assert library.resume(run.path, x, epochs=2).status == "finished"


def test_a_path_that_a_folder_named_is_not_the_programs_own(monkeypatch):
    monkeypatch.setattr(parts, "_given", set())
    description = {"part": "nets.ByPath", "path": "user_cones:Encoder", "arguments": "{}"}
    with trusting("user_cones"):
        assert isinstance(parts.build(description).module, nn.Module)
    with pytest.raises(NotTrustedError):
        parts.build(description)


START = ["torch", "numpy", "safetensors", "rich", "cyclopts", "sitecustomize", "lurking"]


def test_python_m_started_in_the_folder_runs_nothing_of_it(stranger, canary, process):
    run = stranger(naming(WITHIN))
    mark = canary(run, *START)
    answer = process("-m", "diabolo", "info", ".", cwd=run)
    assert answer.returncode == 1
    assert "--trust lurking" in answer.stderr
    assert answer.stderr.count("\n") == 1
    answer = process("-m", "diabolo", "info", ".", "--trust", "lurking", cwd=run)
    assert answer.returncode == 2
    assert "cannot be imported" in answer.stderr
    assert not mark.exists()


def test_code_that_the_user_names_is_found_where_python_m_is_started(tmp_path, process):
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n\n\nclass Encoder(nn.Flatten):\n    pass\n\n\nclass Decoder(nn.Sequential):\n"
        "    def __init__(self):\n        super().__init__(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8)))\n"
    )
    own = ["--net", "custom", "--encoder", "mine:Encoder", "--decoder", "mine:Decoder", "--latent-dim", "3"]
    small = ["--n-train", "60", "--n-test", "20", "--epochs", "1", "--batch-size", "20", "--quiet", "--no-figures"]
    trained = process("-m", "diabolo", "train", "undercomplete", *own, *small, cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    run = next((tmp_path / "runs").iterdir())
    assert process("-m", "diabolo", "info", run, cwd=tmp_path).returncode == 1
    assert process("-m", "diabolo", "info", run, "--trust", "mine", cwd=tmp_path).returncode == 0
