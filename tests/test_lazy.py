"""Names that are imported when they are first used."""

import importlib.util
import inspect

import pytest

PACKAGES = ("diabolo", "diabolo.data", "diabolo.figures", "diabolo.studies")


@pytest.mark.parametrize("name", PACKAGES)
def test_every_name_of_the_package_is_there_and_listed(name):
    package = importlib.import_module(name)
    for one in package.__all__:
        assert getattr(package, one) is not None
        assert one in dir(package)


@pytest.mark.parametrize("name", PACKAGES)
def test_another_name_is_none(name):
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nothing'"):
        print(importlib.import_module(name).nothing)


@pytest.mark.parametrize("name", PACKAGES)
def test_no_name_is_that_of_a_module_which_would_take_its_place_once_imported(name):
    package = importlib.import_module(name)
    named = [one for one in package.__all__ if not inspect.ismodule(getattr(package, one))]
    assert [one for one in named if importlib.util.find_spec(f"{name}.{one}")] == []
