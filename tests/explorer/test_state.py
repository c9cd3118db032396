"""The address: everything chosen comes back from it, and nothing that no page would have written comes in."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diabolo.errors import DiaboloError
from diabolo.explorer.state import LONGEST, PLANES, WAYS, Place, State

numbers = st.floats(-1e4, 1e4, allow_nan=False).map(lambda x: float(f"{x:.5g}"))
places = st.one_of(
    st.integers(0, 10**8).map(lambda i: Place(image=i)),
    st.lists(numbers, min_size=1, max_size=8).map(lambda z: Place(code=tuple(z))),
)
states = st.builds(
    State,
    plane=st.sampled_from(PLANES),
    through=st.lists(st.integers(0, 9999), max_size=3).filter(lambda x: len(x) in (0, 3)).map(tuple),
    colour=st.text(max_size=20),
    shown=st.none() | places,
    a=st.none() | places,
    b=st.none() | places,
    way=st.sampled_from(WAYS),
    t=st.integers(0, 64).map(lambda i: i / 64).map(lambda x: float(f"{x:.4g}")),
    attribute=st.text(max_size=20),
    strength=st.integers(-80, 80).map(lambda i: i / 20),
    apart=st.booleans(),
    label=st.integers(-1, 99),
    swaps=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 999)), max_size=3).map(tuple),
)


@given(states)
def test_an_address_brings_the_state_back(state):
    from urllib.parse import parse_qsl

    assert State.of(dict(parse_qsl(state.address))) == state


def test_what_is_as_usual_needs_no_address():
    assert State().address == ""


def test_a_code_too_long_for_an_address_is_left_out():
    assert State(shown=Place(code=(0.5,) * (LONGEST + 1))).address == ""


@pytest.mark.parametrize(
    "query",
    [
        {"plane": "lda"},
        {"way": "straight"},
        {"shown": "z"},
        {"shown": "z1,nan"},
        {"shown": "z1,inf"},
        {"shown": "1e999"},
        {"shown": "../../etc/passwd"},
        {"shown": "z" + ",".join("1" * 600)},
        {"a": "-1"},
        {"a": "٣"},
        {"t": "2"},
        {"t": "nan"},
        {"strength": "1e9"},
        {"label": "x"},
        {"label": "1.5"},
        {"through": "1,x,2"},
        {"swaps": "1:2:3"},
        {"swaps": "1:-2"},
        {"swaps": "<script>"},
    ],
)
def test_nonsense_in_an_address_is_refused_in_a_sentence(query):
    with pytest.raises(DiaboloError) as refused:
        State.of(query)
    assert not str(refused.value).endswith(".")


def test_words_of_others_in_an_address_are_not_looked_at():
    assert State.of({"token": "x", "utm_source": "y"}) == State()


def test_a_place_reads_as_it_is_written():
    assert str(Place(image=17)) == "17"
    assert Place.read("z0.5,-1e-3") == Place(code=(0.5, -0.001))
    assert math.isclose(Place.read(str(Place(code=(1 / 3,)))).code[0], 1 / 3, rel_tol=1e-4)
