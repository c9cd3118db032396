"""A recipe of one's own: named by its path, and refused in one sentence where the command line could not offer it."""

import sys
from types import ModuleType
from typing import Unpack

import pytest

from diabolo import zoo
from diabolo.cli import train
from diabolo.errors import DiaboloError
from diabolo.zoo import recipe as book


@pytest.fixture(autouse=True)
def the_book_is_put_back(monkeypatch):
    for known in (book.RECIPES, book.CHOICES, book.HELP):
        for name in ("mine", "other", "depth_of_mine", "seed"):
            monkeypatch.setitem(known, name, None)
            del known[name]


@pytest.fixture
def module(monkeypatch):
    """module(function, **helps): the module `of_mine` with `function` as a recipe in it, named by its path."""

    def make(function, **helps):
        function.__module__ = "of_mine"
        monkeypatch.setitem(sys.modules, "of_mine", ModuleType("of_mine"))
        setattr(sys.modules["of_mine"], function.__name__, book.recipe(**helps)(function))
        return f"of_mine:{function.__name__}"

    return make


def mine(input_shape: tuple[int, ...], depth_of_mine: int = 3, **options: Unpack[zoo.PartOptions]):
    return zoo.undercomplete(input_shape, depth_of_mine, **options)


def test_it_is_known_by_its_name_and_called_by_its_path(module):
    assert zoo.recipe_at(module(mine, depth_of_mine="How deep.")) == "mine"
    assert zoo.build("mine", (1, 8, 8), depth_of_mine=2).name == "mine"
    assert zoo.path_of("mine") == "of_mine:mine"
    assert zoo.path_of("vae") == "vae"


def test_an_option_without_words_or_type_is_refused(module):
    with pytest.raises(DiaboloError, match=r'is: annotate its type, and write @recipe\(depth_of_mine="…"\) above it'):
        zoo.recipe_at(module(mine))

    def other(input_shape: tuple[int, ...], beta=1.0):
        return zoo.undercomplete(input_shape)

    with pytest.raises(DiaboloError, match="the recipe of_mine:other does not say what its option 'beta' is"):
        zoo.recipe_at(module(other))


def test_an_option_that_means_something_else_already_is_refused(module):
    with pytest.raises(
        DiaboloError, match=r"'beta' of the recipe 'mine' has a meaning already \(Weight of the KL term"
    ):
        module(mine, beta="How red.")
    assert "mine" not in zoo.RECIPES


def test_an_option_of_every_training_is_refused(module):
    def mine(input_shape: tuple[int, ...], seed: int = 0, **options: Unpack[zoo.PartOptions]):
        return zoo.undercomplete(input_shape, **options)

    with pytest.raises(DiaboloError, match="the option 'seed' of the recipe 'mine' is one of every training"):
        train.offer(zoo.recipe_at(module(mine, seed="Which one.")))


def test_the_name_of_another_recipe_is_refused(module):
    def vae(input_shape, **options):
        return zoo.undercomplete(input_shape, **options)

    before = zoo.RECIPES["vae"]
    with pytest.raises(DiaboloError, match=r"there is a recipe 'vae' already, in diabolo\.zoo\.variational"):
        module(vae)
    assert zoo.RECIPES["vae"] is before


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("of_mine:vae", "unknown recipe in 'of_mine' 'vae'"),  # one that it imports is not its own
        (":mine", "named as package.module:recipe, not ':mine'"),
        ("nowhere_at_all:mine", "the module 'nowhere_at_all' of the recipe 'nowhere_at_all:mine' cannot be imported"),
    ],
)
def test_a_path_without_a_recipe_is_refused(path, said, module):
    module(mine)
    with pytest.raises(DiaboloError, match=said):
        zoo.recipe_at(path)
