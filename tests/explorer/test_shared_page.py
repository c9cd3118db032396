"""The page for others in a real browser, from a file and without a network: it decodes what the model decodes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import diabolo
from diabolo.data import Images
from diabolo.errors import DiaboloError
from diabolo.explorer import save_page
from diabolo.explorer.explored import Explored
from diabolo.explorer.shared import runtime, writing
from diabolo.explorer.shared.writing import LARGEST

HOSTILE = "</script><script>alert(1)</script>"
FRAMES = """async seconds => {
  const map = document.getElementById('map'), bounds = map.getBoundingClientRect(), decoded = document.getElementById('decoded')
  const before = Number(decoded.dataset.drawn), start = performance.now()
  for (let i = 0; performance.now() - start < 1000 * seconds; i++) {
    const x = bounds.left + bounds.width * (0.5 + 0.3 * Math.sin(i / 9))
    const y = bounds.top + bounds.height * (0.5 + 0.3 * Math.cos(i / 9))
    map.dispatchEvent(new PointerEvent('pointermove', { clientX: x, clientY: y }))
    await new Promise(requestAnimationFrame)
  }
  return (Number(decoded.dataset.drawn) - before) / seconds
}"""

PAINT = """() => {  // the mean red of the map where it is painted, and the share that is
  const c = document.getElementById('points'), data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data
  let red = 0, painted = 0
  for (let i = 0; i < data.length; i += 4) if (data[i + 3]) { red += data[i]; painted++ }
  return [red / painted, painted / data.length]
}"""


@pytest.fixture(scope="session")
def web() -> runtime.Runtime:
    """onnxruntime-web, and what exports a decoder for it."""
    for module in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(module, reason="needs the extra `export`")
    try:
        return runtime.runtime()
    except DiaboloError as error:
        pytest.skip(str(error))


class Opened:
    """A page in a window of its own, and what it said and asked for."""

    def __init__(self, browser: Any, file: Path, **how: Any) -> None:
        self.context = browser.new_context(**({"viewport": {"width": 1300, "height": 900}, "offline": True} | how))
        self.page, self.said, self.asked = self.context.new_page(), list[str](), list[str]()
        # of tests alone, which read pixels
        self.page.on("console", lambda one: "willReadFrequently" in one.text or self.said.append(one.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url.partition(":")[0]))
        self.page.goto(file.as_uri())
        self.until("document.getElementById('decoded').dataset.drawn > 0", 180)

    def js(self, expression: str, *given: Any) -> Any:
        return self.page.evaluate(expression, *given)

    def until(self, condition: str, timeout: float = 60) -> None:
        end = time.monotonic() + timeout
        while not self.js(condition):
            assert time.monotonic() < end, f"never: {condition}; {self.said}; {self.text('state')}"
            time.sleep(0.05)

    def text(self, name: str) -> str:
        found: str = self.js("name => document.getElementById(name).textContent", name)
        return found

    def after(self, act: Callable[[], Any]) -> None:
        """Until what `act` asks for is drawn, and nothing is waited for any more."""
        before = self.js("Number(document.getElementById('decoded').dataset.drawn)")
        act()
        self.until(f"document.getElementById('decoded').dataset.drawn > {before}")
        self.js("new Promise(done => setTimeout(done, 150))")

    def at(self, x: float, y: float) -> tuple[float, float]:
        box = self.page.locator("#map").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    @property
    def code(self) -> np.ndarray:
        return np.array(self.js("Array.from(diabolo.state.shown.code)"))

    @property
    def place(self) -> list[float]:
        found: list[float] = self.js("Array.from(diabolo.state.shown.place)")
        return found

    @property
    def point(self) -> int:
        return int(self.js("diabolo.state.shown.point"))

    def pixels(self, name: str = "decoded") -> np.ndarray:
        """(H, W, 3)."""
        found = self.js(
            """name => { const c = document.getElementById(name); return [c.height, c.width,
               ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data] }""",
            name,
        )
        return np.array(found[2:], float).reshape(found[0], found[1], 4)[..., :3]


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Opened]]:
    pages: list[Opened] = []

    def make(file: Path, **how: Any) -> Opened:
        pages.append(Opened(browser, file, **how))
        return pages[-1]

    yield make
    for one in pages:
        one.context.close()


def wanted(explored: Explored, code: np.ndarray, label: int = -1) -> np.ndarray:
    """What the model decodes, 0 to 255, (H, W, 3)."""
    image = 255 * explored.decoded(np.asarray(code, np.float32)[None], label)[0]
    return np.broadcast_to(np.moveaxis(image, 0, -1), (*image.shape[1:], 3))


def same(page: Opened, explored: Explored, label: int = -1) -> None:
    """The image of the page is that of the model within 1/255."""
    image = wanted(explored, page.code, label)
    assert np.abs(page.pixels() - image).max() <= 1
    assert image.std() > 5, "an image of one grey says nothing"


@pytest.fixture(scope="module")
def vae_page(web: Any, vae: Any, tmp_path_factory: Any) -> Path:
    return Path(save_page(vae, tmp_path_factory.mktemp("page") / "page.html"))


def test_the_page_decodes_what_the_model_decodes(opened, vae_page, explored):
    page = opened(vae_page)
    same(page, explored)
    seen = []
    for x, y in ((0.3, 0.4), (0.7, 0.6)):
        page.after(lambda x=x, y=y: page.page.mouse.move(*page.at(x, y)))
        same(page, explored)
        plane = explored.plane("pca")
        assert page.code == pytest.approx(plane.code_at(page.place), abs=1e-4)
        near = np.abs(explored.test.images[page.point][0].astype(float) * 1 - page.pixels("nearest")[..., 0]).max()
        assert near <= 1
        seen.append(page.pixels())
    assert np.abs(seen[0] - seen[1]).max() > 20
    assert set(page.asked) == {"file", "blob"}
    assert not page.said


def test_a_click_on_a_point_is_its_image_and_stays(opened, vae_page, explored):
    page = opened(vae_page)
    point = 5
    x, y = explored.plane("pca").points[point]
    at = page.js(
        "i => { const p = diabolo.toPixels(diabolo.ofPoint(i).place);"
        " const b = document.getElementById('map').getBoundingClientRect();"
        " return [p[0] + b.left + 1, p[1] + b.top + 1] }",
        point,
    )
    page.after(lambda: page.page.mouse.click(*at))
    assert page.place == pytest.approx((x, y), abs=1e-3)
    assert page.code == pytest.approx(explored.codes[page.point], abs=1e-5)
    same(page, explored)
    kept = page.code
    page.after(lambda: page.page.mouse.move(*page.at(0.9, 0.1)))
    assert not np.allclose(page.code, kept)
    page.after(lambda: page.page.mouse.move(5, 5))
    assert page.code.tolist() == kept.tolist()
    assert not page.said


def test_a_slider_moves_its_unit_alone(opened, vae_page, explored):
    page = opened(vae_page)
    before = page.code
    unit = page.js(
        "() => { const s = document.querySelector('#units label'); return [s.textContent, s.querySelector('input').max] }"
    )
    index, high = int(unit[0].split()[0].removeprefix("z")) - 1, float(unit[1])
    assert index == explored.units.order[0]

    def slide() -> None:
        page.js(
            "() => { const s = document.querySelector('#units input'); s.value = s.max; s.dispatchEvent(new Event('input')) }"
        )

    page.after(slide)
    assert page.code[index] == pytest.approx(high, abs=1e-5)
    assert np.delete(page.code, index).tolist() == np.delete(before, index).tolist()
    same(page, explored)
    page.after(lambda: page.page.focus("#units input") or page.page.keyboard.press("ArrowLeft"))
    low, high = explored.reach[0][index], explored.reach[1][index]
    assert page.code[index] == pytest.approx(high - (high - low) / 50, abs=1e-4)
    page.after(lambda: page.page.click("#middle"))
    assert page.code == pytest.approx(explored.middle, abs=1e-5)
    same(page, explored)


def test_the_keyboard_reaches_everything(opened, vae_page, explored):
    page = opened(vae_page)
    page.page.focus("#map")
    x, y = page.place
    points = explored.plane("pca").points
    step = 0.02 * 1.08 * np.ptp(points, 0)
    page.after(lambda: page.page.keyboard.press("ArrowRight"))
    page.after(lambda: page.page.keyboard.press("Shift+ArrowUp"))
    assert page.place == pytest.approx((x + step[0], y + 5 * step[1]), abs=1e-3)
    same(page, explored)
    page.after(lambda: page.page.keyboard.press("Enter"))
    assert page.code == pytest.approx(explored.codes[page.point], abs=1e-5)
    assert "the code of the test image" in page.text("decoded-told")
    page.after(lambda: page.page.keyboard.press("Escape"))
    assert page.code == pytest.approx(explored.middle, abs=1e-5)
    order = []
    page.page.focus("#colour")
    for _ in range(10):
        order.append(page.js("document.activeElement.id || document.activeElement.type"))
        page.page.keyboard.press("Tab")
    assert order[:9] == ["colour", "pictured", "map", *["range"] * 6]
    assert order[9] == "middle"


def test_points_are_drawn_in_the_colours_of_what_is_chosen(opened, vae_page):
    page = opened(vae_page)
    assert page.js("[...document.getElementById('colour').options].map(one => one.textContent)")[:2] == [
        "class",
        "error",
    ]
    assert page.js("document.querySelectorAll('#legend span').length") == 10
    by_class, _ = page.js(PAINT)
    page.page.select_option("#colour", index=1)
    assert "and less" in page.text("legend")
    by_error, points = page.js(PAINT)
    assert by_class != by_error
    page.page.check("#pictured")
    _, pictures = page.js(PAINT)
    assert pictures > 2 * points


def test_the_class_is_chosen_and_that_of_an_image_goes_with_it(opened, web, digits_of, tmp_path):
    run = digits_of("cvae")
    explored = Explored("cvae", run.model, *diabolo.data.load("digits"))
    page = opened(save_page(run, tmp_path / "page.html"))
    same(page, explored, 0)
    page.after(lambda: page.page.select_option("#class", index=7))
    same(page, explored, 7)
    page.page.focus("#map")
    page.after(lambda: page.page.keyboard.press("Enter"))
    label = int(explored.test.labels[page.point])
    assert page.js("document.getElementById('class').selectedIndex") == label
    same(page, explored, label)
    assert not page.said


def test_indices_are_those_of_the_nearest_image(opened, web, digits_of, tmp_path):
    run = digits_of("vqvae", codes=16, width=8, residual_width=4, latent_dim=4)
    explored = Explored("vq", run.model, *diabolo.data.load("digits"))
    page = opened(save_page(run, tmp_path / "page.html"))
    page.after(lambda: page.page.mouse.move(*page.at(0.4, 0.6)))
    assert page.code.tolist() == explored.indices(page.point).ravel().tolist()
    image = wanted(explored, explored.codes[page.point])
    assert np.abs(page.pixels() - image).max() <= 1
    assert page.js("document.getElementById('units-section').hidden")
    assert not page.said


def test_numbers_in_units_of_their_own_and_a_linear_decoder(opened, web, tmp_path):
    train, test = diabolo.data.load("digits")
    in_units = [
        Images(one.images.astype(np.float32) * 3 + 100, labels=one.labels, name="bright", split=one.split)
        for one in (train, test)
    ]
    run = diabolo.fit("pca", in_units[0], latent_dim=6, out=tmp_path, quiet=True)
    explored = Explored("pca", run.model, *in_units)
    page = opened(save_page(run, tmp_path / "page.html", images=tuple(in_units)))
    same(page, explored)
    page.after(lambda: page.page.mouse.move(*page.at(0.2, 0.3)))
    same(page, explored)
    assert not page.said


def test_three_colours_are_three_colours(opened, web, tmp_path):
    tint = np.array([1, 0.6, 0.2])[:, None, None]
    train, test = (
        Images((one.images * tint).astype(np.uint8), labels=one.labels, name="tinted", split=one.split)
        for one in diabolo.data.load("digits")
    )
    run = diabolo.fit("pca", train, latent_dim=6, out=tmp_path, quiet=True)
    page = opened(save_page(run, tmp_path / "page.html", images=(train, test)))
    page.after(lambda: page.page.mouse.move(*page.at(0.3, 0.4)))
    image = 255 * run.model.decode(page.code[None].astype(np.float32))[0].numpy()
    assert np.abs(page.pixels() - np.moveaxis(image.clip(0, 255), 0, -1)).max() <= 1
    assert image[0].mean() > 3 * image[2].mean()
    assert not page.said


def test_what_was_decoded_beforehand_is_shown_and_said(opened, vae, explored, tmp_path, monkeypatch):
    def gone() -> None:
        raise DiaboloError("it is gone")

    monkeypatch.setattr(writing, "runtime", gone)
    with pytest.warns(UserWarning, match="decoded beforehand: it is gone"):
        file = save_page(vae, tmp_path / "page.html")
    page = opened(file)
    page.after(lambda: page.page.mouse.move(*page.at(0.3, 0.4)))
    points = explored.plane("pca").points
    low, high = points.min(0), points.max(0)
    grid = [np.linspace(low[i], high[i], 32) for i in (0, 1)]
    place = np.array([axis[np.abs(axis - p).argmin()] for axis, p in zip(grid, page.place, strict=True)])
    image = wanted(explored, explored.plane("pca").code_at(place))
    assert np.abs(page.pixels() - image).max() <= 1
    assert "decoded beforehand" in page.text("how")
    assert "decoded beforehand" in page.text("decoded-told")
    assert page.js("document.getElementById('units-section').hidden")
    assert set(page.asked) == {"file"}
    assert not page.said


def test_a_hostile_label_is_text(opened, web, vae, tmp_path):
    names = (HOSTILE, *map(str, range(1, 10)))
    images = tuple(
        Images(one.images, labels=one.labels, label_names=names, name=HOSTILE, split=one.split)
        for one in diabolo.data.load("digits")
    )
    page = opened(save_page(vae, tmp_path / "page.html", images=images))
    assert page.js("document.querySelector('#legend span').textContent") == HOSTILE
    assert HOSTILE in page.js("document.querySelector('header p').textContent")
    assert page.js("document.querySelectorAll('script').length") == 5
    assert not page.said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 900, 1400])
def test_it_fits_every_window_in_light_and_dark(opened, vae_page, width, scheme):
    page = opened(vae_page, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.js("document.documentElement.scrollWidth") <= width
    paper, ink = page.js(
        "[['#map-section', 'backgroundColor'], ['#axes', 'color']].map("
        "([one, what]) => getComputedStyle(document.querySelector(one))[what])"
    )
    light = [np.mean([int(x) for x in one.removeprefix("rgb(").removesuffix(")").split(",")]) for one in (paper, ink)]
    assert abs(light[0] - light[1]) > 100
    assert (light[0] > light[1]) == (scheme == "light")
    top = page.page.locator("#decoded").bounding_box()
    assert top["width"] >= 150
    assert top["y"] + top["height"] <= 900


@pytest.fixture(scope="module")
def mnist_like(web, tmp_path_factory) -> Path:
    """The page of a VAE of 28×28 with 2,000 test images, a fifth of whose pixels are not black, as in MNIST."""
    random = np.random.default_rng(0)
    strokes = np.where(random.random((2100, 1, 28, 28)) < 0.2, random.integers(0, 256, (2100, 1, 28, 28)), 0)
    train, test = (
        Images(strokes[part].astype(np.uint8), labels=random.integers(0, 10, n), name="strokes", split=split)
        for part, n, split in ((slice(100), 100, "train"), (slice(100, None), 2000, "test"))
    )
    home = tmp_path_factory.mktemp("mnist-like")
    run = diabolo.fit("vae", train, latent_dim=16, epochs=1, out=home, quiet=True, device="cpu", compile=False)
    return save_page(run, home / "page.html", images=(train, test))


def test_mnist_in_15_mb(opened, mnist_like):
    assert mnist_like.stat().st_size <= 15_000_000 == LARGEST
    assert "computed in this page" in opened(mnist_like).text("how")


@pytest.mark.slow  # not long, but only right on a machine that has no other work
def test_20_frames_a_second(opened, mnist_like):
    page = opened(mnist_like)
    rates = [page.js(FRAMES, 1.0)]
    while max(rates) < 20 and len(rates) < 20:  # the machine may have other work
        rates.append(page.js(FRAMES, 1.0))
    assert max(rates) >= 20, rates
