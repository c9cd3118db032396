"""The page in a real browser: every view answers the hand, in light and dark, and nothing is said on the console."""

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

import diabolo
from diabolo.explorer.explored import Explored
from diabolo.explorer.server import Serving

READY = "!!window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle"
SCOPE = """expression => {
  const find = name => Bokeh.documents[0].get_model_by_name(String(name).replaceAll('_', '-'))
  const has = (_, key) => typeof key === 'string' && !!find(key)
  const named = new Proxy({}, {has, get: (_, key) => has(_, key) ? find(key) : undefined})
  return new Function('named', 'find', `with (named) { return ${expression} }`)(named, find)
}"""
FOCUSED = """() => {
  let at = document.activeElement
  while (at && at.shadowRoot && at.shadowRoot.activeElement) at = at.shadowRoot.activeElement
  return at ? at.tagName : ''
}"""
BOX = """name => {
  const r = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name(name)).el.getBoundingClientRect()
  return [r.x + scrollX, r.y + scrollY, r.width, r.height]
}"""

FRAME = """name => {
  const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name(name))
  const {left, top, width, height} = view.frame.bbox
  return [left, top, width, height]
}"""


class Page:
    """An open page, and what it said on the console."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.said = page, list[str]()
        page.on("console", lambda one: self.said.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.goto(address)
        end = time.monotonic() + 180
        while not page.evaluate(READY):
            assert time.monotonic() < end, f"the page was never ready; {self.said}"
            time.sleep(0.1)
        self.until("map.renderers[0].data_source.length > 10" if self.has("map") else "document")

    def js(self, expression: str) -> Any:
        """What an expression gives; `map` and others are models by their name."""
        return self.page.evaluate(SCOPE, expression)

    def has(self, name: str) -> bool:
        return bool(self.page.evaluate("name => !!Bokeh.documents[0].get_model_by_name(name)", name))

    def until(self, condition: str, timeout: float = 180.0) -> None:
        end = time.monotonic() + timeout
        while not self.js(condition):
            assert time.monotonic() < end, f"never: {condition}; {self.said}"
            time.sleep(0.05)

    def at(self, name: str, x: float = 0.5, y: float = 0.5) -> tuple[float, float]:
        """A place within a figure, scrolled into view; shares of its width and height."""
        self.page.evaluate("y => scrollTo(0, y)", max(0, self.page.evaluate(BOX, name)[1] - 60))
        left, top, width, height = self.page.evaluate(BOX, name)
        return left + x * width, top + y * height - self.page.evaluate("scrollY")

    def drag(self, name: str, *places: tuple[float, float], until: str) -> None:
        """Draw through places of a figure, until that holds. 300 ms without a move after the button went down are a long press
        and draw nothing, which a machine under load makes of a drag: it is tried again then."""
        for left in (4, 3, 2, 1, 0):
            first, *others = [self.at(name, *place) for place in places]
            self.page.mouse.move(*first)
            self.page.mouse.down()
            for other in others:
                self.page.mouse.move(*other, steps=6)
            self.page.mouse.up()
            try:
                self.until(until, timeout=30 if left else 180)
                break
            except AssertionError:
                if not left:
                    raise

    def pixels(self, name: str) -> np.ndarray:
        """The RGBA sheet that a plate shows, its upper row first."""
        source = f"{name.replace('-', '_')}.renderers[0].data_source"
        self.until(f"{source}.length > 0")
        found, high = self.js(f"[Array.from({source}.get('image')[0]), {source}.get('h')[0]]")
        return np.asarray(found, np.uint32).astype("<u4").view(np.uint8).reshape(high, -1, 4)[::-1]


@pytest.fixture(scope="module")
def serving(explored: Explored) -> Iterator[Serving]:
    made = Serving([explored])
    yield made
    made.stop()


@pytest.fixture
def look_at(browser: Any) -> Iterator[Callable[..., Page]]:
    """look_at(serving or runs, words): a page in a window of its own; what it opened is closed after the test."""
    opened: list[Callable[[], None]] = []

    def make(*seen: Any, words: str = "", **how: Any) -> Page:
        if not isinstance(seen[0], Serving):
            seen = (Serving(seen),)
            opened.append(seen[0].stop)
        context = browser.new_context(**({"viewport": {"width": 1300, "height": 1000}} | how))
        opened.append(context.close)
        return Page(context.new_page(), seen[0].address + words)

    yield make
    for close in reversed(opened):
        close()


@pytest.fixture
def open_page(look_at: Callable[..., Page], serving: Serving) -> Callable[..., Page]:
    return functools.partial(look_at, serving)


def expected(explored: Explored, code: np.ndarray) -> np.ndarray:
    return np.rint(explored.decoded(np.asarray(code)[None])[0, 0] * 255)


def test_the_decoder_follows_the_mouse(open_page, explored):
    page = open_page()
    before = page.pixels("decoded")
    page.page.mouse.move(*page.at("map", 0.3, 0.4))
    page.page.mouse.move(*page.at("map", 0.32, 0.41))
    end = time.monotonic() + 180
    while np.array_equal(page.pixels("decoded"), before):
        assert time.monotonic() < end
        time.sleep(0.05)
    page.until("address.value.startsWith('shown=z')")  # the hand rests: all of the page follows
    code = [float(x) for x in page.js("address.value").split("&")[0].removeprefix("shown=z").split(",")]
    page.until("python.value.includes('torch.tensor')")
    assert np.abs(page.pixels("decoded")[..., 0].astype(float) - expected(explored, np.array(code))).max() <= 1
    assert not page.said


def test_a_card_is_shown_where_the_mouse_rests(open_page, explored):
    page = open_page()
    points = page.js("['x', 'y', 'index', 'label'].map(name => Array.from(map.renderers[0].data_source.get(name)))")
    x, y, index, label = (np.asarray(values) for values in points)
    far = np.hypot((x - x.mean()) / np.ptp(x), (y - y.mean()) / np.ptp(y)).argmax()  # nothing else is near
    limits = page.js("[map.x_range.start, map.x_range.end, map.y_range.start, map.y_range.end]")
    low, high, bottom, top = limits
    frame, (left, upper) = page.page.evaluate(FRAME, "map"), page.at("map", 0, 0)
    across = left + frame[0] + (x[far] - low) / (high - low) * frame[2]
    down = upper + frame[1] + (top - y[far]) / (top - bottom) * frame[3]
    asked: list[str] = []
    page.page.on("request", lambda one: asked.append(one.url))
    page.page.mouse.move(across + 2, down - 2)
    page.until("card.visible")
    assert f"image {index[far]}: {label[far]}<" in page.js("card.content.html")[0]
    end = time.monotonic() + 60
    while not any(f"image/{index[far]}.png" in url for url in asked):
        assert time.monotonic() < end, asked
        page.page.wait_for_timeout(50)
    page.page.mouse.move(left + frame[0] + 1, upper + frame[1] + 1)
    page.until("!card.visible")
    page.page.mouse.move(across + 2, down - 2)
    page.until("card.visible")
    page.page.mouse.wheel(0, -300)
    page.until("!card.visible")  # its point is elsewhere now
    assert not page.said


def test_a_click_pins_and_the_strip_shows_the_way(open_page):
    page = open_page()
    page.page.mouse.click(*page.at("map", 0.3, 0.4))
    page.until("pin_a_number.value !== null")
    page.js("clicks.active = 1")
    time.sleep(0.5)  # two clicks at once are a double click
    page.page.mouse.click(*page.at("map", 0.6, 0.5))
    page.until("pin_b_number.value !== null && strip.visible")
    page.until("strip.renderers[0].data_source.length > 0")
    assert page.pixels("strip").shape[:2] == (8, 9 * 9 - 1)
    page.js("t.value = 0.5")
    page.until("address.value.includes('t=0.5')")
    page.js("play.active = true")
    page.until("t.value > 0.55 || t.value < 0.5")
    page.js("play.active = false")
    assert not page.said


def test_a_slider_moves_its_unit_alone(open_page, explored):
    page = open_page()
    page.until("unit_strip_0.renderers[0].data_source.length > 0")
    page.js("unit_0.value = unit_0.end")
    page.until("address.value.startsWith('shown=z')")
    code = np.array([float(x) for x in page.js("address.value").split("&")[0].removeprefix("shown=z").split(",")])
    unit = int(explored.units.order[0])
    assert code[unit] == pytest.approx(explored.reach[1][unit], rel=1e-3)
    assert np.allclose(np.delete(code, unit), np.delete(explored.middle, unit), atol=1e-3)
    page.page.get_by_role("button", name="reset to the mean").click()
    page.until("address.value === ''")
    assert not page.said


def test_a_lasso_shows_the_images_inside(open_page):
    page = open_page()
    page.until("unit_strip_0.renderers[0].data_source.length > 0")  # the page has settled
    page.drag("map", (0.3, 0.3), (0.6, 0.3), (0.6, 0.7), (0.3, 0.7), (0.3, 0.3), until="selection.visible")
    page.until("selection_told.text.includes('mean squared error')")
    n = page.js("map.renderers[0].data_source.selected.indices.length")
    assert f"{n:,} images" in page.js("selection_told.text")
    assert page.pixels("selection").shape[0] == 17  # originals over reconstructions
    assert not page.said


def test_an_attribute_is_added(open_page):
    page = open_page()
    page.js("attribute.value = '3'")
    page.js("strength.value = 2")
    page.until("attribute_told.text.includes('a linear probe reads 3')")
    page.until("attribute_strip.visible")
    page.js("apart.active = true")
    page.until("address.value.includes('apart=1')")
    assert not page.said


def test_a_digit_drawn_with_the_mouse_is_pinned(open_page):
    page = open_page()
    page.drag("drawing", (0.5, 0.2), (0.5, 0.8), until="drawing.renderers[0].data_source.get('xs').length > 0")
    page.page.get_by_role("button", name="pin it").click()
    page.until("address.value.includes('a=z')")
    page.until("pin_a.visible")
    assert page.pixels("pin-a")[:, 3:5, 0].max() == 255
    assert not page.said


def test_a_picture_from_a_file_is_pinned_and_no_picture_is_refused(open_page, tmp_path):
    page = open_page()
    Image.new("RGB", (30, 30), (200, 200, 200)).save(tmp_path / "mine.png")
    (tmp_path / "evil.png").write_bytes(b"no picture")
    inputs = page.page.locator("input[type=file]")
    inputs.nth(1).set_input_files(tmp_path / "evil.png")
    page.until("pins_told.text.includes('the picture')")
    inputs.nth(0).set_input_files(tmp_path / "mine.png")
    page.until("address.value.includes('a=z')")
    page.until("pin_a.visible")
    assert (page.pixels("pin-a")[..., 0] == 200).all()
    with open(tmp_path / "huge.png", "wb") as huge:
        huge.truncate(80 * 2**20)  # more than the connection carries
    inputs.nth(1).set_input_files(tmp_path / "huge.png")
    page.until("pins_told.text === 'a picture has at most 4 MiB, and this file 80.0'")
    inputs.nth(1).set_input_files(tmp_path / "mine.png")
    page.until("address.value.includes('b=z')")
    assert not page.said


def test_a_link_brings_the_state_back(open_page, explored):
    page = open_page(words="&a=1&b=2&way=spherical&t=0.5&attribute=0&strength=1.5&colour=error")
    page.until("strip.visible && attribute_strip.visible")
    assert page.js("way.value") == "spherical"
    assert page.js("strength.value") == 1.5
    assert page.js("colour.value") == "error"
    assert page.js("t.value") == 0.5
    page.until("address.value.includes('a=1&b=2')")
    assert "token" not in page.page.url
    assert not page.said


def test_planes_and_colours(open_page):
    page = open_page()
    page.until("map.below[0].axis_label_text_color === '#1d2126'")  # light
    page.js("colour.value = 'error'")
    page.until("map.renderers[0].data_source.get('label')[0].startsWith('error')")
    page.js("plane.value = 't-sne'")
    page.until("map_told.text.includes('t-SNE')")
    assert "3 nearest codes" in page.js("map_told.text")
    page.js("clicks.active = 2")
    for place in ((0.3, 0.3), (0.6, 0.4), (0.45, 0.7)):
        page.page.mouse.click(*page.at("map", *place))
        time.sleep(0.5)  # two clicks at once are a double click
    page.until("plane.value === 'images'")
    page.until("map_told.text.includes('the plane through the codes')")
    assert not page.said


def test_a_server_that_stops_is_said(look_at, explored):
    stopping = Serving([explored])
    page = look_at(stopping)
    told = page.page.locator("#lost")
    assert told.is_hidden()
    stopping.stop()
    told.wait_for(state="visible", timeout=60_000)
    assert "The server has stopped" in told.inner_text()


def test_in_the_dark_on_a_phone_and_by_keyboard(open_page):
    page = open_page(color_scheme="dark", viewport={"width": 390, "height": 800})
    page.until("map.below[0].axis_label_text_color === '#e8eaed'")
    assert page.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 20, 23)"
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 392  # nothing reaches beyond the side
    assert not page.said
    page.page.keyboard.press("Tab")
    reached = set()
    for _ in range(60):
        reached.add(page.page.evaluate(FOCUSED))
        page.page.keyboard.press("Tab")
    assert {"SUMMARY", "SELECT", "BUTTON", "INPUT"} <= reached


@pytest.mark.slow
def test_ten_tabs_and_one_that_dies(browser, serving):
    context = browser.new_context()
    try:
        pages = [Page(context.new_page(), serving.address) for _ in range(10)]
        pages[4].page.close()
        pages[7].page.mouse.click(*pages[7].at("map", 0.4, 0.4))
        pages[7].until("pin_a_number.value !== null")
        assert len(serving.desks) >= 9
        assert not [said for page in pages for said in page.said]
    finally:
        context.close()


@pytest.mark.slow
def test_a_thousand_moves(open_page, explored):
    page = open_page()
    left, top = page.at("map", 0.2, 0.2)
    for i in range(1000):
        page.page.mouse.move(left + i % 300, top + i % 200)

    def shows_where_it_is() -> bool:
        place = page.js("address.value")
        code = np.array([float(x) for x in place.removeprefix("shown=z").split(",")]) if place else explored.middle
        return bool(np.abs(page.pixels("decoded")[..., 0].astype(float) - expected(explored, code)).max() <= 1)

    end = time.monotonic() + 240
    while not (page.js("address.value") and shows_where_it_is()):  # the last one wins, and the page is at hand again
        assert time.monotonic() < end
        time.sleep(0.3)
    page.js("strength.value = 1")
    page.until("address.value.includes('strength=1')")
    assert not page.said


def test_codes_of_a_quantiser_are_replaced_by_clicking(look_at, digits_of):
    run = digits_of("vqvae", codes=16, width=8, residual_width=4, latent_dim=4)
    train, test = diabolo.data.load("digits")
    page = look_at(Explored("vqvae", run.model, train, test, run.path), words="&shown=2")
    page.until("codes.renderers[0].data_source.length > 0 && codebook.renderers[0].data_source.length > 0")
    page.page.mouse.click(*page.at("codes", 0.75, 0.25))
    page.until("codebook_told.text.includes('row 1, column 2')")
    page.page.mouse.click(*page.at("codebook", 0.1, 0.1))
    page.until("address.value.includes('swaps=1:0')")
    page.until("codebook_told.text.includes('code 0; 1 of 4 replaced')")
    assert not page.has("attribute")
    assert not page.said


def test_the_class_of_a_conditional_model_is_asked_for(look_at, digits_of):
    run = digits_of("cvae")
    train, test = diabolo.data.load("digits")
    explored = Explored("cvae", run.model, train, test, run.path)
    page = look_at(explored, words="&shown=2")
    page.js("find('class').value = '7'")
    page.until("address.value.includes('label=7')")
    end, wanted = time.monotonic() + 30, np.rint(explored.decoded(explored.codes[2:3], 7)[0, 0] * 255)
    while np.abs(page.pixels("decoded")[..., -8:, 0].astype(float) - wanted).max() > 1:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert not page.said


def test_two_runs_side_by_side(look_at, explored, digits_of):
    train, test = diabolo.data.load("digits")
    pca = Explored("pca", digits_of("pca").model, train, test)
    page = look_at(explored, pca, words="&shown=2")
    page.until("decoded_told.text.includes('pca')")
    assert page.pixels("decoded").shape[:2] == (8, 4 * 9 - 1)  # original, both, their difference
    assert not page.said


def test_within_a_page_of_another_site(browser, serving, tmp_path):
    """As in a notebook: the browser keeps no cookie there."""
    outer = tmp_path / "outer.html"
    outer.write_text(f'<iframe src="{serving.address}" width="1200" height="900"></iframe>')
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
    page.goto(outer.as_uri())
    frame = page.frames[1]
    frame.wait_for_function(READY, timeout=180_000)
    shown = "Bokeh.documents[0].get_model_by_name('decoded').renderers[0].data_source.length > 0"
    frame.wait_for_function(shown, timeout=180_000)
    assert context.cookies() == []
    key = next(iter(serving.door.pages))
    assert frame.evaluate("async key => (await fetch(`image/3.png?page=${key}`)).status", key) == 200
    context.close()
    assert not said


def test_a_model_of_vectors(look_at, tmp_path):
    vectors = diabolo.data.as_images(np.random.default_rng(0).random((60, 12)), name="rows")
    run = diabolo.fit("undercomplete", vectors, latent_dim=2, hidden=(8,), epochs=1, out=tmp_path, quiet=True)
    page = look_at(Explored("rows", run.model, vectors, vectors))
    page.until("decoded.visible")
    x, y = page.js("[0, 0].map((_, i) => map.renderers[0].data_source.get(i ? 'y' : 'x')[3])")
    place = f"map.x_range.start, map.x_range.end, map.y_range.start, map.y_range.end, {x}, {y}"
    low, high, bottom, top, x, y = page.js(f"[{place}]")
    frame = page.page.evaluate(FRAME, "map")
    left, upper = page.at("map", 0, 0)
    across, down = frame[0] + (x - low) / (high - low) * frame[2], frame[1] + (top - y) / (top - bottom) * frame[3]
    page.page.mouse.move(left + across, upper + down)
    page.until("address.value.startsWith('shown=z')")
    page.until("card.visible")
    assert page.js("card.content.html")[0].startswith("<div>row 3: error")  # there is no picture to be asked for
    code = [float(number) for number in page.js("address.value").removeprefix("shown=z").split(",")]
    assert np.allclose(code, [x, y], atol=0.02 * (high - low))
    page.until("likeness_told.text.includes('nearest training row')")
    assert not page.said


def test_a_classifier_has_a_map_and_no_decoder(look_at, digits_of):
    run = digits_of("classifier")
    train, test = diabolo.data.load("digits")
    page = look_at(Explored("classifier", run.model, train, test, run.path))
    assert not page.has("decoded")
    page.page.mouse.move(*page.at("map", 0.4, 0.4))
    page.page.mouse.click(*page.at("map", 0.4, 0.4))
    page.until("map_told.text.includes('components')")
    assert not page.js("map_told.text").count("decoded")
    assert page.js("clicks.labels") == ["three images"]
    assert "Move the mouse" not in page.page.content()
    assert not page.said
