"""A text that grows: what it is asked does not depend on the pieces in which it came, nor does what it takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stages.correlator.parts import FOLD, Parts, Prefix, solid

PIECES = st.lists(st.sampled_from(["a", "bc", " ", "\n", "d e", ""]), max_size=3 * FOLD)


@given(pieces=PIECES, asked=st.sets(st.integers(0, 3 * FOLD), max_size=4), at=st.integers(0, 3 * FOLD))
def test_its_beginning_is_that_of_the_text(pieces: list[str], asked: set[int], at: int) -> None:
    """Also when it was asked before, while it grew."""
    told, whole = Prefix(), ""
    for number, piece in enumerate(pieces):
        told.add(piece)
        whole += piece
        if number in asked:
            assert told.solid(at) == solid(whole)[:at]

    assert (told.begin(at), told.solid(at), told.length, told.came) == (
        whole[:at],
        solid(whole)[:at],
        len(whole),
        len(pieces),
    )
    assert told.copy().begin(at) == whole[:at]


def test_a_long_stream_takes_the_memory_of_its_text() -> None:
    """Piece by piece or read by read, only the newest are kept for themselves."""
    one, many = Prefix(), Prefix()
    for _ in range(100):
        many.extend(["word "] * 100, 500)
        for _ in range(100):
            one.add("word ")

    assert len(one.pieces) <= 10_000 // FOLD + FOLD
    assert len(many.pieces) <= 100 + FOLD
    assert one.begin(60_000) == many.begin(60_000) == "word " * 10_000


def test_an_index_that_stood_still_is_no_count_of_deltas_however_many_there_were() -> None:
    """Whether an index counts deltas is told by how many came under it, not by how they are kept."""
    parts = Parts()
    for _ in range(FOLD):
        parts.add(0, "x", begins=parts.begins(0))

    assert parts.begins(1)
