"""The folder: what is in it, that it needs neither Diabolo nor torch, other targets and units, and what is refused."""

import importlib.util
import json
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from torch import nn

import diabolo
from diabolo.cli.main import main
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.exporting import onnx_files, torch_files
from diabolo.parts import part
from diabolo.runs import files

ROOT = Path(__file__).parents[2]
SERVE = ROOT / "examples" / "serve.py"
here = pytest.mark.skipif(not SERVE.exists(), reason="a source distribution holds no examples")


@pytest.fixture(scope="module")
def run(trained, digits):
    """A conditional VAE of digits that are found again by their name."""
    return trained("cvae", digits[0], latent_dim=4, hidden=(8,))


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """The same by the command line, as ONNX."""
    out = tmp_path_factory.mktemp("exported") / "folder"
    main(["export", str(run.path), "--out", str(out), "--n", "5", "--samples", "12", "--seed", "3"])
    return out


def test_the_folder_says_what_it_is(exported, run, digits):
    about = json.loads((exported / "export.json").read_text())
    files = {p.name for p in exported.iterdir()}
    assert files == {f"{g}.onnx" for g in about["graphs"]} | {"export.json", "samples.npz"}
    assert list(about["graphs"]) == ["encoder", "decoder", "reconstruct", "score", "prior"]
    batch = {"dtype": "int64", "shape": ["batch"]}
    assert about["graphs"]["encoder"]["inputs"] == {
        "images": {"dtype": "uint8", "shape": ["batch", 1, 8, 8]},
        "label": batch,
    }
    assert about["graphs"]["decoder"]["outputs"]["x_hat"] == {"dtype": "float32", "shape": ["batch", 1, 8, 8]}
    assert (about["name"], about["classes"], about["to"], about["opset"]) == ("cvae", 10, "onnx", 18)
    assert about["model"] == run.folder.fingerprint()
    assert about["certificate"]["images"]["n"] == 5
    assert about["certificate"]["batches"] == [1, 2, 7, 64]
    assert about["certificate"]["checked_by"] == f"onnxruntime {onnxruntime.__version__}"


ALONE = """
import importlib.util, json, sys
for name in ("torch", "diabolo"):
    sys.modules[name] = None  # no import of it succeeds
import numpy as np
spec = importlib.util.spec_from_file_location("serve", sys.argv[1])
serve = importlib.util.module_from_spec(spec)
spec.loader.exec_module(serve)
np.save(sys.argv[3], serve.Exported(sys.argv[2]).samples()["pixels"])
"""


@here
def test_without_torch_and_diabolo_it_gives_the_images_of_sample(exported, run, tmp_path):
    words = [sys.executable, "-I", "-c", ALONE, str(SERVE), str(exported), str(tmp_path / "found.npy")]
    subprocess.run(words, check=True, timeout=300)
    main(["sample", str(run.path), "--n", "12", "--seed", "3", "--out", str(tmp_path / "pictures")])
    wanted = [np.asarray(Image.open(file)) for file in sorted((tmp_path / "pictures").iterdir())]
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy")[:, 0], wanted)


@pytest.fixture(scope="module")
def address(exported):
    """Of the example, serving the folder."""
    spec = importlib.util.spec_from_file_location("serve", SERVE)
    serve = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(serve)
    server = serve.server(exported, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def got(address, body=None):
    with urllib.request.urlopen(address, body, timeout=60) as answer:
        return answer.read()


@here
def test_the_example_serves_it(address, run, digits, tmp_path):
    model, image = diabolo.load(run.path), digits[1].images[0, 0]
    Image.fromarray(image).save(tmp_path / "digit.png")
    body, y = (tmp_path / "digit.png").read_bytes(), torch.tensor([7])
    x = torch.from_numpy(image)[None, None]
    code = json.loads(got(f"{address}/encode?label=7", body))["code"]
    np.testing.assert_allclose(code, model.encode(x, y).numpy(), atol=1e-5)
    assert json.loads(got(address + "/"))["name"] == "cvae"
    score = json.loads(got(f"{address}/score?label=7", body))["score"]
    x_hat = model.reconstruct(x, y).numpy()
    assert score == pytest.approx([np.square(x_hat - image / 255).mean()], abs=1e-6)
    for place, sent in {
        "reconstruct.png?label=7": body,
        "decode.png?label=7": json.dumps({"code": code}).encode(),
    }.items():
        (tmp_path / "got.png").write_bytes(got(f"{address}/{place}", sent))
        assert np.abs(np.asarray(Image.open(tmp_path / "got.png")) - 255 * x_hat[0, 0]).max() <= 0.51
    first, again, other = (got(f"{address}/sample.png?seed={seed}&label=1") for seed in (0, 0, 1))
    assert first == again != other
    (tmp_path / "got.png").write_bytes(got(f"{address}/sample.png?i=2"))
    wanted = model.sample(12, 3).numpy()[2, 0]
    assert np.abs(np.asarray(Image.open(tmp_path / "got.png")) - 255 * wanted).max() <= 0.51


@here
@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        ("encode", 400, "encoder needs label"),
        ("sample.png?i=12", 400, "there are samples 0 to 11"),
        ("decode_indices.png", 400, "this model has no decode_indices"),
        ("nothing", 404, "no such page"),
    ],
)
def test_the_example_says_what_is_wrong(place, code, said, address, digits, tmp_path):
    Image.fromarray(digits[1].images[0, 0]).save(tmp_path / "digit.png")
    body = b"{}" if "indices" in place else (tmp_path / "digit.png").read_bytes()
    with pytest.raises(urllib.error.HTTPError) as refused:
        got(f"{address}/{place}", body)
    assert refused.value.code == code
    assert said in refused.value.read().decode()


def test_programs_of_torch_export_give_the_same_in_any_batch(trained, digits, tmp_path):
    run = trained("kl_sparse", digits[0], latent_dim=4, hidden=(8,))
    out = diabolo.export(run.path, to="torch-export", n=3)
    assert out == run.path / "export"
    about, x = json.loads((out / "export.json").read_text()), torch.from_numpy(digits[1].images[:9])
    assert about["graphs"]["prior"]["inputs"] == {"uniform": {"dtype": "float32", "shape": ["batch", 4]}}
    assert about["opset"] is None
    programs = {name: torch.export.load(out / graph["file"]).module() for name, graph in about["graphs"].items()}
    for n in (1, 9):
        torch.testing.assert_close(programs["encoder"]({"images": x[:n]})["code"], run.model.encode(x[:n]))
        torch.testing.assert_close(programs["reconstruct"]({"images": x[:n]})["x_hat"], run.model.reconstruct(x[:n]))
    with np.load(out / "samples.npz") as samples:
        x_hat = programs["decoder"]({"code": torch.from_numpy(samples["code"])})["x_hat"]
    torch.testing.assert_close(x_hat, run.model.sample(16, 0))
    assert b".py" not in b"".join(file.read_bytes() for file in out.glob("*.pt2")).replace(b"torch", b"")


def test_a_table_is_exported_in_its_own_units_with_numbers_that_are_missing(tmp_path):
    random = np.random.default_rng(0)
    table = random.normal([0, 4_000, -3], [1, 20, 0.01], (200, 3))
    holes = np.where(random.random(table.shape) < 0.2, np.nan, table)
    holes[:20, 0] = table[:20, 0]
    holes[20] = np.nan  # nothing is known of it
    images = Images(holes, missing=True)
    model = diabolo.zoo.build_for("undercomplete", images, latent_dim=2, hidden=(8,))
    run = diabolo.fit(model, images, epochs=1, out=None, quiet=True)
    out = diabolo.export(run, tmp_path / "out", images=images)
    about = json.loads((out / "export.json").read_text())
    assert about["graphs"]["encoder"]["inputs"]["images"] == {"dtype": "float64", "shape": ["batch", 3]}
    score = onnxruntime.InferenceSession(out / "score.onnx").run(None, {"images": holes[:20]})[0]
    x_hat = run.model.reconstruct(torch.from_numpy(holes[:20])).numpy().astype(np.float64)
    wanted = [np.mean(errors[~np.isnan(errors)] ** 2) for errors in x_hat - holes[:20]]
    np.testing.assert_allclose(score, wanted, rtol=1e-3)


# --- what is refused, in one sentence and with nothing left behind ------------------------------------------------------------


@part
class Strange(nn.Module):
    """An encoder with an operation of one's own choice."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.input_shape, self.features = how, (1, 8, 8), 64
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x):
        x = x.flatten(1) * self.weight
        if self.how == "bessel":
            return torch.special.bessel_j0(x)
        return x if x.sum() > 0 else -x


def strange(how):
    decoder = diabolo.nets.build("mlp", (1, 8, 8), 4, hidden=())[1]
    return diabolo.Autoencoder(
        Strange(how), diabolo.bottlenecks.Identity(64, 4), decoder, diabolo.likelihoods.SquaredError()
    )


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (
            "bessel",
            r"an operator \([\w.]*bessel_j0\) that opset 18 of ONNX lacks: export with --to torch-export",
        ),
        ("branch", r"cannot be traced by torch.export \(.*\): its parts must not decide by the numbers"),
    ],
)
def test_a_part_that_cannot_be_exported(how, said, digits, tmp_path):
    run = diabolo.Run(strange(how).eval(), None, (), None, "finished")
    with pytest.raises(DiaboloError, match=said) as refused:
        diabolo.export(run, tmp_path / "out", images=digits[1])
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_that_is_missed_leaves_nothing_behind(trained, digits, tmp_path, monkeypatch):
    run = trained("pca", digits[0], latent_dim=2)

    class Off(torch_files.Runner):
        def __call__(self, graph, inputs):
            return {name: x + x.dtype.type(1) for name, x in super().__call__(graph, inputs).items()}

    monkeypatch.setattr(torch_files, "Runner", Off)
    with pytest.raises(SystemExit):
        main(["export", str(run.path), "--to", "torch-export", "--out", str(tmp_path / "out"), "--n", "2"])
    assert list(tmp_path.iterdir()) == []


def sentence(capsys, *words):
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main([str(word) for word in words])
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_folder_that_holds_something_stays_as_it_is(run, tmp_path, capsys):
    (tmp_path / "mine").write_text("x")
    assert "is not empty: export into a new folder" in sentence(capsys, "export", run.path, "--out", tmp_path)
    assert "is a file: export into a new folder" in sentence(capsys, "export", run.path, "--out", tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "x"


@pytest.mark.parametrize("module", ["onnx", "onnxscript", "onnxruntime"])
def test_without_the_extra_it_says_how_to_install_it(module, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, module, None)
    said = sentence(capsys, "export", run.path, "--out", tmp_path / "out")
    assert f"needs {module}, which is not installed: pip install 'diabolo[export]'" in said


def test_a_classifier_has_nothing_to_export(trained, digits, tmp_path, capsys):
    run = trained("classifier", digits[0], latent_dim=4, hidden=(8,))
    said = sentence(capsys, "export", run.path, "--out", tmp_path / "out")
    assert "classifier learns from labels alone and its decoder nothing" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("", "64 of 64 codes hold NaN or infinity: the model that they come from is broken"),
        ("decoder.", "nothing is exported: the model is broken, 'x_hat' of its decoder holds NaN"),
    ],
)
def test_a_model_whose_weights_are_no_numbers_is_refused(broken, said, run, tmp_path, capsys):
    folder = shutil.copytree(run.path, tmp_path / "run")
    tensors, about = files.read_tensors(folder / "model.safetensors")
    damaged = {n: t * float("nan") if n.startswith(broken) else t for n, t in tensors.items()}
    files.write_tensors(folder / "model.safetensors", damaged, about)
    assert said in sentence(capsys, "export", folder, "--out", tmp_path / "out")
    assert list(tmp_path.iterdir()) == [folder]


def test_other_things_that_are_refused(run, trained, digits, tmp_path, monkeypatch):
    images, out = digits[1], tmp_path / "out"
    with pytest.raises(DiaboloError, match="unknown target 'tflite'"):
        diabolo.export(run, out, "tflite")
    with pytest.raises(DiaboloError, match="opset must be a whole number from 18 to 23, not 9"):
        diabolo.export(run, out, opset=9)
    with pytest.raises(DiaboloError, match=r"takes images of shape \(1, 8, 8\), not \(1, 9, 9\)"):
        diabolo.export(run, out, images=np.zeros((20, 1, 9, 9), np.uint8))
    alone = diabolo.Run(run.model, None, run.history, run.config, run.status)
    with pytest.raises(DiaboloError, match="this run left no folder to export into"):
        diabolo.export(alone)
    with pytest.raises(DiaboloError, match=r"were given as arrays, .*: give some from Python"):
        diabolo.export(trained("pca", latent_dim=2), out)
    with pytest.raises(DiaboloError, match="LeftHalf cannot be exported"):
        diabolo.export(diabolo.Run(LeftHalf((1, 8, 8), (32,)), None, (), None, ""), out, images=images)
    monkeypatch.setattr(onnx_files, "MOST", 10)
    with pytest.raises(DiaboloError, match="and an ONNX file holds 2: export with --to torch-export"):
        diabolo.export(run, out, images=images)
    assert list(tmp_path.iterdir()) == []


class LeftHalf(diabolo.codec.PlainCodec):
    name = "left half"
