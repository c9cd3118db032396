"""Parquet files: tables, and pictures as Hugging Face keeps them."""

import json
from contextlib import suppress

import numpy as np
import pytest

from diabolo.data import inspect, load
from diabolo.data.loading import load_whole
from diabolo.errors import DiaboloError

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

CLASSES = {
    "info": {"features": {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}
}


@pytest.fixture
def write(tmp_path):
    def put(columns, name="t.parquet", about=None, **options):
        table = columns if isinstance(columns, pyarrow.Table) else pyarrow.table(columns)
        if about is not None:
            table = table.replace_schema_metadata({"huggingface": json.dumps(about)})
        parquet.write_table(table, tmp_path / name, **options)
        return tmp_path / name

    return put


@pytest.fixture
def pictures(make):
    return [make.encoded(make.noise(i, 6, 5, channels=1)) for i in range(12)]


def test_columns_of_numbers(write):
    (rows,) = load_whole(write({"a": [1.5, 2.0], "b": [3, 4], "v": [[1.0, 2.0], [3.0, 4.0]], "label": ["x", "y"]}))
    assert rows.images.tolist() == [[1.5, 3, 1, 2], [2, 4, 3, 4]]
    assert rows.feature_names == ("a", "b", "v[0]", "v[1]")
    assert (rows.labels.tolist(), rows.label_names) == ([0, 1], ("x", "y"))
    single = pyarrow.table({"a": pyarrow.array([1.5, 2.5], pyarrow.float32())})
    assert load_whole(write(single))[0].images.dtype == np.float32


def test_columns_may_be_left_out_and_one_hot(write):
    path = write({"a": [1.0, 2.0, 3.0], "city": ["x", "y", "x"]})
    assert load_whole(path, without_column=("city",))[0].feature_names == ("a",)
    (rows,) = load_whole(path, columns_types="auto")
    assert rows.feature_names == ("a", "city=x", "city=y")
    assert [column.size for column in rows.column_types] == [1, 2]
    with pytest.raises(DiaboloError, match=r"column 'city' of .* holds text, such as 'x'"):
        load(path)
    assert inspect(path).columns == {"a": "float64, 1 to 3", "city": "text, 2 different values"}


def test_the_index_of_pandas_is_left_out(tmp_path):
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"a": [1.0, 2.0]}, index=["u", "v"]).to_parquet(tmp_path / "t.parquet")
    (rows,) = load_whole(tmp_path / "t.parquet")
    assert rows.feature_names == ("a",)


def test_pictures_as_hugging_face_keeps_them(write, pictures, make):
    columns = {"image": [{"bytes": p, "path": None} for p in pictures], "label": [i % 2 for i in range(12)]}
    path = write(columns, about=CLASSES, row_group_size=5)
    (images,) = load_whole(path)
    assert (images.labels.tolist(), images.label_names) == ([0, 1] * 6, ("cat", "dog"))
    for i in range(12):
        np.testing.assert_array_equal(images.images[i, 0], make.noise(i, 6, 5, channels=1))
    train, test = load(path, n_test=3, size=4, image_channels=3)
    assert (len(train), len(test), train.shape) == (9, 3, (3, 4, 4))
    assert "the labels are its column 'label'" in train.account.line()
    account = inspect(path)
    assert (account.classes, account.sizes, account.duplicates) == ({"cat": 6, "dog": 6}, {"6×5": 12}, 0)


def test_pictures_as_plain_bytes(write, pictures):
    path = write({"jpg": pictures, "kind": ["u", "v"] * 6, "v": [[1.0]] * 12})
    assert load_whole(path)[0].labels is None
    assert load_whole(path, label_column="kind")[0].label_names == ("u", "v")
    with pytest.raises(DiaboloError, match="unknown column 'kid'"):
        load(path, label_column="kid")


def test_a_table_where_pictures_are_wanted(write):
    path = write({"a": [1.0, 2.0], "b": [1.0, 2.0]})
    with pytest.raises(
        DiaboloError, match=r"t\.parquet has no column of pictures .*, but a, b: leave size \(--size\) out"
    ):
        load(path, size=8)


def test_the_name_of_a_picture_is_never_opened(write, pictures):
    path = write({"image": [{"bytes": pictures[0], "path": "a.png"}, {"bytes": None, "path": "/etc/passwd"}]})
    with pytest.raises(DiaboloError, match=r"row 2 of .* holds no picture, only the name of one"):
        load(path)
    assert len(load_whole(path, skip_bad=True)[0]) == 1


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": [1.0, None]}, "holds 1 missing value, the first in row 2 of column 'a'"),
        ({"a": [1.0, float("inf")]}, "holds 1 infinite value, the first in row 2 of column 'a'"),
        ({"a": [b"x", b"y"]}, "column 'a' of .* holds bytes, not numbers"),
        ({"a": [{"u": 1}, {"u": 2}]}, "column 'a' of .* holds records, not numbers"),
        ({"a": [[1.0], [2.0, 3.0]]}, "holds lists of different lengths"),
        ({"a": [1.0]}, "needs at least 2 images, but t holds 1"),
        ({"a": pyarrow.array([], pyarrow.float64())}, "has no rows"),
    ],
)
def test_what_is_no_table_of_numbers(write, columns, said):
    with pytest.raises(DiaboloError, match=said):
        load(write(columns))


def test_damaged_files(write):
    path = write({"a": np.arange(1000.0)})
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"hello", b"", whole[:10] + b"\xff" * 50 + whole[60:]):
        path.write_bytes(content)
        with pytest.raises(DiaboloError, match=r"t\.parquet (as a Parquet file|is damaged)"):
            load(path)


def test_few_bytes_that_claim_many_rows_are_refused(write, monkeypatch):
    path = write({"a": np.zeros(3_000_000, np.int8)})
    assert path.stat().st_size < 100_000
    monkeypatch.setattr("diabolo.data.room.host_memory", lambda: 10_000_000)
    with pytest.raises(DiaboloError, match=r"would take 0\.0 GB of memory"):
        load(path)


def test_scribbled_files_are_refused_or_read_and_never_raise_anything_else(write, pictures):
    columns = {"image": [{"bytes": p, "path": None} for p in pictures], "label": [i % 2 for i in range(12)]}
    for path in (write({"a": [1.0, 2.0], "b": ["x", "y"]}, "a.parquet"), write(columns, "b.parquet", about=CLASSES)):
        whole, random = path.read_bytes(), np.random.default_rng(0)
        for _ in range(60):
            content = bytearray(whole)
            for place in random.integers(0, len(whole), random.integers(1, 6)):
                content[place] = random.integers(256)
            path.write_bytes(content)
            with suppress(DiaboloError):
                load_whole(path)
