"""The page for others, as a file: what is in it, what is refused, and where its decoder comes from."""

import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import diabolo
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.explorer import save_page
from diabolo.explorer.explored import Explored
from diabolo.explorer.shared import contents, runtime, writing
from diabolo.explorer.shared.sheets import sheet

HOSTILE = "</script><script>alert(1)</script>"
LINES = "the images of the page were decoded beforehand"


class Read(HTMLParser):
    """The scripts of a page by their id, and the words outside of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.tags: list[str] = []
        self.words = ""
        self.now: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("script", "style"):
            self.now = dict(attrs).get("id") or tag
            self.scripts[self.now] = ""

    def handle_endtag(self, tag: str) -> None:
        self.now = None

    def handle_data(self, data: str) -> None:
        if self.now is None:
            self.words += data
        else:
            self.scripts[self.now] += data

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.scripts["data"])
        return found


def unpacked(one: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(one["data"]), {"float32": "<f4", "int32": "<i4"}[one["type"]])


@pytest.fixture
def no_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise DiaboloError("onnxruntime-web is not at hand in /home/me")

    monkeypatch.setattr(writing, "runtime", gone)


@pytest.fixture
def any_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put into the page, where nobody runs it."""
    monkeypatch.setattr(writing, "runtime", lambda: runtime.Runtime(b"// a module", b"\0asm"))


# --- what is in it -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("any_runtime")
def test_codes_decoder_and_units_are_in_the_page(vae, explored, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra `export`")
    page = Read(save_page(vae, tmp_path / "a" / "page.html").read_text(encoding="utf-8"))
    told, test = page.told, explored.test
    codes = unpacked(told["codes"]).reshape(len(test), -1)
    np.testing.assert_allclose(codes, explored.codes, atol=1e-6)
    session = onnxruntime.InferenceSession(gzip.decompress(base64.b64decode(page.scripts["decoder"])))
    (pixels,) = session.run([told["decoder"]["output"]], {told["decoder"]["input"]: codes[:3]})
    wanted = 255 * vae.model.decode(explored.codes[:3]).numpy()
    assert np.abs(pixels.astype(float) - wanted).max() <= 0.5 + 1e-3  # it is rounded
    assert gzip.decompress(base64.b64decode(page.scripts["wasm"])) == b"\0asm"
    origin, basis = unpacked(told["plane"]["origin"]), unpacked(told["plane"]["basis"]).reshape(2, -1)
    points = unpacked(told["plane"]["points"]).reshape(-1, 2)
    np.testing.assert_allclose((codes - origin) @ basis.T, points, atol=1e-4)
    assert sorted(unit["index"] for unit in told["units"]) == list(range(6))
    for unit in told["units"]:
        low, high = np.quantile(explored.train_codes[:, unit["index"]].astype(float), (0.01, 0.99))
        assert (unit["low"], unit["high"]) == pytest.approx((low, high), abs=1e-5)
    (by_class,) = (one for one in told["colours"] if one["name"] == "class")
    assert unpacked(by_class["values"]).tolist() == test.labels.tolist()
    (by_error,) = (one for one in told["colours"] if one["name"] == "error")
    np.testing.assert_allclose(unpacked(by_error["values"]), explored.errors, rtol=1e-5)
    assert "computed in this page" in told["how"]


@pytest.mark.usefixtures("no_runtime")
def test_without_a_runtime_a_grid_was_decoded_beforehand(vae, explored, tmp_path):
    with pytest.warns(UserWarning, match=f"{LINES}: onnxruntime-web is not at hand in /home/me"):
        path = save_page(vae, tmp_path / "page.html")
    text = path.read_text(encoding="utf-8")
    told = Read(text).told
    assert "/home/me" not in text
    assert "decoded beforehand" in told["how"]
    assert "the decoder could not be put into it" in told["how"]
    assert told["decoder"] is None
    assert not told["units"]
    assert "codes" not in told
    places = unpacked(told["beforehand"]["places"]).reshape(-1, 2)
    assert len(places) == 32 * 32
    pictures = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(re.search(r'"beforehand-0".*?base64,([^"]+)', text)[1])))
    )
    plane = explored.plane("pca")
    for i in (0, 31, 500, 1023):
        x, y = i % 32 * 8, i // 32 * 8
        code = plane.code_at(places[i].astype(float))
        wanted = np.rint(255 * explored.decoded(code[None])[0, 0])
        assert np.abs(pictures[y : y + 8, x : x + 8].astype(float) - wanted).max() <= 1
    assert places.min(0) == pytest.approx(plane.points.min(0), abs=1e-4)
    assert places.max(0) == pytest.approx(plane.points.max(0), abs=1e-4)


@pytest.mark.usefixtures("any_runtime")
def test_a_page_that_would_be_too_large_has_a_grid(vae, tmp_path, monkeypatch):
    pytest.importorskip("onnxscript", reason="needs the extra `export`")
    size = save_page(vae, tmp_path / "page.html").stat().st_size
    for limit in (size - 1, 1_000):  # the page is too large, or the decoder by itself
        monkeypatch.setattr(writing, "LARGEST", limit)
        with pytest.warns(UserWarning, match=r"with its decoder the page would take 0\.\d MB, more than 0"):
            told = Read(save_page(vae, tmp_path / "page.html").read_text(encoding="utf-8")).told
        assert told["decoder"] is None
        assert "with its decoder the page would take" in told["how"]
    monkeypatch.setattr(writing, "LARGEST", size)
    assert save_page(vae, tmp_path / "page.html").stat().st_size == size


@pytest.mark.usefixtures("no_runtime")
@pytest.mark.filterwarnings(f"ignore:{LINES}")
def test_nothing_that_comes_from_a_run_is_markup(vae, tmp_path):
    train, test = diabolo.data.load("digits")
    names = (HOSTILE, "<img src=x onerror=alert(1)>", *map(str, range(2, 10)))
    images = tuple(
        Images(one.images, labels=one.labels, label_names=names, name=HOSTILE, split=one.split) for one in (train, test)
    )
    run = Path(shutil.copytree(vae.path, tmp_path / "<b>run"))
    text = save_page(run, tmp_path / "page.html", images=images).read_text(encoding="utf-8")
    plain = save_page(vae, tmp_path / "plain.html").read_text(encoding="utf-8")
    found, usual = Read(text), Read(plain)
    assert found.tags == usual.tags
    assert found.scripts.keys() == usual.scripts.keys()
    assert HOSTILE in found.told["colours"][0]["names"]
    assert HOSTILE in found.words
    assert "<b>run" in found.words


@pytest.mark.usefixtures("no_runtime")
@pytest.mark.filterwarnings(f"ignore:{LINES}")
def test_the_policy_allows_its_own_script_and_no_network(vae, tmp_path):
    text = save_page(vae, tmp_path / "page.html").read_text(encoding="utf-8")
    found = Read(text)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(found.scripts[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert not re.search(r"https?://", text)


@pytest.mark.usefixtures("no_runtime")
@pytest.mark.filterwarnings(f"ignore:{LINES}")
def test_classes_have_a_grid_each(digits_of, tmp_path):
    run = digits_of("cvae")
    text = save_page(run, tmp_path / "page.html").read_text(encoding="utf-8")
    told, explored = Read(text).told, Explored("cvae", run.model, *diabolo.data.load("digits"))
    assert told["beforehand"]["classes"] == 10
    assert told["classes"] == list(explored.classes)
    places = unpacked(told["beforehand"]["places"]).reshape(-1, 2)
    columns, i = told["beforehand"]["columns"], len(places) // 2
    for label in (0, 7):
        encoded = re.search(rf'"beforehand-{label}".*?base64,([^"]+)', text)[1]
        pictures = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))
        x, y = i % columns * 8, i // columns * 8
        code = explored.plane("pca").code_at(places[i].astype(float))
        wanted = np.rint(255 * explored.decoded(code[None], label)[0, 0])
        assert np.abs(pictures[y : y + 8, x : x + 8].astype(float) - wanted).max() <= 1


@pytest.mark.usefixtures("no_runtime")
@pytest.mark.filterwarnings(f"ignore:{LINES}")
def test_indices_are_decoded_at_the_points_and_a_line_along_itself(digits_of, tmp_path):
    run = digits_of("vqvae", codes=16, width=8, residual_width=4, latent_dim=4)
    told = Read(save_page(run, tmp_path / "vq.html").read_text(encoding="utf-8")).told
    assert told["discrete"]
    assert told["beforehand"]["places"] == told["plane"]["points"]
    line = Read(save_page(digits_of("pca", latent_dim=1), tmp_path / "pca.html").read_text(encoding="utf-8")).told
    x, y = unpacked(line["beforehand"]["places"]).reshape(-1, 2).T
    assert (np.diff(x) > 0).all()
    assert (y == y[0]).all()


def test_a_page_holds_as_many_points_as_their_codes_allow(monkeypatch, explored):
    monkeypatch.setattr(contents, "POINTS", 50)
    assert len(contents.few(explored, codes=True).test) == 50
    monkeypatch.setattr(contents, "CODES", 10 * 6 * 4)
    assert len(contents.few(explored, codes=True).test) == 10
    assert len(contents.few(explored, codes=False).test) == 50


def test_a_coarser_grid_where_images_are_large(explored, monkeypatch):
    plane = explored.plane("pca")
    told, (one,) = contents._beforehand(explored, plane)
    monkeypatch.setattr(contents, "SHEETS", len(one.file) // 3)
    coarse, (other,) = contents._beforehand(explored, plane)
    assert len(unpacked(told["places"])) == 2 * 32**2
    assert len(unpacked(coarse["places"])) == 2 * 16**2
    assert len(other.file) <= 1.5 * contents.SHEETS


# --- sheets ------------------------------------------------------------------------------------------------------------------


def tile(one: Any, i: int) -> np.ndarray:
    whole = np.asarray(Image.open(io.BytesIO(one.file)).convert("RGB"))
    x, y = i % one.columns * one.width, i // one.columns * one.height
    return whole[y : y + one.height, x : x + one.width]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sheet_keeps_every_pixel(channels):
    pictures = np.random.default_rng(0).integers(0, 256, (7, channels, 4, 6), np.uint8)
    found = sheet(pictures, 6)
    assert (found.kind, found.width, found.height, found.columns) == ("png", 6, 4, 3)
    for i in range(7):
        assert (tile(found, i) == np.moveaxis(pictures[i], 0, -1)).all()


def test_large_pictures_are_reduced_by_means_of_boxes():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 1, 16, 32), np.uint8)
    found = sheet(pictures, 8)
    assert (found.width, found.height) == (8, 4)
    means = pictures[1, 0].reshape(4, 4, 8, 4).mean((1, 3))
    assert np.abs(tile(found, 1)[..., 0] - means).max() <= 1


def test_colour_may_be_jpeg_and_grey_never_is():
    ramp = np.broadcast_to(np.linspace(0, 1, 16), (2, 3, 16, 16)) * np.array([1, 0.5, 0.2])[:, None, None]
    found = sheet(ramp, 16, exact=False)
    assert found.kind == "jpeg"
    assert np.abs(tile(found, 0).astype(float) - np.moveaxis(ramp[0], 0, -1) * 255).max() < 12
    assert sheet(ramp[:, :1], 16, exact=False).kind == "png"


# --- what there is no page of ------------------------------------------------------------------------------------------------


def test_what_there_is_no_page_of_is_said_in_a_sentence(digits_of, vae, tmp_path):
    out = tmp_path / "page.html"
    for recipe, options, why in (
        ("classifier", {}, "learned from labels alone"),
        ("completion_plain", {"latent_dim": None}, "has no code"),
        ("completion", {}, "is given more than a class: look at it with a server, diabolo look"),
    ):
        with pytest.raises(DiaboloError, match=why):
            save_page(digits_of(recipe, **options), out)
    with pytest.raises(DiaboloError, match="is a folder: name a file, such as"):
        save_page(vae, tmp_path)
    with pytest.raises(DiaboloError, match="seed"):
        save_page(vae, out, seed=-1)
    assert not list(tmp_path.iterdir())


def test_vectors_and_runs_without_images_have_no_page(tmp_path):
    x = np.random.default_rng(0).random((60, 6), dtype=np.float32)
    how = {"epochs": 1, "batch_size": 20, "out": tmp_path, "quiet": True, "device": "cpu"}
    vectors = diabolo.fit(diabolo.zoo.undercomplete((6,), latent_dim=2, hidden=(8,)), x, **how)
    with pytest.raises(DiaboloError, match=r"a page shows pictures \(1 or 3, H, W\), and .* is for examples \(6,\)"):
        save_page(vectors, tmp_path / "page.html")
    pictures = diabolo.fit(diabolo.zoo.pca((1, 5, 6), latent_dim=2), np.tile(x, 5).reshape(60, 1, 5, 6), **how)
    with pytest.raises(DiaboloError, match=r"not at hand.*given as arrays"):
        save_page(pictures, tmp_path / "page.html")
    with pytest.raises(DiaboloError):
        save_page(tmp_path / "nothing", tmp_path / "page.html")


# --- the command -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def said(capsys) -> Callable[..., tuple[int, str, str]]:
    from diabolo.cli import main

    def run(*words: object) -> tuple[int, str, str]:
        code = 0
        try:
            main([*map(str, words)])
        except SystemExit as end:
            code = int(end.code or 0)
        found = capsys.readouterr()
        return code, found.out, found.err

    return run


@pytest.mark.usefixtures("no_runtime")
def test_the_command_says_where_the_page_is_and_why_it_has_a_grid(vae, said, tmp_path):
    code, out, err = said("look", vae.path, "--save", tmp_path / "page.html")
    assert code == 0
    assert re.fullmatch(rf"open in a browser:  {re.escape(str(tmp_path))}/page\.html \(\d\.\d MB\)\n", out)
    assert f"{LINES}: onnxruntime-web is not at hand" in err
    assert "Traceback" not in err
    assert "0 1 2" not in out


def test_a_page_is_of_one_run_and_needs_no_server(vae, said, tmp_path):
    page = tmp_path / "page.html"
    for words, why in (
        ((vae.path, vae.path), "a page is of one run, not of 2: save a page for each"),
        ((vae.path, "--port", 5006), "needs no server: leave --port and --host out, or --save"),
        ((vae.path, "--host", "0.0.0.0"), "needs no server"),
        ((vae.path, "--save", vae.path / "config.json"), "a page is written as .html, not .json"),
    ):
        code, _, err = said("look", *words, *(() if "--save" in words else ("--save", page)))
        assert code == 2
        assert why in err
        assert err.count("\n") == 1
    assert not page.exists()


# --- onnxruntime-web ---------------------------------------------------------------------------------------------------------


def package(**files: bytes) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as whole:
        for name, data in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            whole.addfile(about, io.BytesIO(data))
    return content.getvalue()


@pytest.fixture
def registry(monkeypatch, tmp_path) -> Iterator[Any]:
    """A registry on this machine, which has a package of two files; `asked` are the paths that were asked for."""
    content = package(**{runtime.MODULE: b"module", runtime.WASM: b"wasm", "package/other.js": b"other"})

    class Answer(BaseHTTPRequestHandler):
        asked: list[str] = []  # noqa: RUF012
        content = b""

        def do_GET(self) -> None:
            self.asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.content)))
            self.end_headers()
            self.wfile.write(self.content)

        def log_message(self, *about: Any) -> None:
            pass

    Answer.content = content
    served = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    monkeypatch.setattr(runtime, "INTEGRITY", f"sha512-{digest}")
    monkeypatch.setenv("DIABOLO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{served.server_port}/")
    yield Answer
    served.shutdown()
    served.server_close()


def test_the_package_is_fetched_once_and_kept(registry):
    for _ in range(2):
        assert runtime.runtime() == runtime.Runtime(b"module", b"wasm")
    assert registry.asked == [f"/onnxruntime-web/-/onnxruntime-web-{runtime.VERSION}.tgz"]
    assert runtime.where().read_bytes() == registry.content


def test_another_file_than_the_registry_has_is_never_used(registry):
    right, registry.content = registry.content, package(**{runtime.MODULE: b"evil", runtime.WASM: b"evil"})
    with pytest.raises(DiaboloError, match=r"gives another file than onnxruntime-web"):
        runtime.runtime()
    assert not runtime.where().exists()
    runtime.where().parent.mkdir(parents=True, exist_ok=True)
    runtime.where().write_bytes(right[:-1])
    with pytest.raises(DiaboloError, match=r"is not onnxruntime-web .* as the npm registry has it: remove the file"):
        runtime.runtime()


def test_without_a_network_it_says_where_the_package_goes(registry, monkeypatch):
    for address in ("http://127.0.0.1:9", "no address"):
        monkeypatch.setenv("npm_config_registry", address)
        with pytest.raises(
            DiaboloError, match=r"could not be fetched \([^<]+\): put there what `npm pack onnxruntime-web@"
        ):
            runtime.runtime()
    assert not registry.asked
