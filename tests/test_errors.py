import pytest

from diabolo.errors import DiaboloError, UnknownNameError


def test_the_nearest_name_is_suggested_and_all_are_listed():
    message = str(UnknownNameError("net", "covn", ["mlp", "conv"]))
    assert message == "unknown net 'covn'; did you mean 'conv'? Valid: conv, mlp."


def test_nothing_is_suggested_when_nothing_is_near():
    assert str(UnknownNameError("net", "qqq", ["mlp"])) == "unknown net 'qqq'; Valid: mlp."


def test_where_there_is_none_no_list_is_empty():
    assert (
        str(UnknownNameError("option", "k", [], " of the net 'mlp'"))
        == "unknown option 'k' of the net 'mlp'; there is none."
    )


@pytest.mark.parametrize("name", [None, 3, ["mlp"]])
def test_a_name_may_be_anything(name):
    assert repr(name) in str(UnknownNameError("net", name, ["mlp"]))


def test_an_unknown_name_is_a_user_error():
    assert issubclass(UnknownNameError, DiaboloError)
