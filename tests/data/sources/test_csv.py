"""Tables of text: separators, names, quotes, missing values, and what is refused."""

import numpy as np
import pytest

from diabolo.data import inspect, load
from diabolo.data.loading import load_whole
from diabolo.data.sources.csv import read
from diabolo.errors import DiaboloError


@pytest.fixture
def write(tmp_path):
    def put(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,b\n1,2.5\n-3,1e2\n", {"a": [1, -3], "b": [2.5, 100]}),
        ("a;b\r\n1;2.5\r\n-3;4\r\n", {"a": [1, -3], "b": [2.5, 4]}),
        ("a\tb\n1\t2\n", {"a": [1], "b": [2]}),
        ("1,2\n3,4\n", {"1": [1, 3], "2": [2, 4]}),
        ("5\n6\n", {"1": [5, 6]}),
        ('"a, b";c\n" 1";2\n', {"a, b": [1], "c": [2]}),
        ("id,2019,2020\n1,2,3\n2,3,4\n", {"id": [1, 2], "2019": [2, 3], "2020": [3, 4]}),
        ("a,b\n\n1,2\n\n3,4\n\n", {"a": [1, 3], "b": [2, 4]}),
        (b"\xef\xbb\xbfa,b\n1,2\n", {"a": [1], "b": [2]}),
        ("a;b\n1;2\n".encode("utf-16"), {"a": [1], "b": [2]}),
        ("a,b,\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}),
        (",a\n0,5\n1,7\n", {"a": [5, 7]}),
        ("a,ok\n1,True\n2,false\n", {"a": [1, 2], "ok": [True, False]}),
    ],
)
def test_columns_of_every_usual_form(write, text, columns):
    found = read(write(text)).columns
    assert {name: values.tolist() for name, values in found.items()} == columns


def test_a_first_row_of_numbers_and_words_is_no_line_of_names(write):
    path = write("5.1,3.5,setosa\n4.9,3.0,setosa\n6.3,3.3,virginica\n")
    train, _ = load(path, label_column="3")
    assert train.feature_names == ("1", "2")
    assert train.label_names == ("setosa", "virginica")
    assert list(read(path, "yes").columns) == ["5.1", "3.5", "setosa"]
    assert list(read(write("a,b\n1,2\n"), "no").columns) == ["1", "2"]


def test_texts_and_missing_values(write):
    found = read(write("a,b,c\n1,x,NA\n,n/a,2\nnan,'y,3\n")).columns
    np.testing.assert_array_equal(found["a"], [1, np.nan, np.nan])
    assert found["b"].tolist() == ["x", None, "'y"]
    np.testing.assert_array_equal(found["c"], [np.nan, 2, 3])


def test_a_text_far_below_numbers_makes_a_column_of_texts(write, monkeypatch):
    monkeypatch.setattr("diabolo.data.sources.csv.CELLS", 4)  # two rows at a time
    found = read(write("a,b\n1,1\n2,2\n3,3\nx,4\n5,5\n")).columns
    assert found["a"].tolist() == ["1", "2", "3", "x", "5"]
    assert found["b"].tolist() == [1, 2, 3, 4, 5]


def test_both_ways_to_read_give_the_same(write, monkeypatch):
    x = np.random.default_rng(0).normal(size=(300, 4)) * [1, 1e9, 1e-9, 1e300]
    text = "\n".join(",".join(f'"{v!r}"' if i % 3 else f" {v!r} " for i, v in enumerate(row)) for row in x.tolist())
    for head in ("", "a,b,c,d\n", '\n"a\n",b,c,d\n'):
        path = write(head + text + "\n\n")
        fast = np.stack(list(read(path).columns.values()), 1)
        with monkeypatch.context() as patch:
            patch.setattr("diabolo.data.sources.csv._at_once", lambda *_: None)
            slow = np.stack(list(read(path).columns.values()), 1)
        np.testing.assert_array_equal(fast, x)
        np.testing.assert_array_equal(slow, x)


def test_rows_are_split_with_names_and_labels(write):
    lines = "\n".join(f"{i}.5,{-i},{'ab'[i % 2]}" for i in range(20))
    train, test = load(write(f"x1,x2,class\n{lines}\n"), n_test=5)
    assert (len(train), len(test), train.shape) == (15, 5, (2,))
    assert train.images.dtype == np.float64
    assert (train.images[:, 0] - 0.5 == -train.images[:, 1]).all()
    assert ((-train.images[:, 1]) % 2 == train.labels).all()
    assert (train.feature_names, train.label_names) == (("x1", "x2"), ("a", "b"))
    assert train.origin["features"] == ["x1", "x2"]
    assert "t.csv: 20 rows; 3 columns; classes a 10, b 10; train 15, test 5" in train.account.line()


def test_all_rows_in_their_order(write):
    (rows,) = load_whole(write("a\n3\n1\n2\n"))
    assert rows.images.tolist() == [[3], [1], [2]]
    (one,) = load_whole(write("b,a\n5,3\n"), features=("a",))
    assert (one.images.tolist(), one.feature_names) == ([[3]], ("a",))


def test_black_and_white_may_be_said(write):
    (rows,) = load_whole(write("p1,p2\n0,255\n51,102\n"), range=(0, 255))
    np.testing.assert_allclose(rows.images, [[0, 1], [0.2, 0.4]], rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "t.csv is empty"),
        ("a,b\n", "has no rows, only the names of 2 columns"),
        ("a,b\n1,2\n", "needs at least 2 images, but t holds 1"),
        ("a,b\n1,2\n3\n", "row 2 of .* has 1 field and the line of names 2"),
        ("1,2\n1,2,3\n", "row 2 of .* has 3 fields and row 1 2"),
        ("a;b\n1,5;2\n2,5;3\n", "column 'a' of .* has numbers with a comma, such as '1,5': save it with decimal points"),
        ('a,b\n"1,5",2\n"2",3\n', "has numbers with a comma, such as '1,5'"),
        ("a,a\n1,2\n", "two columns of .* are called 'a'"),
        ("a,b\n1,x\n2,3\n", "column 'b' of .* holds text in 1 row, 'x' in row 1 first, beside 1 number"),
        ("a,b\n1,\n2,3\n", "holds 1 missing value, the first in row 1 of column 'b'"),
        ("a,b\n1,inf\n2,3\n", "holds 1 infinite value, the first in row 1 of column 'b'"),
        ("a,b\n1_0,2\n3,4\n", "holds text in 1 row, '1_0' in row 1 first") ,
        (b"a,b\n\xff,2\n3,4\n", "is no text in UTF-8"),
        (b"\x00\x01\x02", "is no table of text"),
        ('a,b\n1,"' + "x" * 200_000 + "\n", "is damaged, or no table of text: field larger than field limit"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_numbers_is_refused_in_a_sentence(write, text, said):
    with pytest.raises(DiaboloError, match=said):
        load(write(text))


def test_a_table_that_would_not_fit_is_refused_by_its_first_lines(write, monkeypatch):
    monkeypatch.setattr("diabolo.data.room.host_memory", lambda: 1_000)
    with pytest.raises(DiaboloError, match=r"would take 0\.0 GB of memory"):
        load(write("a,b\n" + "1,2\n" * 1_000))


def test_the_account_of_a_table(write):
    rows = dict(inspect(write("a,city,label\n1,x,0\n1,x,0\n3,y,1\n")).rows())
    assert rows["part: all"] == "3 rows"
    assert (rows["class 0: 0"], rows["class 1: 1"]) == ("2 rows", "1 row")
    assert rows["columns"] == "3"
    assert rows["column a"] == "float64, 1 to 3"
    assert rows["column city"] == "text, 2 different values"
    assert rows["duplicate rows"] == "1"
    assert "it cannot be loaded so: column 'city'" in rows["note"]
    rows = dict(inspect(write("a,b\n1,-2\n3,4\n")).rows())
    assert rows["values used"] == "-2 to 4"
    assert rows["duplicate rows"] == "0"
