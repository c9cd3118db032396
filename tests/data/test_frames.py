"""Frames, tables of Arrow, sparse matrices, data sets of Hugging Face and of vectors: what is in memory already."""

import io

import numpy as np
import pytest
import scipy.sparse
import torch
from PIL import Image

from diabolo.data import as_images, inspect, load
from diabolo.data.frames import classes_in, dense, table_of
from diabolo.errors import DiaboloError

COLUMNS = {"a": [1, 2, 3], "b": [1.5, None, 2.0], "city": ["x", None, "y"], "ok": [True, False, True]}


def pandas_frame():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(COLUMNS)


def nullable_frame():
    return pandas_frame().convert_dtypes()


def polars_frame():
    return pytest.importorskip("polars").DataFrame(COLUMNS)


def arrow_table():
    return pytest.importorskip("pyarrow").table(COLUMNS)


@pytest.mark.parametrize("make", [pandas_frame, nullable_frame, polars_frame, arrow_table])
def test_every_kind_of_frame_gives_the_same_columns(make):
    found = table_of(make(), "t").columns
    assert found["a"].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(found["b"], [1.5, np.nan, 2.0])
    assert found["city"].tolist() == ["x", None, "y"]
    assert found["ok"].tolist() == [True, False, True]
    assert [found[name].dtype.kind for name in COLUMNS] == ["i", "f", "O", "b"]


def test_a_missing_truth_value_is_a_missing_number():
    for found in (
        table_of(pytest.importorskip("pandas").DataFrame({"ok": [True, None]}).convert_dtypes(), "t"),
        table_of(pytest.importorskip("polars").DataFrame({"ok": [True, None]}), "t"),
        table_of(pytest.importorskip("pyarrow").table({"ok": [True, None]}), "t"),
    ):
        np.testing.assert_array_equal(found.columns["ok"], [1.0, np.nan])


def test_categories_and_dates():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frame = pandas.DataFrame({"c": pandas.Categorical(["u", "v"]), "d": pandas.to_datetime(["2020-01-01"] * 2)})
    other = polars.DataFrame({"c": polars.Series(["u", "v"], dtype=polars.Categorical), "d": frame["d"].to_list()})
    for one in (frame, other):
        found = table_of(one, "t").columns
        assert found["c"].tolist() == ["u", "v"]
        assert found["d"].dtype.kind == "M"


def test_lists_of_one_length_are_columns():
    arrow = pytest.importorskip("pyarrow")
    found = table_of(arrow.table({"v": [[1.0, 2.0], [3.0, 4.0]]}), "t").columns
    assert {name: values.tolist() for name, values in found.items()} == {"v[0]": [1.0, 3.0], "v[1]": [2.0, 4.0]}
    polars = pytest.importorskip("polars")
    assert list(table_of(polars.DataFrame({"v": [[1, 2], [3, 4]]}), "t").columns) == ["v[0]", "v[1]"]
    with pytest.raises(DiaboloError, match="lists of different lengths, 2 in row 1 and 1 in row 2"):
        table_of(arrow.table({"v": [[1.0, 2.0], [3.0]]}), "t")
    with pytest.raises(DiaboloError, match="lacks 1 list, first in row 2"):
        table_of(arrow.table({"v": [[1.0, 2.0], None]}), "t")
    with pytest.raises(DiaboloError, match="holds lists of string, not of numbers"):
        table_of(arrow.table({"v": [["x"]]}), "t")


def test_a_frame_is_loaded_with_its_options():
    frame = pandas_frame().drop(columns="b")
    train, test = load(frame, label_column="city", test_fraction=0.4)
    assert (len(train), len(test)) == (2, 1)
    assert train.feature_names == ("a", "ok")
    assert train.label_names == ("x", "y")
    assert train.account.what == "a table"
    assert "3 rows; 3 columns" in train.account.line()
    with pytest.raises(DiaboloError, match="column 'city' of array holds text"):
        load(frame)
    assert as_images(frame.drop(columns="city"), labels=[0, 1, 0]).labels.tolist() == [0, 1, 0]
    assert as_images(frame.rename(columns={"city": "label"})).labels.tolist() == [0, -1, 1]
    rows = dict(inspect(frame).rows())
    assert rows["column city"] == "text, 2 different values, 1 missing"


def test_frames_that_cannot_be_read():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    with pytest.raises(DiaboloError, match="two columns of array are called 'a'"):
        as_images(pandas.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(DiaboloError, match=r"a query of polars that has not run: give x\.collect\(\)"):
        as_images(polars.LazyFrame({"a": [1]}))
    with pytest.raises(DiaboloError, match="has no rows"):
        as_images(pandas.DataFrame({"a": []}))


def test_a_sparse_matrix_becomes_dense(monkeypatch):
    x = scipy.sparse.random_array((50, 7), density=0.2, rng=0, dtype=np.float32)
    monkeypatch.setattr("diabolo.data.frames.CHUNK_BYTES", 100)  # some rows at a time
    for kind in (scipy.sparse.csr_matrix, scipy.sparse.coo_array, scipy.sparse.csc_matrix):
        np.testing.assert_array_equal(dense(kind(x), "x"), x.toarray())
    images = as_images(3 * scipy.sparse.csr_array(x), labels=np.arange(50) % 2)
    np.testing.assert_array_equal(images.images, 3 * x.toarray())
    assert images.images.dtype == np.float32
    assert images.labels.tolist() == [0, 1] * 25
    with pytest.raises(DiaboloError, match=r"a sparse matrix of 10,000,000 × 10,000,000, once made dense, would take"):
        as_images(scipy.sparse.csr_matrix((10**7, 10**7)))


def picture(seed):
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (5, 6), np.uint8)).save(out, "PNG")
    return {"bytes": out.getvalue(), "path": None}


def test_pictures_of_hugging_face():
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"label": datasets.ClassLabel(names=["cat", "dog"]), "image": datasets.Image()})
    columns = {"label": [1, 0, 1], "image": [picture(i) for i in range(3)]}
    x = datasets.Dataset.from_dict(columns, features=features)
    images = as_images(x)
    assert images.shape == (1, 5, 6)
    assert (images.labels.tolist(), images.label_names) == ([1, 0, 1], ("cat", "dog"))
    np.testing.assert_array_equal(images.images[1, 0], np.asarray(x[1]["image"]))
    np.testing.assert_array_equal(as_images(x.select([2, 0])).images, images.images[[2, 0]])
    with pytest.raises(DiaboloError, match=r"has the parts train: give one of them, such as x\['train'\]"):
        as_images(datasets.DatasetDict(train=x))
    with pytest.raises(DiaboloError, match="IterableDataset has no length"):
        as_images(x.to_iterable_dataset())
    with pytest.raises(DiaboloError, match="unknown column 'lable'"):
        load(x, label_column="lable")


def test_vectors_and_tables_of_hugging_face():
    datasets = pytest.importorskip("datasets")
    vectors, classes = datasets.Sequence(datasets.Value("float32")), datasets.ClassLabel(names=["cat", "dog"])
    features = datasets.Features({"v": vectors, "label": classes})
    x = datasets.Dataset.from_dict({"v": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "label": [0, 1, 1]}, features=features)
    images = as_images(x)
    assert images.images.tolist() == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    assert images.images.dtype == np.float32
    assert (images.labels.tolist(), images.label_names) == ([0, 1, 1], ("cat", "dog"))
    assert as_images(x.select([2, 0])).images.tolist() == [[5.0, 6.0], [1.0, 2.0]]
    features = datasets.Features({"m": datasets.Array2D((4, 4), "float32")})
    maps = datasets.Dataset.from_dict({"m": np.zeros((3, 4, 4)).tolist()}, features=features)
    assert as_images(maps).shape == (1, 4, 4)


def test_a_torch_data_set_of_vectors():
    x, y = torch.arange(12.0).reshape(6, 2) - 5, torch.arange(6) % 3
    images = as_images(torch.utils.data.TensorDataset(x, y))
    assert images.images.tolist() == x.tolist()
    assert images.labels.tolist() == y.tolist()


@pytest.mark.parametrize(
    "told", [b"[]", b"{", b'{"info": 3}', b'{"info": {"features": {"a": {"_type": "ClassLabel"}}}}', b"[" * 100_000]
)
def test_whatever_a_stranger_writes_about_classes_is_passed_over(told):
    assert classes_in({b"huggingface": told}) == {}
    assert classes_in(None) == {}
