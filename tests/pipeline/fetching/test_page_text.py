"""HTML becomes text that a model can read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fetching.page_text import HTML_SLICE, MOST_HTML, page_text

BASE = "https://a.example/docs/page"


@pytest.mark.parametrize(
    ("page", "title", "text"),
    [
        ("plain", None, "plain"),
        ("<title>A &amp; B</title><p>one</p><p>two  words</p>", "A & B", "one\n\ntwo words"),
        ("<h1>Head</h1>text<h3>Sub</h3>", None, "# Head\n\ntext\n\n### Sub"),
        ("<ul><li>a<li>b</ul>end", None, "- a\n- b\n\nend"),
        ('<a href="../x?q=1&amp;r=2">go</a>', None, "[go](https://a.example/x?q=1&r=2)"),
        ("<a href=#top>up</a> <a href=javascript:alert(1)>no</a>", None, "up no"),
        ("<pre>a\n  b</pre>", None, "a\n  b".replace("  b", "b")),
        ("a<script>if (1<2) x()</script>b<style>p{}</style>c<!-- d -->e", None, "abce"),
        ("<script>never closed", None, ""),
        ('<img alt="a>b">x<br>y', None, "x\ny"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", None, "| 1 | 2\n | 3".replace("\n ", "\n")),
        ("1 < 2 <3", None, "1 < 2 <3"),
        ("<!doctype html><html><body>x", None, "x"),
    ],
)
def test_what_a_page_says(page: str, title: str | None, text: str) -> None:
    """Headings, lists, links and lines stay; scripts and comments go."""
    assert page_text(page, BASE) == (title, text)


PIECES = ["<", ">", "<a ", 'href="', "'", "<!--", "-->", "<script", "</script>", "<p>", "<title>", "&amp;", "x ", "\n"]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_whatever_a_page_is(page: str) -> None:
    """It is read."""
    _, text = page_text(page, BASE)
    assert text == text.strip()


@pytest.mark.parametrize(
    "piece",
    ["<script ", "<script>", "<!--", "<!", '<a href="', "<p '", "</", "</p", "<a", "<svg>", "<", "x ", "\n", "<b>x"],
)
def test_it_costs_what_its_bytes_do(piece: str) -> None:
    """What begins is taken to its end, however much is left open: twice the page, twice the steps."""

    def steps(times: int) -> int:
        sizes: list[int] = []
        page_text(_Counted(piece * times, sizes), BASE)
        return sum(sizes)

    assert steps(4_000) <= 2.2 * steps(2_000) + 4 * HTML_SLICE


class _Counted(str):
    """A page that notes how far each search in it went, in characters."""

    __slots__ = ("sizes",)
    sizes: list[int]

    def __new__(cls, page: str, sizes: list[int]) -> _Counted:  # noqa: PYI034 - it is final
        """Make a page."""
        made = super().__new__(cls, page)
        made.sizes = sizes
        return made

    def __getitem__(self, at: Any) -> _Counted | str:
        """Cut it; the first cut is that of the whole."""
        cut = super().__getitem__(at)
        return _Counted(cut, self.sizes) if isinstance(at, slice) and at.start is None else cut

    def find(self, mark: str, at: int = 0) -> int:  # type: ignore[override] # as it is called there
        """Search, and note how far."""
        found = super().find(mark, at)
        self.sizes.append((found if found >= 0 else len(self)) - at + 1)
        return found


def test_a_page_is_read_as_far_as_it_may_be() -> None:
    """What stands behind that is not looked at."""
    _, text = page_text("x" * MOST_HTML + "<p>behind", BASE)
    assert len(text) == MOST_HTML


def test_a_tag_that_is_too_long_is_none() -> None:
    """What of it was looked at goes, and the rest is read as text."""
    assert page_text(f"a<b {'x' * HTML_SLICE}>c", BASE)[1] == f"a{'x' * 3}>c"
