"""What a YAML file of options says, by the core schema of YAML 1.2, and what it is refused for."""

import os

import pytest

from diabolo.cli.config_file import Word, read
from diabolo.errors import DiaboloError


@pytest.fixture
def file(tmp_path):
    def make(content):
        path = tmp_path / "options.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


@pytest.mark.parametrize(
    ("written", "kind", "number"),
    [
        ("010", "int", "10"), ("0o10", "int", "8"), ("0x1F", "int", "31"), ("-7", "int", "-7"), ("+3", "int", "3"),
        ("1e-3", "float", "1e-3"), ("5e2", "float", "5e2"), (".5", "float", ".5"), ("1.", "float", "1."),
        (".inf", "float", "inf"), ("-.Inf", "float", "-inf"), (".nan", "float", "nan"),
        ("1:30", "str", "1:30"), ("1_000", "str", "1_000"), ("0b11", "str", "0b11"), ("2001-01-01", "str", "2001-01-01"),
        ("yes", "str", "yes"), ("No", "str", "No"), ("on", "str", "on"), ("off", "str", "off"), ("y", "str", "y"),
        ("true", "bool", "true"), ("FALSE", "bool", "FALSE"), ("null", "null", "null"), ("~", "null", "~"),
        ("'010'", "str", "010"), ('"true"', "str", "true"), ("''", "str", ""), ("<<", "str", "<<"), ("=", "str", "="),
    ],
)  # fmt: skip
def test_a_value_is_what_yaml_1_2_says(written, kind, number, file):
    word = read(file(f"key: {written}"))["key"]
    assert (word.kind, word.number) == (kind, number)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_with_or_without_a_mark(encoding, file):
    assert read(file("name: Größe-数\n".encode(encoding))) == {"name": Word("Größe-数", "str")}


@pytest.mark.parametrize("content", ["", "\n\n", "# nothing\n", "---\n...\n", "~", "null"])
def test_an_empty_file_says_nothing(content, file):
    assert read(file(content)) == {}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("lr: 1\nepochs: 2\nlr: 3", "line 3 of .*'lr' stands twice, first in line 1"),
        ("latent_dim: 2\nlatent-dim: 2", "line 2 of .*'latent-dim' stands twice"),
        ("{lr: 1, 'lr': 2}", "stands twice"),
        ("a: &x 1\nb: *x", "line 1 of .*anchors and aliases"),
        ("&x a: [*x]", "anchors and aliases"),
        ("- &x [*x]", "anchors and aliases"),
        ("<<: {lr: 1}", "'<<' takes a value or a list"),
        ("a: !!python/name:os.system", "line 1 of .*tags"),
        ("a: !mine 3", "tags"),
        ("a: !!int '3'", "tags"),
        ("[" * 5000, "nothing deeper"),
        ("a: " + "[" * 5000 + "]" * 5000, "nothing deeper"),
        ("a: " + "{a: " * 5000, "nothing deeper"),
        ("\n".join(" " * i + "a:" for i in range(500)), "nothing deeper"),
        ("a: [[1]]", "nothing deeper"),
        ("a: [{b: 1}]", "nothing deeper"),
        ("a:\nb: 1", "line 1 of .*'a' has no value"),
        ("a: 1\n---\na: 2", "not valid YAML"),
        ("a: 'unclosed", "line 1 of .*not valid YAML"),
        ("? [1, 2]\n: 3", "a key is the name of an option"),
        ("a: \x07", "not valid YAML"),
        (b"a: \xff\xfe\xfa", "its text is not UTF-8"),
        ("plain", "not one value"),
        ("- a", "not a list"),
    ],
    ids=lambda v: str(v)[:24],
)  # fmt: skip
def test_what_no_option_needs_is_refused_with_its_line(content, says, file):
    with pytest.raises(DiaboloError, match=says):
        read(file(content))


def test_only_a_regular_file_of_a_sensible_size_is_opened(tmp_path, file):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("link")
    for path, says in (
        (tmp_path, "it is a folder"),
        (tmp_path / "pipe", "no regular file"),
        ("/dev/zero", "no regular file"),
        (tmp_path / "link", "cannot be read"),
        (tmp_path / "missing", "No such file"),
        (file("#" * 2_000_000), "2,000,000 bytes are too many"),
    ):
        with pytest.raises(DiaboloError, match=says):
            read(type(tmp_path)(path))
