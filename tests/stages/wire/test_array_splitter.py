"""A long array in pieces: what is cut out is what a parser finds, however the bytes are cut."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from stages.wire.array_splitter import ArraySplitter
from tests.support.cases import cases

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a"\\[]{},', max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=5), VALUES, VALUES, st.integers(0, 4), st.lists(st.integers(0, 400), max_size=6))
def test_elements_are_what_a_parser_finds(
    wanted: list[object], before: object, behind: object, indent: int, cuts: list[int]
) -> None:
    """Whatever stands in them and around them."""
    whole = {"before": before, "requests": wanted, "behind": {"requests": behind}}
    data = json.dumps(whole, indent=indent or None).encode()
    ends = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    splitter = ArraySplitter("requests")

    found = [one for begin, end in itertools.pairwise(ends) for one in splitter.feed(data[begin:end])]

    assert [json.loads(one) for one in found] == wanted
    assert (splitter.begun, splitter.ended, splitter.element, splitter.whole()) == (True, True, 0, True)


@given(st.lists(VALUES, max_size=4), st.integers(0, 60), st.sampled_from(b'{}[],":x\\ '), st.integers(0, 60))
def test_what_no_parser_takes_is_not_whole(wanted: list[object], at: int, byte: int, cut: int) -> None:
    """One byte too many anywhere: the elements and the rest are right together, or a parser refuses them, too."""
    data = json.dumps({"a": 1, "requests": wanted}).encode()
    at, cut = min(at, len(data)), min(cut, len(data))
    odd = data[:at] + bytes([byte]) + data[at:]
    splitter = ArraySplitter("requests")
    found = splitter.feed(odd[:cut]) + splitter.feed(odd[cut:])

    if splitter.whole() and all(parsed(one) for one in found):
        assert [json.loads(one) for one in found] == json.loads(odd).get("requests", [])


def parsed(text: bytes) -> bool:
    """Whether a parser takes it."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@cases(
    "data",
    b'{"requests":[1]}x {"requests":[1,]} {"requests":[,1]} {"requests":[1],"requests":[2]} [1] {"requests":[1] '
    b'{"requests"[1]} {"requests":[1]]} null {"requests":[1]"a":2}'.split(),
)
def test_what_is_wrong_around_the_elements(data: bytes) -> None:
    """Whether or not each of them is right by itself."""
    splitter = ArraySplitter("requests")
    splitter.feed(data)
    assert not splitter.whole()


def test_what_is_not_there() -> None:
    """An object without the member has none; one that was cut has not ended."""
    other, cut = ArraySplitter("requests"), ArraySplitter("requests")

    assert other.feed(b'{"other": [1, 2]}') == []
    assert (other.begun, other.ended) == (False, True)
    assert cut.feed(b'{"requests": [{"a": 1}, {"b"') == [b'{"a": 1}']
    assert (cut.ended, cut.element) == (False, 5)
