"""What stands on the page of each kind of run, and what it says; without a browser, in which test_page.py looks at it."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bokeh.document import Document
from bokeh.events import ButtonClick, MouseLeave, MouseMove
from bokeh.models import Div, Range1d, Tooltip

import diabolo
from diabolo.explorer.desk import Desk
from diabolo.explorer.explored import Explored
from diabolo.explorer.page import fill
from diabolo.explorer.state import Place


class Built:
    """A page whose pictures are worked out at once."""

    def __init__(self, explored: Explored, lane: Any, **query: str) -> None:
        self.doc = Document()
        desk = fill(self.doc, [explored], query, lane, lane)
        assert desk is not None
        self.desk: Desk = desk
        self.desk.post = lambda call: call()
        self.desk.begin()

    def has(self, name: str) -> bool:
        return self.doc.get_model_by_name(name) is not None

    def __getitem__(self, name: str) -> Any:
        found = self.doc.get_model_by_name(name)
        assert found is not None, name
        return found


@pytest.fixture
def built(now: Any) -> Callable[..., Built]:
    return lambda explored, **query: Built(explored, now, **query)


def of(run: Any) -> Explored:
    train, test = diabolo.data.load("digits")
    return Explored(run.path.name, run.model, train, test, run.path)


def test_what_is_shown_is_said(built, explored):
    page = built(explored)
    assert page["decoded-told"].text == "the mean code of the test images"
    page.desk.change(shown=Place(image=3))
    assert page["decoded-told"].text.startswith("test image 3<br>from left to right: original, ")
    page.desk.put("a", Place(image=1))
    page.desk.put("b", Place(image=2))
    page.desk.change(t=0.25, attribute="3", strength=1.5)
    assert page["decoded-told"].text == "25 % of the way from A to B +1.5 × the direction of 3"
    assert page["from-prior"].label == "draw from the prior"
    assert "a code of 6 numbers" in page.doc.template_variables["about"]
    assert not page["units-told"].visible


def test_the_card_waits_for_the_mouse_to_rest_on_a_point(built, explored):
    page = built(explored)
    view = next(view for view in page.desk._followers if hasattr(view, "card"))
    timers: list[Callable[[], None]] = []

    def after(milliseconds: int, call: Callable[[], None]) -> Callable[[], None]:
        timers.append(call)
        return call

    view.after, view.cancel = after, timers.remove
    plot, points = page["map"], page["map"].renderers[0].data_source.data
    far = int(np.hypot(points["x"] - points["x"].mean(), points["y"] - points["y"].mean()).argmax())
    x, y = float(points["x"][far]), float(points["y"][far])

    def rest(across: float, up: float) -> None:
        """Pixels from the point."""
        view._moved(MouseMove(plot, 70, 80, x + across * 1e-4, y + up * 1e-4))
        assert len(timers) == 1
        timers[0]()

    view._moved(MouseMove(plot, 70, 80, x, y))
    timers[0]()
    assert not page["card"].visible  # the page was not drawn yet
    plot.set_from_json("inner_width", 400)
    plot.set_from_json("inner_height", 200)
    plot.x_range, plot.y_range = Range1d(x - 0.02, x + 0.02), Range1d(y - 0.01, y + 0.01)
    for k in range(5):
        view._moved(MouseMove(plot, 70 + k, 80, x, y))
    assert len(timers) == 1  # of the last move alone
    assert not page["card"].visible
    timers[0]()
    assert page["card"].visible
    assert page["card"].position == (74, 80)
    told = f"image {points['index'][far]}: {points['label'][far]}"
    assert page["card"].content.html[0].endswith(f">{told}</div>")
    assert f'src="image/{points["index"][far]}.png?page=' in page["card"].content.html[0]
    for reach, there in ((7.5, True), (8.5, False)):
        for across, up in ((reach, 0), (0, -reach), (-reach / 2**0.5, reach / 2**0.5)):
            rest(across, up)
            assert page["card"].visible is there, (across, up)
    rest(0, 0)
    view._left(MouseLeave(plot, 70, 80))
    assert not page["card"].visible


def test_what_is_shown_does_not_shift_the_map(built, explored):
    page = built(explored)
    plot = page["map"]
    points, *marks = plot.renderers
    assert plot.x_range.renderers == plot.y_range.renderers == [points]
    page.desk.change(shown=Place(code=(100.0,) * 6))
    assert all(list(one.data_source.data["text"]) == ["shown"] for one in marks)


def test_there_is_nothing_to_play_without_pins(built, explored):
    page = built(explored)
    page["play"].active = True
    assert not page["play"].active
    assert "Pin both A and B first" in page["pins-told"].text
    page.desk.put("a", Place(image=1))
    page["play"].active = True
    assert not page["play"].active
    page.desk.put("b", Place(image=2))
    page["play"].active = True
    assert page["play"].active


def test_another_plane_forgets_what_the_lasso_held(built, explored):
    page = built(explored)
    points = page["map"].renderers[0].data_source
    points.selected.indices = [0, 1, 2]
    assert "3 images" in page["selection-told"].text
    page.desk.change(colour="error")
    assert points.selected.indices == [0, 1, 2]
    page.desk.change(plane="images", through=(0, 1, 2))
    assert points.selected.indices == []
    assert "Draw around points" in page["selection-told"].text


def test_a_slider_moves_one_number_of_a_code_to_which_a_direction_is_added(built, explored):
    page = built(explored, shown="3", attribute="0", strength="1.5")
    before = page.desk.code(explored)
    unit, (low, high) = int(explored.units.order[0]), explored.reach
    for value in (low[unit], high[unit], float(explored.middle[unit])):
        page["unit-0"].value = value
        wanted = before.copy()
        wanted[unit] = value
        assert np.allclose(page.desk.code(explored), wanted, atol=1e-6)


def test_draws_follow_the_seed(built, vae):
    train, test = diabolo.data.load("digits")

    def drawn(seed: int, name: str) -> list[Any]:
        page = built(Explored("vae", vae.model, train, test, seed=seed))
        found = []
        for _ in range(2):
            page[name]._trigger_event(ButtonClick(page[name]))
            found.append(page.desk.state.shown.code)
        return found

    for name in ("from-prior", "from-density"):
        first, second = drawn(0, name)
        assert first != second
        assert drawn(0, name) == [first, second]
        assert not {first, second} & set(drawn(1, name))


def test_the_strip_of_an_attribute_follows_the_class(built, digits_of):
    page = built(of(digits_of("cvae")), shown="3", attribute="3", strength="1")
    sheet = page["attribute-strip"].renderers[0].data_source
    before = sheet.data["image"][0].copy()
    page["class"].value = "7"
    assert page.desk.state.label == 7
    assert not np.array_equal(sheet.data["image"][0], before)


def test_a_model_that_completes_images_is_asked_of_which(built, digits_of):
    page = built(of(digits_of("completion")), shown="3")
    sheet = page["decoded"].renderers[0].data_source
    before = sheet.data["image"][0].copy()
    page["class"].value = 8
    assert page.desk.state.label == 8
    assert not np.array_equal(sheet.data["image"][0], before)
    page["class"].value = None
    assert page.desk.state.label == -1
    assert np.array_equal(sheet.data["image"][0], before)


def test_a_model_without_a_code_has_nothing_to_move_it_by(built, digits_of):
    page = built(of(digits_of("completion_plain", latent_dim=None)), label="2")
    for name in ("map", "units-reset", "way", "attribute", "from-prior", "from-mean"):
        assert not page.has(name), name
    assert page["decoded"].visible
    assert "it has no code" in page["decoded-told"].text


def test_what_cannot_be_used_is_not_shown(built, vae, digits_of):
    page = built(Explored("vae", vae.model))  # without images
    for name in ("map", "from-density", "from-mean", "pin-a-number", "attribute"):
        assert not page.has(name), name
    assert page["unit-0"].title == "z1"
    assert page["units-reset"].label == "reset to 0"
    assert "name them by --data" in page.doc.template_variables["about"]
    page = built(of(digits_of("vqvae", codes=16, width=8, residual_width=4, latent_dim=4)))
    for name in ("way", "t", "play", "from-mean"):
        assert not page.has(name), name
    assert "nothing lies between two" in page["pins-told"].text
    assert "a map of 2×2 codes, each one of 16" in page.doc.template_variables["about"]


def test_examples_that_are_no_pictures(built, tmp_path):
    rows = diabolo.data.as_images(np.random.default_rng(0).random((60, 12)), name="rows")
    options = {"hidden": (8,), "epochs": 1, "out": tmp_path, "quiet": True, "compile": False}
    for width, planes in ((2, ["pca", "t-sne", "umap"]), (1, ["pca"])):
        run = diabolo.fit("undercomplete", rows, latent_dim=width, **options)
        page = built(Explored("rows", run.model, rows, rows))
        assert not page.has("pin-a-file")
        assert not page.has("save-png")
        assert [name for name, _ in page["plane"].options] == planes
        assert page["plane"].options[0][1] == "the codes themselves"
        assert page["clicks"].labels == ["pin A", "pin B"]
        assert page["map"].yaxis.visible is (width == 2)
        assert "neither attributes nor classes" in page["attribute-told"].text
        assert page["from-prior"].label == "draw from N(0, I)"
        page.desk.change(shown=Place(image=3))
        assert page["decoded-told"].text.startswith("test row 3<br>")
        assert page["pin-a-number"].title == "A: test row"
        texts = [div.text for div in page.doc.select({"type": Div})]
        texts += [str(tip.content) for tip in page.doc.select({"type": Tooltip})]
        texts += [f"{part.title} {part.told}" for side in page.doc.template_variables["columns"] for part in side]
        assert sum(len(text) for text in texts) > 1000
        assert not [text for text in texts if re.search(r"\b(images?|pixels?)\b", text)]
        assert "60 test rows of rows" in page.doc.template_variables["about"]


def test_curves_have_names_of_what_there_is(built, vae):
    train, test = diabolo.data.load("digits")
    page = built(Explored("vae", vae.model, train, test, vae.path))
    view = next(view for view in page.desk._followers if hasattr(view, "following"))
    view._show(view.following.progress())
    assert [item.label.value for item in page["training"].legend[0].items if item.visible] == ["train"]
    assert page["training"].xaxis[0].ticker.min_interval == 1


def test_strokes_of_nonsense_are_refused_in_a_sentence(built, explored):
    page = built(explored)
    view = next(view for view in page.desk._followers if hasattr(view, "strokes"))
    nonsense = ({"xs": 5, "ys": [[0.1]]}, {"xs": [[0.1]]}, {"xs": [5], "ys": [5]}, {"xs": ["ab"], "ys": ["cd"]})
    for data in nonsense:
        view.about.text = ""
        view.strokes = type("Source", (), {"data": data})()
        view._draw()
        assert "list" in page["pins-told"].text
