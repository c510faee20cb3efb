"""What models cite with: links that are whole, that may become one, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.correlator.links import UNDECIDED, find_link
from tests.support.cases import cases

LINK = "([name](https://a.example/b?c=d))"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"It is. {LINK}", LINK),
        (f"It is. {LINK}.", LINK),
        ("[The Times](http://x/y) says", "[The Times](http://x/y)"),
        ("([a](http://x) and more)", "([a](http://x)"),
        ("[a](http://x/y_(z))!", "[a](http://x/y_(z))"),
        ("[[1]](http://x) so", "[[1]](http://x)"),
        ("a list[0] and [b](http://x) ", "[b](http://x)"),
        ("so \ue200cite\ue202turn0search0\ue201.", "\ue200cite\ue202turn0search0\ue201"),
    ],
)
def test_whole_links(text: str, found: str) -> None:
    """With the parentheses around it, and without what follows."""
    link = find_link(text)

    assert link is not None
    assert text[slice(*link)] == found


@given(st.integers(1, len(LINK) - 1))
def test_the_beginning_of_a_link_is_undecided(length: int) -> None:
    """However much of it has come, the last parenthesis included."""
    assert find_link("a " + LINK[:length]) == (2, UNDECIDED)


@cases(
    "text",
    [
        "",
        "nothing (here)",
        "[1] and so on",
        "[a](file.py) ",
        "[a](http://x y)",
        "[a](http://x[y])",
        "[a\nb](http://x)",
        "[ ] done",
        "[" + "x" * 300,
        "\ue200" + "x" * 300,
        "[a](https://" + "x" * 5000,
    ],
)
def test_no_links(text: str) -> None:
    """Brackets of other kinds, and what is too long to wait for."""
    assert find_link(text) is None


def test_the_search_goes_on_from_a_place() -> None:
    """A link before it does not count."""
    text = f"{LINK} {LINK} "

    assert find_link(text, 1) == (1, len(LINK) - 1)
    assert find_link(text, len(LINK)) == (len(LINK) + 1, len(text) - 1)


@given(st.text("ab [](http:/)\n\ue200\ue201", max_size=60), st.integers(0, 60))
def test_what_was_found_stays_found(text: str, cut: int) -> None:
    """More text decides what was undecided, and changes nothing that was decided."""
    before, after = find_link(text[:cut]), find_link(text)

    if before is not None and before[1] != UNDECIDED and before[1] < cut:
        assert after == before
    if before is None and after is not None:
        assert after[0] >= cut


@pytest.mark.parametrize("piece", ["[", "([", "[a](http", "[a](http(", "(", "[a]", "[[[[]]]]("])
def test_a_long_text_of_beginnings(piece: str) -> None:
    """None of them is a link, and each is looked into for a bounded length only, or this would take minutes."""
    assert find_link(piece * 20_000 + "\n.") is None
