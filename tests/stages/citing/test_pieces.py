"""A text is cut into pieces that can be cited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.citing.pieces import SHORTEST, pieces_of


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", ()),
        ("word", ("word",)),
        (
            "The language was created by Matz in 1993. It makes programmers happy.\n",
            ("The language was created by Matz in 1993. ", "It makes programmers happy.\n"),
        ),
        ("A heading that is a line\n\nAnd a text.", ("A heading that is a line\n\n", "And a text.")),
        ('He said "so it is and so be it." Then he went.', ('He said "so it is and so be it." ', "Then he went.")),
        ("Yes. No. Maybe so, or not at all. End", ("Yes. No. Maybe so, or not at all. ", "End")),
        (
            "これは二十四文字より長い文でなければなりませんので。次",
            ("これは二十四文字より長い文でなければなりませんので。", "次"),
        ),
    ],
)
def test_where_it_is_cut(text: str, pieces: tuple[str, ...]) -> None:
    """Behind sentences and lines, with the white space that follows, and never into crumbs."""
    assert pieces_of(text) == pieces


@given(st.text(st.sampled_from("ab .!\n'\"。"), max_size=300))
def test_nothing_is_lost(text: str) -> None:
    """The pieces are the text, and all but the last are long enough."""
    pieces = pieces_of(text)

    assert "".join(pieces) == text
    assert all(len(piece) >= SHORTEST for piece in pieces[:-1])
