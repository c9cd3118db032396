"""Columns become numbers, labels and names, or are refused in a sentence that names them."""

import numpy as np
import pytest

from diabolo.data import Images, as_images, load
from diabolo.data.column_types import ColumnType
from diabolo.data.room import check_room
from diabolo.data.table import Table, TableOptions, facts_of, rows_of
from diabolo.errors import DiaboloError, UnknownNameError

AUTO = TableOptions(columns_types="auto")


def texts(*values):
    out = np.empty(len(values), object)
    out[:] = values
    return out


def table(**columns):
    return Table({name: np.asarray(values) for name, values in columns.items()}, "t.csv")


def test_numbers_keep_their_type_and_units():
    rows = rows_of(table(a=np.float32([1.5, 2]), b=np.float32([-3, 1e6])))
    assert rows.numbers.dtype == np.float32
    assert rows.numbers.tolist() == [[1.5, -3.0], [2.0, 1e6]]
    assert rows.names == ("a", "b")
    assert rows.types is None
    assert rows_of(table(a=[1, 2], b=[3, 4])).numbers.dtype == np.int64
    assert rows_of(table(a=[1, 2], b=[0.5, 4])).numbers.dtype == np.float64


def test_bytes_of_a_table_are_no_grey_levels():
    rows = rows_of(table(age=np.uint8([1, 255]), smokes=np.array([True, False])))
    assert rows.numbers.dtype == np.int16
    assert rows.numbers.tolist() == [[1, 1], [255, 0]]


def test_labels_by_name_or_by_usual_name():
    t = table(a=[1.0, 2.0, 3.0], kind=texts("bee", "ant", None), Class=[2, 1, 2])
    rows = rows_of(t, TableOptions("kind"))
    assert (rows.labels.tolist(), rows.label_names, rows.names) == ([1, 0, -1], ("ant", "bee"), ("a", "Class"))
    rows = rows_of(t, TableOptions(without_column=("kind",)))
    assert (rows.labels.tolist(), rows.label_names, rows.names) == ([1, 0, 1], ("1", "2"), ("a",))
    assert rows.said == ("the labels are its column 'Class'",)
    assert rows_of(t, TableOptions(without_column=("kind", "Class"))).labels is None
    assert rows_of(table(a=[1.0], target=[1]), labelled=True).names == ("a", "target")


def test_a_target_of_measured_numbers_is_no_label():
    rows = rows_of(table(a=np.arange(50.0), target=np.linspace(0, 1, 50)))
    assert rows.labels is None
    assert rows.names == ("a", "target")
    assert "holds no classes" in rows.said[0]
    assert rows_of(table(a=np.arange(50.0), target=np.arange(50) * 3)).labels is None  # 50 classes of 50 rows
    assert rows_of(table(x=[0.0, 1.0], y=[1, 0])).names == ("x", "y")  # places


def test_a_target_that_the_model_reads_is_no_label_of_a_new_table():
    """A few measured numbers may all be whole; a category may be called class."""
    first = {"a": np.arange(30.0), "target": np.arange(30) + 0.5}
    names = rows_of(Table(first, "t")).names
    few = Table({"target": np.array([2.0, 1.0]), "a": np.array([0.0, 1.0]), "y": np.array([1, 0])}, "few")
    again = rows_of(few, features=names)
    assert again.names == names == ("a", "target")
    assert again.numbers.tolist() == [[0, 2], [1, 1]]
    assert again.labels.tolist() == [1, 0]  # its column y
    kept = rows_of(
        Table({"class": np.array(["u", "v"], object)}, "few"),
        TableOptions(columns_types="auto"),
        ("class=u", "class=v"),
    )
    assert (kept.numbers.tolist(), kept.labels) == ([[1, 0], [0, 1]], None)


def test_names_of_classes_that_the_table_knows():
    t = Table({"a": np.ones(3), "label": np.array([2, 0, 2])}, "t", {"label": ("x", "y", "z")})
    rows = rows_of(t)
    assert (rows.labels.tolist(), rows.label_names) == ([2, 0, 2], ("x", "y", "z"))


def test_categories_become_one_hot_columns():
    t = table(
        city=texts("Bern", "Basel", "Bern", "Bern"), rooms=[3, 3, 4, 4], price=[1.5, 2, 3, 4], ok=[True, False] * 2
    )
    rows = rows_of(t, AUTO)
    assert rows.names == ("city=Basel", "city=Bern", "rooms=3", "rooms=4", "price", "ok=False", "ok=True")
    assert rows.numbers.tolist() == [
        [0, 1, 1, 0, 1.5, 0, 1], [1, 0, 1, 0, 2, 1, 0], [0, 1, 0, 1, 3, 0, 1], [0, 1, 0, 1, 4, 1, 0],
    ]  # fmt: skip
    assert rows.types == (
        ColumnType("city", "category", 2), ColumnType("rooms", "category", 2), ColumnType("price", "number", 1),
        ColumnType("ok", "category", 2),
    )  # fmt: skip
    assert rows_of(table(n=np.arange(40)), AUTO).names == ("n",)  # too many to be a category
    alone = rows_of(table(city=texts("Bern", "Basel")), AUTO)  # no number beside them
    assert alone.numbers.tolist() == [[0, 1], [1, 0]]


def test_a_new_table_is_read_as_the_first_was():
    first = rows_of(table(city=texts("Bern", "Basel", "Bern", "Bern"), price=[1.5, 2, 3, 4]), AUTO)
    rows = rows_of(table(extra=texts("u"), price=[7.0], city=texts("Basel")), AUTO, first.names)
    assert rows.numbers.tolist() == [[1, 0, 7]]
    assert rows.said == ("1 column that the model does not read: extra",)
    with pytest.raises(DiaboloError, match=r"t\.csv lacks 1 column that the model was trained with: 'price'"):
        rows_of(table(city=texts("Bern")), AUTO, first.names)
    with pytest.raises(DiaboloError, match=r"column 'city' .* holds 'Genf' in row 2, which the training data did not"):
        rows_of(table(city=texts("Bern", "Genf"), price=[1.0, 2.0]), AUTO, first.names)
    with pytest.raises(DiaboloError, match=r"column 'price' .* holds text, such as 'x'"):
        rows_of(table(city=texts("Bern"), price=texts("x")), AUTO, first.names)


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"a": [1.0], "b": texts("x")}, {}, "column 'b' .* holds text, such as 'x': leave it out by --without-column b"),
        ({"b": texts("1", "x", "3")}, {}, "column 'b' .* holds text in 1 row, 'x' in row 2 first, beside 2 numbers"),
        ({"b": texts([1], {})}, {}, r"column 'b' .* holds Python objects \(list\), not numbers"),
        ({"b": texts([1], {})}, {"columns_types": "auto"}, "holds Python objects"),
        ({"b": np.zeros(2, "M8[s]")}, {}, "column 'b' .* holds dates, not numbers"),
        ({"b": np.zeros(2, complex)}, {}, "holds complex numbers"),
        ({"a": [1, np.nan, 2], "b": [np.nan, 1, 1]}, {}, "holds 2 missing values, the first in row 1 of column 'b': fill"),
        ({"a": [1, 2, np.inf]}, {}, "holds 1 infinite value, the first in row 3 of column 'a'"),
        ({"a": texts("x", None)}, {"columns_types": "auto"}, "holds 1 missing value, the first in row 2 of column 'a'"),
        ({"a": texts(*map(str, range(101)))}, {"columns_types": "auto"}, "holds 101 different texts"),
        ({"label": [0, 1]}, {}, "has no column of numbers left beside label"),
        ({"a": [1.0], "y": [0.5]}, {"label_column": "y"}, "column 'y' .* cannot be the labels: labels must be whole"),
        ({"a": [1.0], "y": [np.nan]}, {"label_column": "y"}, "column 'y' .* cannot be the labels: every value is missing"),
        ({}, {}, "has no columns"),
        ({"a": []}, {}, "has no rows"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(columns, options, said):
    with pytest.raises(DiaboloError, match=said):
        rows_of(table(**columns), TableOptions(**options))


@pytest.mark.parametrize("option", [{"label_column": "kid"}, {"without_column": ("kid",)}])
def test_a_column_that_is_not_there(option):
    with pytest.raises(UnknownNameError, match=r"unknown column 'kid' of t\.csv; did you mean 'kind'"):
        rows_of(table(kind=[1.0]), TableOptions(**option))


def test_what_the_columns_hold_in_words():
    facts = facts_of(table(a=[1.0, np.nan], b=texts("x", "x"), c=[True, False]))
    assert facts == {
        "a": "float64, 1 to 1, 1 missing", "b": "text, 1 different value", "c": "truth values, 2 different values",
    }  # fmt: skip


def test_images_know_their_columns():
    types = (ColumnType("a", "number", 1), ColumnType("b", "category", 2))
    images = Images(np.zeros((2, 3)), feature_names=("a", "b=x", "b=y"), column_types=types)
    assert images.take([0]).column_types == images.column_types
    with pytest.raises(
        DiaboloError, match=r"1 column type do not fit examples of shape \(3,\): their sizes add up to 2"
    ):
        Images(np.zeros((2, 3)), column_types=(ColumnType("b", "category", 2),))


def test_what_does_not_fit_is_refused_before_it_is_allocated():
    check_room(1, "a number")
    with pytest.raises(DiaboloError, match=r"the table would take 1,000,000\.0 GB of memory"):
        check_room(10**15, "the table")


def test_missing_numbers_and_categories_may_be_masked(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.5, np.nan, 2.0, 4.0], "b": [1, 2, 3, 4], "city": ["x", "y", "x", "y"]})
    images = load(frame.drop(columns="city"), missing="mask", n_test=1)[0]
    assert images.missing
    assert np.isnan(images.images).sum() <= 1
    frame.to_csv(tmp_path / "t.csv", index=False)
    train, test = load(tmp_path / "t.csv", missing="mask", columns_types="auto", n_test=1)
    assert train.missing
    assert np.isnan(np.concatenate([train.images, test.images])).sum() == 1
    frame.loc[0, "city"] = None
    with pytest.raises(DiaboloError, match="holds 2 missing values, the first in row 1 of column 'city'"):
        load(frame, columns_types="auto")
    images = as_images(frame, missing="mask", columns_types="auto")
    assert images.images[:, -2:].tolist()[1:] == [[0, 1], [1, 0], [0, 1]]  # city is x or y
    assert np.isnan(images.images[0, -2:]).all()  # a category that is not known: none of its features is


def test_a_missing_category_makes_floats_of_whole_numbers():
    rows = rows_of(table(city=texts("x", None, "y"), n=[1, 2, 3]), TableOptions(columns_types="auto", missing="mask"))
    assert rows.numbers.dtype == np.float64
    assert rows.numbers[:, 2].tolist() == [1, 2, 3]
    again = rows_of(table(city=texts(None), n=[5]), TableOptions(missing="mask"), rows.names)
    assert np.isnan(again.numbers[0, :2]).all()


def test_types_by_name():
    t = table(n=[0, 1, 4, 0], flag=[0, 1, 1, 0], code=np.arange(4) * 7, a=[0.5, 1, 2, 3])
    rows = rows_of(t, TableOptions(columns_types=("auto", "n=count", "flag=binary", "code=category")))
    assert [column.word for column in rows.types] == ["count", "binary", "category:4", "number"]
    assert rows.names == ("n", "flag", "code=0", "code=7", "code=14", "code=21", "a")
    rows = rows_of(t, TableOptions(columns_types=("numbers", "n=count")))
    assert [column.word for column in rows.types] == ["count", "number", "number", "number"]
    again = rows_of(t, TableOptions(columns_types=("numbers", "n=count")), rows.names)
    assert again.types == rows.types
    with pytest.raises(DiaboloError, match=r"column 'n' .* is said to be binary, of 0 and 1, and holds 4: give"):
        rows_of(t, TableOptions(columns_types=("n=binary",)))
    with pytest.raises(DiaboloError, match=r"column 'c' .* is empty: leave it out"):
        rows_of(table(c=texts(None, None), a=[1, 2]), TableOptions(columns_types="auto", missing="mask"))
