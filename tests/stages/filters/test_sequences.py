"""The first of many texts in one that streams, compared with looking for each of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stages.filters.sequences import Match, Searcher
from tests.support.steps import steps_of

FEW = st.text("ab]^\\", min_size=1, max_size=4)
"""Letters that make texts overlap, and those that a regular expression would take for its own."""


def first_of(texts: list[str], whole: str) -> tuple[int, str] | None:
    """Look the slow way: the end that comes first, and the longest text that ends there."""
    found = [(end, text) for end in range(len(whole) + 1) for text in texts if whole[:end].endswith(text)]
    return min(found, key=lambda one: (one[0], -len(one[1])), default=None)


@given(st.lists(FEW, max_size=6), st.lists(st.text("ab]^\\c", max_size=6), max_size=5))
def test_it_finds_what_looking_for_each_would(texts: list[str], pieces: list[str]) -> None:
    """However the text is cut; what is held back is the longest end that may go on to be one of them."""
    searcher, read = Searcher(texts), ""
    for piece in pieces:
        found = searcher.feed(piece)
        wanted = first_of(texts, read + piece)
        if wanted is not None:
            assert found == Match(wanted[0] - len(read), wanted[1])
            return
        read += piece
        assert found is None
        beginnings = (text[:n] for text in texts for n in range(1, len(text)))
        assert searcher.depth == max((len(each) for each in beginnings if read.endswith(each)), default=0)


@given(st.lists(FEW, min_size=1, max_size=6), FEW, FEW)
def test_another_text_begins_anew(texts: list[str], before: str, after: str) -> None:
    """What was read before says nothing about it."""
    searcher = Searcher(texts)
    if searcher.feed(before) is not None:
        return
    searcher.restart()

    assert searcher.depth == 0
    assert searcher.feed(after) == Searcher(texts).feed(after)


def test_the_cost_of_reading_does_not_grow_with_the_texts() -> None:
    """Nor with how much of them stands in what is read."""

    def cost(count: int, length: int) -> int:
        searcher = Searcher([f"{'a' * length}{at:04}" for at in range(count)])
        return steps_of(lambda: searcher.feed("a" * 2_000), 10**7)

    assert cost(1_000, 50) < 2 * cost(10, 5)
