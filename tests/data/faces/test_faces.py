"""The drawn faces: the same everywhere, one by one, and each factor visible where it should be."""

import hashlib

import numpy as np
import pytest

from diabolo.data import draw_faces, face_factors
from diabolo.data.faces import FACTOR_NAMES, FACTORS, face_attributes, paint
from diabolo.errors import DiaboloError

PLAIN = {
    "width": 0.5, "skin": 0.25, "hair_colour": 1.5, "hair_length": 0.5, "fringe": 0.2, "smile": 0.5, "mouth_open": 0.2,
    "eyes_open": 0.7, "background": 0.55, "clothes": 0.1,
}  # fmt: skip


def face(**changes):
    row = [(PLAIN | changes).get(name, 0.0) for name in FACTOR_NAMES]
    return draw_faces(np.array([row], np.float32))[0].astype(int)


def test_the_same_pixels_on_every_machine():
    factors = face_factors(64, seed=7)
    # written down once; a machine that draws other pixels has other arithmetic
    assert (
        hashlib.sha256(factors.tobytes()).hexdigest()
        == "e70bb9d0a342590532bcecef6ec72bc5b0b61c426442e0d3a591f52c33320a89"
    )
    assert (
        hashlib.sha256(draw_faces(factors).tobytes()).hexdigest()
        == "90bb225691c34d122996519c1263b5afdb22418b1343b694a5e3c3891071de66"
    )


def test_a_face_depends_on_its_own_row_alone(monkeypatch):
    factors = face_factors(70, seed=1)
    whole = draw_faces(factors)
    assert whole.shape == (70, 3, 64, 64)
    assert np.array_equal(draw_faces(factors[40:41])[0], whole[40])
    assert np.array_equal(face_factors(10, seed=1), factors[:10])
    monkeypatch.setattr(paint, "BATCH", 9)
    monkeypatch.setattr(paint, "cores", lambda: 1)
    assert np.array_equal(draw_faces(factors), whole)


def test_streams_and_seeds_share_no_face():
    tables = [face_factors(500, seed, stream) for seed, stream in ((0, 0), (0, 1), (1, 0))]
    rows = {tuple(row) for table in tables for row in table}
    assert len(rows) == 1500


def test_factors_are_independent_and_within_bounds():
    table = face_factors(20_000, seed=0)
    for factor, column in zip(FACTORS, table.T, strict=True):
        assert factor.low <= column.min() <= column.max() <= factor.high
        expected = (factor.low + factor.high) / 2 if factor.chance is None else factor.chance
        assert abs(column.mean() - expected) < 0.03 * (factor.high - factor.low)
    between = np.corrcoef(table.T) - np.eye(len(FACTORS))
    assert np.abs(between).max() < 0.04


def moved(before, after):
    """Rows and columns of the pixels that changed by more than a little."""
    return np.nonzero(np.abs(after - before).max(axis=0) > 12)


@pytest.mark.parametrize(
    ("name", "value", "rows", "columns"),
    [
        ("smile", -1.0, (38, 57), (20, 44)),
        ("mouth_open", 1.0, (38, 57), (20, 44)),
        ("eyes_open", 0.0, (24, 42), (18, 46)),
        ("glasses", 1.0, (22, 45), (10, 54)),
        ("lipstick", 1.0, (38, 57), (20, 44)),
        ("brows", 1.0, (18, 36), (16, 48)),
        ("hat", 1.0, (0, 40), (6, 58)),
        ("clothes", 0.6, (50, 64), (0, 64)),
    ],
)
def test_a_factor_moves_pixels_where_it_should_and_nowhere_else(name, value, rows, columns):
    y, x = moved(face(), face(**{name: value}))
    assert len(y) > 10
    assert rows[0] <= y.min()
    assert y.max() < rows[1]
    assert columns[0] <= x.min()
    assert x.max() < columns[1]


def test_every_factor_shows():
    for factor in FACTORS:
        ends = [face(**{factor.name: end}) for end in (factor.low, (factor.low + factor.high) / 2)]
        assert len(moved(*ends)[0]) > 10, factor.name


def test_symmetry():
    # a face looking ahead in even light is its own mirror image, but for the glints in its eyes
    ahead = face(mouth_open=0.5)
    differ = np.abs(ahead - ahead[:, :, ::-1]).max(axis=0) > 2
    assert differ.sum() <= 24
    left, right = face(turn=-1, light=-1), face(turn=1, light=1)
    assert (np.abs(left - right[:, :, ::-1]).max(axis=0) > 2).sum() <= 24


def test_light_and_skin():
    lit = face(light=1)
    assert lit[:, :, 40:].mean() > lit[:, :, :24].mean() + 20
    assert face(skin=1)[:, 38:42, 26:38].mean() < face(skin=0)[:, 38:42, 26:38].mean() - 80


def test_attributes_follow_the_factors():
    table = face_factors(300, seed=2)
    attributes, names = face_attributes(table)
    column = dict(zip(names, attributes.T, strict=True))
    factor = dict(zip(FACTOR_NAMES, table.T, strict=True))
    assert np.array_equal(column["Eyeglasses"], factor["glasses"] == 1)
    assert np.array_equal(column["Smiling"], factor["smile"] >= np.float32(0.2))
    hair = sum(column[name].astype(int) for name in ("Black_Hair", "Brown_Hair", "Blond_Hair", "Gray_Hair"))
    assert (hair == 1).all()
    for name, values in column.items():
        assert 0.1 < values.mean() < 0.8, name


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        (np.zeros((2, 3)), r"factors must be \(N, 17\), columns turn, tilt"),
        (np.zeros((0, 17)), r"got \(0, 17\)"),
        (np.full((1, 17), np.nan), "factor turn runs from -1 to 1"),
        (np.full((1, 17), 1.5), r"factor turn runs from -1 to 1 \(head turned .*\), got 1.5 to 1.5"),
    ],
)
def test_factors_out_of_bounds_are_refused(factors, says):
    with pytest.raises(DiaboloError, match=says):
        draw_faces(factors)


@pytest.mark.parametrize("n", [0, 1.5, True])
def test_their_number_is_whole(n):
    with pytest.raises(DiaboloError, match="number of faces"):
        face_factors(n)
