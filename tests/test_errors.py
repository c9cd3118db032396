import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import diabolo
from diabolo.errors import DiaboloError, UnknownNameError, listed


def test_the_nearest_name_is_suggested_and_all_are_listed():
    message = str(UnknownNameError("net", "covn", ["mlp", "conv"]))
    assert message == "unknown net 'covn'; did you mean 'conv'? valid: conv, mlp"


def test_nothing_is_suggested_when_nothing_is_near():
    assert str(UnknownNameError("net", "qqq", ["mlp"])) == "unknown net 'qqq'; valid: mlp"


def test_of_many_the_three_nearest_are_told_and_where_all_are():
    names = [f"layer{i}" for i in range(40)] + ["encoder", "decoder"]
    message = str(UnknownNameError("layer", "decodr", names, " of the net", "diabolo models"))
    assert message == (
        "unknown layer 'decodr' of the net; did you mean 'decoder'? "
        "valid: decoder, encoder, layer9, … of 42; see diabolo models"
    )
    assert listed(map(str, range(10))) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert listed(map(str, range(11))) == "0, 1, 2, … of 11"


def test_where_there_is_none_no_list_is_empty():
    assert (
        str(UnknownNameError("option", "k", [], " of the net 'mlp'"))
        == "unknown option 'k' of the net 'mlp'; there is none"
    )


@pytest.mark.parametrize("name", [None, 3, ["mlp"]])
def test_a_name_may_be_anything(name):
    assert repr(name) in str(UnknownNameError("net", name, ["mlp"]))


def test_an_unknown_name_is_a_user_error():
    assert issubclass(UnknownNameError, DiaboloError)


# --- how they speak ---------------------------------------------------------------------------------------------------

ROOM = Path(diabolo.__file__).parent
ERRORS = {"NotApplicable", "NotMeasured", "Stopped", "refusal", "damaged"}  # and whatever ends in Error
NO_SENTENCE = ("...", "…")


def pieces(node: ast.AST, constants: dict[str, ast.AST]) -> Iterator[str]:
    """The texts that an expression may be, what is formatted into them as "?"."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        every = [""]
        for value in node.values:
            inner = value.value if isinstance(value, ast.FormattedValue) else value
            found = list(pieces(inner, constants)) or ["?"]
            every = [done + text for done in every for text in found]
        yield from every
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        for left in list(pieces(node.left, constants)) or ["?"]:
            yield from (left + right for right in list(pieces(node.right, constants)) or ["?"])
    elif isinstance(node, ast.IfExp):
        yield from (*pieces(node.body, constants), *pieces(node.orelse, constants))
    elif isinstance(node, ast.Name) and node.id in constants:
        yield from pieces(constants[node.id], constants)


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """What the errors made in a file say, by line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: line.value
        for line in tree.body
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            name = ast.unparse(call.func)
            is_error = name.endswith("Error") or name.rpartition(".")[2] in ERRORS
            if is_error or (name == "super().__init__" and path.name == "errors.py"):
                for argument in call.args:
                    yield from ((call.lineno, text) for text in pieces(argument, constants))


def test_an_error_is_one_sentence_without_a_full_stop():
    every = [(path, line, text) for path in sorted(ROOM.rglob("*.py")) for line, text in messages(path)]
    assert len(every) > 600
    wrong = [
        f"{path.relative_to(ROOM)}:{line}: {text!r}"
        for path, line, text in every
        if (text.endswith(".") and not text.endswith(NO_SENTENCE)) or re.search(r"(;|[a-z)]\.) [A-Z][a-z]+ [a-z]", text)
    ]
    assert not wrong, "\n".join(wrong)
