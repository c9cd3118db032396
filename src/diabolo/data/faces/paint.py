"""From factors to pixels: layer over layer, each a colour and a coverage."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from diabolo.data.faces import shapes
from diabolo.data.faces.factors import FACTOR_NAMES, check_factors
from diabolo.data.faces.shapes import Array, Number, arc, box, cover, ellipse, ellipse_distance, lens, unit
from diabolo.data.threads import cores

SIDE = 64
BATCH = 32  # faces painted together; their planes stay in the processor's cache

Rows = slice
EVERYWHERE = slice(0, SIDE)


def draw_faces(factors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Faces uint8 `(N, 3, 64, 64)` from factors `(N, F)`, see `FACTORS`; each depends on its own row alone.

    DiaboloError if a factor is missing or out of its bounds.

    Example:
        >>> faces = diabolo.data.draw_faces(diabolo.data.face_factors(3))
        >>> faces.shape, faces.dtype
        ((3, 3, 64, 64), dtype('uint8'))
    """
    table = check_factors(factors)
    out = np.empty((len(table), 3, SIDE, SIDE), np.uint8)

    def some(start: int) -> None:
        out[start : start + BATCH] = Painter(table[start : start + BATCH]).paint()

    with ThreadPoolExecutor(cores(), thread_name_prefix="diabolo-faces") as pool:
        list(pool.map(some, range(0, len(table), BATCH)))
    return out


class Painter:
    """Paints one batch. Lengths are in pixels; u, v are measured from the middle of the head, leaning with it."""

    def __init__(self, table: Array) -> None:
        self.f = {name: np.ascontiguousarray(table[:, i])[:, None, None] for i, name in enumerate(FACTOR_NAMES)}
        f = self.f
        n = len(table)
        self.canvas = np.empty((n, 3, SIDE, SIDE), np.float32)
        grid = np.arange(SIDE, dtype=np.float32) + np.float32(0.5)
        self.x = np.broadcast_to(grid[None, None, :] - np.float32(32), (n, SIDE, SIDE))
        self.y = np.broadcast_to(grid[None, :, None] - np.float32(33), (n, SIDE, SIDE))

        # the head leans about the neck, by up to 0.16 rad; tangent and root instead of sine and cosine
        tangent = f["tilt"] * np.float32(0.16)
        cosine = np.float32(1) / np.sqrt(np.float32(1) + tangent * tangent)
        sine = tangent * cosine
        below = self.y - np.float32(20)
        self.u = cosine * self.x + sine * below
        self.v = cosine * below - sine * self.x + np.float32(20)

        self.half = np.float32(14.5) + np.float32(3.5) * f["width"]
        self.shift = np.float32(4.5) * f["turn"]  # of the features across the face
        flat = {name: value[:, 0, 0] for name, value in f.items()}
        self.skin = shapes.ramp(shapes.SKIN, flat["skin"])
        self.shade = shapes.mix(self.skin, (0.35, 0.12, 0.12), 0.28)
        self.hair = shapes.hair(flat["hair_colour"])
        self.hair_dark = shapes.mix(self.hair, (0.0, 0.0, 0.0), 0.25)
        self.backdrop = shapes.hue(flat["background"], 0.36, 0.86)
        self.cloth = shapes.hue(flat["clothes"], 0.62, 0.78)

    def paint(self) -> NDArray[np.uint8]:
        """uint8 `(B, 3, 64, 64)`."""
        for layer in (self._background, self._hair_behind, self._body, self._head, self._eyes, self._nose, self._mouth):
            layer()
        for layer in (self._hair_in_front, self._brows, self._glasses, self._hat, self._light):
            layer()
        np.multiply(self.canvas, np.float32(255), out=self.canvas)
        np.add(self.canvas, np.float32(0.5), out=self.canvas)
        np.clip(self.canvas, np.float32(0), np.float32(255), out=self.canvas)
        return self.canvas.astype(np.uint8)

    def _lay(self, colour: Array | tuple[float, float, float], coverage: Array, rows: Rows = EVERYWHERE) -> None:
        """Paint a colour where `coverage`, `(B, rows, 64)`, says."""
        colour = np.broadcast_to(np.asarray(colour, np.float32), (len(self.canvas), 3))
        for channel in range(3):
            plane = self.canvas[:, channel, rows]
            step = colour[:, channel, None, None] - plane
            step *= coverage
            plane += step

    def _at(self, u: Number, v: Number, rows: Rows = EVERYWHERE) -> tuple[Array, Array]:
        """Head coordinates measured from (u, v)."""
        return np.subtract(self.u[:, rows], u, dtype=np.float32), np.subtract(self.v[:, rows], v, dtype=np.float32)

    def _background(self) -> None:
        fade = np.float32(1.04) - self.y[:1, :, :1] * np.float32(0.004)
        self.canvas[:] = self.backdrop[:, :, None, None] * fade[:, None]

    def _hair_behind(self) -> None:
        """A cap a little larger than the head, and what hangs down beside and behind it."""
        length = self.f["hair_length"]
        u, v = self._at(0.0, -3.0)
        cap = ellipse(u, v, self.half + np.float32(3.2), 20.5)
        reach = np.float32(2) + np.float32(13) * length  # half the height of what hangs
        u, v = self._at(0.0, reach - np.float32(4))
        spread = self.half + np.float32(3) + np.float32(1.5) * length
        hanging = box(u, v, spread, reach, 2.0)
        self._lay(self.hair_dark, np.maximum(cap, hanging))

    def _body(self) -> None:
        rows = slice(44, SIDE)
        u, v = self._at(0.0, 20.0, rows)
        self._lay(self.shade, box(u, v, 6.0, 10.0, 3.0), rows)
        x, y = self.x[:, rows], self.y[:, rows]
        self._lay(self.cloth, ellipse(x, y - np.float32(38), 26.0, 14.5), rows)
        self._lay(self.shade, ellipse(x, y - np.float32(22.5), 7.0, 5.0), slice(44, SIDE))

    def _head(self) -> None:
        rows = slice(22, 50)
        for side in (-1.0, 1.0):
            # the ear on the side the head turns to goes out of sight
            out = self.half * np.float32(side) - self.shift * np.float32(0.45)
            u, v = self._at(out, 3.0, rows)
            self._lay(self.shade, ellipse(u, v, 3.0, 4.6), rows)
        u, v = self._at(0.0, 1.0)
        # the chin is narrower than the brow
        taper = np.float32(1) + np.maximum(v, np.float32(0)) * np.float32(0.011)
        self._lay(self.skin, ellipse(u * taper, v, self.half, 20.0))
        rows = slice(34, 50)
        for side in (-1.0, 1.0):
            u, v = self._at(self.shift + np.float32(side) * self.half * np.float32(0.55), 8.0, rows)
            blush = ellipse(u, v, 3.8, 3.0) * np.float32(0.30)
            self._lay(shapes.mix(self.skin, (0.95, 0.35, 0.35), 0.55), blush, rows)

    def _eyes(self) -> None:
        rows = slice(23, 43)
        tall = np.float32(1.3) + np.float32(2.5) * self.f["eyes_open"]
        for side in (-1.0, 1.0):
            u, v = self._at(self._eye(side), 0.0, rows)
            white = ellipse(u, v, 3.7, tall)
            self._lay(self.shade, ellipse(u, v + np.float32(0.4), 4.3, tall + np.float32(0.6)), rows)
            self._lay((0.98, 0.98, 0.97), white, rows)
            gaze = u - self.f["turn"]
            iris = np.minimum(ellipse(gaze, v, 2.1, 2.3), white)
            self._lay((0.22, 0.15, 0.12), iris, rows)
            glint = np.minimum(ellipse(gaze - np.float32(0.8), v + np.float32(0.8), 0.8, 0.8), white)
            self._lay((1.0, 1.0, 1.0), glint, rows)

    def _eye(self, side: float) -> Array:
        """Across: the eyes stand closer on the side the head turns to."""
        apart = np.float32(7) - np.float32(0.9 * side) * self.f["turn"]
        return self.shift + np.float32(side) * apart

    def _brows(self) -> None:
        rows = slice(16, 38)
        up = np.float32(-6.2) - np.float32(1.7) * self.f["brows"]
        for side in (-1.0, 1.0):
            u, v = self._at(self._eye(side), up, rows)
            slant = np.float32(0.10 * side) * u * self.f["brows"]
            self._lay(self.hair_dark, arc(u, v - slant, 3.9, -1.3, 1.7), rows)

    def _nose(self) -> None:
        rows = slice(30, 47)
        u, v = self._at(self.shift * np.float32(1.45), 6.2, rows)
        self._lay(self.shade, ellipse(u, v, 2.3, 1.6), rows)
        u, v = self._at(self.shift * np.float32(1.40), 5.0, rows)
        self._lay(self.skin, ellipse(u, v, 1.9, 1.9), rows)

    def _mouth(self) -> None:
        rows = slice(37, 57)
        smile, gape = self.f["smile"], self.f["mouth_open"]
        bend = np.float32(3.4) * smile
        half = np.float32(5.6) + np.float32(1.2) * np.maximum(smile, np.float32(0))
        u, v = self._at(self.shift * np.float32(1.1), np.float32(12.0) - gape + np.float32(0.5) * bend, rows)
        p = u / half
        v += bend * p * p  # from here on the line of the mouth is straight, at v = 0
        drop = np.float32(6.0) * gape
        inside = lens(u, v, half, 0.0, drop)
        lips = shapes.mix(self.skin, (0.62, 0.18, 0.20), 0.55)
        made_up = np.array((0.82, 0.08, 0.20), np.float32)
        lips = lips + self.f["lipstick"][:, 0] * (made_up - lips)
        stroke = np.float32(1.3) + np.float32(0.7) * self.f["lipstick"]
        rim = np.maximum(arc(u, v, half, 0.0, stroke), arc(u, v - drop, half, drop, stroke))
        self._lay((0.30, 0.06, 0.09), inside, rows)
        teeth = np.minimum(inside, unit(np.float32(2.4) - v))
        self._lay((0.97, 0.96, 0.93), teeth, rows)
        self._lay(lips, rim, rows)

    def _hair_in_front(self) -> None:
        """What of the cap lies above the hairline: an arch that the fringe brings down."""
        u, v = self._at(0.0, -3.0, slice(0, 45))
        cap = ellipse(u, v, self.half + np.float32(2.6), 19.8)
        line = np.float32(-11.0) + np.float32(8.5) * self.f["fringe"]
        across = (u - self.shift) / self.half
        edge = v - line - np.float32(7.5) * across * across
        self._lay(self.hair, np.minimum(cap, cover(edge)), slice(0, 45))
        u, v = self._at(self.f["light"] * np.float32(6), -17.5, slice(8, 30))
        shine = np.minimum(arc(u, v, 5.5, -1.6, 2.2), cap[:, 8:30]) * np.float32(0.30)
        self._lay(shapes.mix(self.hair, (1.0, 1.0, 1.0), 0.55), shine, slice(8, 30))

    def _glasses(self) -> None:
        rows = slice(21, 45)
        worn = self.f["glasses"]
        frame: Array = np.zeros_like(self.u[:, rows])
        for side in (-1.0, 1.0):
            u, v = self._at(self._eye(side), 0.5, rows)
            distance = ellipse_distance(u, v, 5.9, 5.3)
            lens_area = cover(distance)
            self._lay((0.85, 0.93, 1.0), lens_area * worn * np.float32(0.22), rows)
            frame = np.maximum(frame, cover(np.abs(distance) - np.float32(0.8)))
            # the temple, from the rim to the ear
            edge = self._eye(side) + np.float32(5.9 * side)
            ear = np.float32(side) * self.half
            u, v = self._at((edge + ear) * np.float32(0.5), 0.0, rows)
            span = np.maximum((ear - edge) * np.float32(side), np.float32(0)) * np.float32(0.5)
            frame = np.maximum(frame, cover(np.maximum(np.abs(v), np.abs(u) - span) - np.float32(0.7)))
        u, v = self._at(self.shift, 0.0, rows)
        frame = np.maximum(frame, arc(u, v, 1.6, -0.6, 1.6))
        self._lay((0.12, 0.11, 0.14), frame * worn, rows)

    def _hat(self) -> None:
        rows = slice(0, 40)
        worn = self.f["hat"]
        wool = shapes.mix(self.cloth, (1.0, 1.0, 1.0), 0.12)
        u, v = self._at(0.0, -8.0, rows)
        crown = np.minimum(ellipse(u, v, self.half + np.float32(4.4), 19.0), cover(v))
        self._lay(wool, crown * worn, rows)
        brim = box(u, v + np.float32(1.5), self.half + np.float32(5), 3.2, 2.6)
        self._lay(shapes.mix(self.cloth, (0.0, 0.0, 0.0), 0.22), brim * worn, rows)

    def _light(self) -> None:
        """Brighter on the side the light comes from."""
        slope = np.float32(0.009) * self.f["light"]
        self.canvas *= (np.float32(1) + self.x * slope)[:, None]
