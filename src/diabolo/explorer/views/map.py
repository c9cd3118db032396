"""The map: codes of test images as points. Where the mouse is, the decoder shows what lies there."""

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
from bokeh.core.property.vectorization import value
from bokeh.events import MouseLeave, MouseMove, MouseWheel, Tap
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, LassoSelectTool, PanTool, ResetTool, Select, WheelZoomTool
from bokeh.plotting import figure

from diabolo.data.unit import to_float
from diabolo.explorer.desk import Desk
from diabolo.explorer.explored import RARE, Floats
from diabolo.explorer.pixels import RAMP
from diabolo.explorer.planes import Plane
from diabolo.explorer.state import PLANES, Place, State
from diabolo.explorer.views.card import Card
from diabolo.explorer.views.plate import Plate
from diabolo.explorer.views.widgets import beside, choice, say, select, when, words
from diabolo.figures.colours import PALETTE

MANY = 10_000  # points, beyond which they are drawn smaller and by the graphics card
MARK = "#A84300"  # of pins and of what is shown
REST = 250  # milliseconds without a move, after which the hand rests
PICTURED = 24  # images of a lasso that are shown
NAMES = {"pca": "principal components", "t-sne": "t-SNE", "umap": "UMAP", "images": "through three images"}
PINS, THREE = ("pin A", "pin B"), "three images"  # what a click may mean
HINT = (
    "How codes of many numbers become points: principal components keep large distances, t-SNE and UMAP keep neighbours, and "
    "three images span a plane of their own."
)


class Map:
    """The map, the images of a lasso, and what points are coloured by."""

    title = "Map"

    def __init__(
        self, desk: Desk, after: Callable[[int, Callable[[], None]], Any], cancel: Callable[[Any], None]
    ) -> None:
        self.desk, self.after, self.cancel = desk, after, cancel
        decodes = desk.first.codec.decodes
        moves = (
            "Move the mouse to decode the place under it, click to pin the nearest image, draw" if decodes else "Draw"
        )
        self.told = f"Each point is the code of a test image. {moves} around points to see their images."
        self.plane: Plane | None = None
        self._rest: Any = None
        self._under: Floats = np.zeros(0)
        self._three: list[int] = []
        self.points = ColumnDataSource({name: [] for name in ("x", "y", "index", "label", "colour")})
        self.marks = ColumnDataSource({name: [] for name in ("x", "y", "text")})
        self.plot = self._figure()
        width = desk.first.width  # codes of one or two numbers need no plane through anything
        planes = [
            p for p in PLANES if width > 2 or p == "pca" or (width == 2 and p != "images") or p == desk.state.plane
        ]
        own = {"pca": "the codes themselves"} if width < 3 and not desk.first.discrete else {}
        names = [(name, (NAMES | own)[name]) for name in planes]
        self.how: Select = select("plane", "Plane", names, desk.state.plane, HINT)
        self.colour: Select = select(
            "colour",
            "Colour",
            desk.first.colours,
            self._colour(desk.state),
            "What the colour of a point says about its image.",
        )
        self.meanings = [*(PINS if decodes else []), *([THREE] if width > 2 else [])]
        self.clicks = choice("clicks", self.meanings)
        self.about, self.legend = words("map-told"), words("legend")
        self.chosen = Plate(desk.first.codec.input_shape, "selection", side=44, widest=620)
        self.counted = words("selection-told", "Draw around points with the lasso to see their images.")
        when(self.how, "value", lambda new: desk.change(plane=self.how.value))
        when(self.colour, "value", lambda new: desk.change(colour=self.colour.value))
        controls = beside(self.how, self.colour, *([self.clicks] if self.clicks.labels else []))
        self.root = column(
            controls, self.plot, self.legend, self.about, self.counted, self.chosen.root, sizing_mode="stretch_width"
        )

    def _figure(self) -> Any:
        lasso = LassoSelectTool(continuous=False)
        wheel = WheelZoomTool()
        many = self.desk.first.test is not None and len(self.desk.first.test) > MANY
        plot = figure(
            name="map",
            height=460,
            sizing_mode="stretch_width",
            tools=[lasso, wheel, PanTool(), ResetTool()],
            active_drag=lasso,
            active_scroll=wheel,
            toolbar_location="right",
            background_fill_alpha=0,
            border_fill_alpha=0,
            outline_line_color=None,
            output_backend="webgl" if many else "canvas",
        )
        plot.grid.visible = False
        points = plot.scatter(
            "x",
            "y",
            source=self.points,
            size=3 if many else 6,
            fill_color="colour",
            line_color=None if many else "#8b9098",
            line_width=0.4,
            fill_alpha=0.75,
            nonselection_fill_alpha=0.12,
            name="points",
        )
        self.card = Card(plot, self.desk.first, self.desk.key)
        plot.x_range.renderers = plot.y_range.renderers = [points]  # a mark at the edge does not shift the map
        for colour, width in (("white", 6), (MARK, 2.5)):  # seen on points of any colour
            plot.scatter(
                "x",
                "y",
                source=self.marks,
                marker="cross",
                size=22,
                line_color=colour,
                line_width=width,
                level="overlay",
            )
        plot.text(
            "x",
            "y",
            text="text",
            source=self.marks,
            x_offset=8,
            y_offset=-8,
            text_color=MARK,
            text_font_style="bold",
            text_font=value("sans-serif"),
            text_font_size="13px",
            background_fill_color="white",
            background_fill_alpha=0.85,
            border_radius=4,
            padding=2,
            level="overlay",
        )
        plot.on_event(MouseWheel, lambda event: self.card.hide())  # its point is elsewhere now
        plot.on_event(MouseMove, self._moved)
        plot.on_event(MouseLeave, self._left)
        plot.on_event(Tap, lambda event: self._clicked(event.x, event.y))
        self.points.selected.on_change("indices", lambda attr, old, new: self._lassoed(new))
        return plot

    # --- what the hand does -------------------------------------------------------------------------------------------------

    def _moved(self, event: MouseMove) -> None:
        """Decode the place at once; when the hand rests, the rest of the page follows."""
        self._wait_no_more()
        self.card.hide()
        x, y = event.x, event.y
        if self.plane is None or x is None or y is None or not (np.isfinite(x) and np.isfinite(y)):
            return
        if self.desk.first.codec.decodes:
            self._under = self.plane.code_at((x, y))
            self.desk.glance(self._under)
        self._rest = self.after(REST, lambda: self._rests(event))

    def _rests(self, event: MouseMove) -> None:
        self._settle()
        self.card.at((event.x, event.y), (event.sx, event.sy), self.points.data)

    def _left(self, event: MouseLeave) -> None:
        self.card.hide()
        if self._rest is not None:
            self._settle()

    def _settle(self) -> None:
        """What the decoder shows is what the page shows."""
        self._wait_no_more()
        if self.desk.first.codec.decodes:
            self.desk.change(shown=Place(code=tuple(self._under.tolist())), t=-1.0, swaps=())

    def _wait_no_more(self) -> None:
        if self._rest is not None:
            self.cancel(self._rest)
            self._rest = None

    def _clicked(self, x: float, y: float) -> None:
        if self.plane is None or not len(self.plane.points):
            return
        self._wait_no_more()  # the click says what is shown now
        if not self.clicks.labels:
            return
        nearest, wanted = self._nearest(x, y), self.meanings[self.clicks.active]
        if wanted == THREE:
            self._three = [*self._three, nearest][-3:]
            say(
                self.about,
                f"plane through images {', '.join(map(str, self._three))}: click {3 - len(self._three)} more",
            )
            if len(set(self._three)) == 3:
                self.desk.change(through=tuple(self._three), plane="images")
                self._three = []
            return
        self.desk.put("ab"[PINS.index(wanted)], Place(image=nearest))
        self.desk.change(shown=Place(image=nearest), t=-1.0, swaps=())

    def _nearest(self, x: float, y: float) -> int:
        """The image whose point is nearest, as the axes are scaled."""
        assert self.plane is not None
        points = self.plane.points
        scale = np.maximum(np.ptp(points, 0), 1e-12)
        near = np.square((points - (x, y)) / scale).sum(1).argmin()
        return int(self.plane.chosen[near])

    def _lassoed(self, rows: list[int]) -> None:
        if self.plane is None or not rows:
            self.chosen.clear()
            say(self.counted, "Draw around points with the lasso to see their images.")
            return
        images = self.plane.chosen[np.asarray(rows, np.int64)]
        self.desk.later("lasso", lambda: self._inside(images), self._show_inside)

    def _inside(self, images: Any) -> tuple[Any, str]:
        run = self.desk.first
        assert run.test is not None
        few = images[np.linspace(0, len(images) - 1, min(PICTURED, len(images))).astype(int)]
        originals = to_float(run.test.images[few])
        rows = [originals]
        if run.codec.reconstructs:
            rows.append(np.stack([run.decoded(run.codes[i][None], -1, int(i))[0] for i in few]))
        values = ""
        if run.test.labels is not None:
            labels, names = run.values("class")
            inside = [(int((labels[images] == c).sum()), str(name)) for c, name in enumerate(names)]
            values = ", ".join(f"{name}: {n}" for n, name in sorted(inside, reverse=True) if n)
        error = f"; mean squared error {run.errors[images].mean():.4g}" if run.codec.reconstructs else ""
        shown = f", of which {len(few)} are shown" if len(few) < len(images) else ""
        return np.stack(rows), f"{len(images):,} images{shown}{error}\n{values}"

    def _show_inside(self, found: Any) -> None:
        if isinstance(found, str):
            say(self.counted, found)
            return
        sheet, told = found
        self.chosen.show(sheet)
        say(self.counted, told)

    # --- what is shown ------------------------------------------------------------------------------------------------------

    def follow(self, old: State | None, new: State) -> None:
        """Draw the points anew where the plane is another, their colours, and the marks."""
        if old is None or (old.plane, old.through) != (new.plane, new.through):
            if old is not None and self.how.value != new.plane:
                self.how.value = new.plane
            say(self.about, "the map is being worked out …")
        if old is None or (old.plane, old.through, old.colour) != (new.plane, new.through, new.colour):
            self.desk.later("map", lambda: self._points(new), self._show, slow=self._takes_a_while(new))
        self._mark()

    def _colour(self, state: State) -> str:
        """What points are coloured by: what was chosen, else the first there is; "" for nothing."""
        return state.colour or next(iter(self.desk.first.colours), "")

    def _takes_a_while(self, state: State) -> bool:
        return state.plane in ("t-sne", "umap") or self._colour(state) in ("error", RARE)

    def _points(self, state: State) -> tuple[Plane, dict[str, Any], str]:
        run = self.desk.first
        plane = run.plane(state.plane, state.through)
        colour = self._colour(state)
        data: dict[str, Any] = {
            "x": plane.points[:, 0].astype(np.float32),
            "y": plane.points[:, 1].astype(np.float32),
            "index": plane.chosen,
        }
        if not colour:
            n = len(plane.chosen)
            return plane, data | {"label": [""] * n, "colour": [PALETTE[0]] * n}, ""
        values, names = run.values(colour)
        values = values[plane.chosen]
        if names:
            shades = np.array([*(PALETTE[i % len(PALETTE)] for i in range(len(names))), "#9aa0a8"])
            known = np.array([*map(str, names), "not known"])
            data |= {"label": known[values].tolist(), "colour": shades[values].tolist()}
            legend = "\n".join(f"{shade}\t{name}" for shade, name in zip(shades[:-1], names, strict=True))
        else:
            low, high = np.quantile(values, (0.02, 0.98))
            share = ((values - low) / max(high - low, 1e-12)).clip(0, 1)
            data |= {
                "label": [f"{colour} {v:.4g}" for v in values],
                "colour": np.array(RAMP)[np.rint(share * (len(RAMP) - 1)).astype(int)].tolist(),
            }
            legend = f"{RAMP[0]}\t{low:.3g}\n{RAMP[-1]}\t{high:.3g}"
        return plane, data, legend

    def _show(self, found: Any) -> None:
        if isinstance(found, str):
            say(self.about, found)
            return
        plane, data, legend = found
        if plane is not self.plane:  # the same rows are other images now
            self.points.selected.indices = []
            self.card.hide()
        self.plane = plane
        self.points.data = data
        self.plot.xaxis.axis_label, self.plot.yaxis.axis_label = plane.axis_names
        self.plot.yaxis.visible = bool(plane.axis_names[1])  # without a name it means nothing
        back = plane.back if self.desk.first.codec.decodes else ""
        say(self.about, "; ".join(filter(None, (plane.told, back))))
        self._legend(legend)
        self._mark()

    def _legend(self, legend: str) -> None:
        chips = [line.split("\t", 1) for line in legend.splitlines()]
        self.legend.text = " ".join(
            f'<span style="white-space: nowrap"><span style="display: inline-block; width: 0.7em; height: 0.7em; '
            f'border-radius: 50%; border: 1px solid #8b9098; background: {colour}"></span> {escape(name)}</span>&ensp;'
            for colour, name in chips
        )

    def _mark(self) -> None:
        """Where the pins are, and what is shown."""
        if self.plane is None or not self.desk.first.codec.decodes:
            return
        plane, desk = self.plane, self.desk

        def found() -> dict[str, Any]:
            codes: dict[str, Floats | None] = {"A": desk.pin("a", desk.first), "B": desk.pin("b", desk.first)}
            codes["shown"] = desk.code(desk.first)
            there = {name: plane.place_of(code) for name, code in codes.items() if code is not None}
            return {
                "x": [float(place[0]) for place in there.values()],
                "y": [float(place[1]) for place in there.values()],
                "text": list(there),
            }

        desk.later("marks", found, lambda data: None if isinstance(data, str) else setattr(self.marks, "data", data))
