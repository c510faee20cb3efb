"""The text of an HTML page, with its headings, lists and links as Markdown has them.

Whatever begins in a page is taken to its end, or to the end of all, so a page costs what its bytes do, however its
author has nested and left open what stands in it.  And no call into C looks at more than a slice of it: those hold the
interpreter, in a thread as well, and other streams would stand still.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urljoin

MOST_HTML = 2**20
"""Characters of a page that are read."""

HTML_SLICE = 2**14
"""Characters that one call looks at; a tag that is longer is none."""

_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>[a-z][a-z0-9]{0,20})(?P<rest>(?:[^>\"']|\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z))*+)>?|<[!?/][^>]*+>?",
    re.IGNORECASE,
)
_HIDDEN = frozenset({"script", "style", "template", "svg", "noscript", "iframe", "textarea"})
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_HEADINGS = {f"h{level}": "\n\n" + "#" * level + " " for level in range(1, 7)}
_BLOCK_NAMES = (
    *("p", "div", "section", "article", "header", "footer", "main", "nav", "aside", "ul", "ol", "dl", "table"),
    *("blockquote", "form", "figure", "pre", "title"),
)
_BLOCKS = dict.fromkeys(_BLOCK_NAMES, "\n\n")
_OPENING = {
    **_BLOCKS,
    **_HEADINGS,
    "li": "\n- ",
    "br": "\n",
    "tr": "\n",
    "td": " | ",
    "th": " | ",
    "dt": "\n",
    "hr": "\n\n",
}
_CLOSING = {**_BLOCKS, **dict.fromkeys(_HEADINGS, "\n\n")}
_LONGEST_LINK = 2_000


class _Reader:
    """Reads one page; `base` is where it was found, by which its links are told in full."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.title = ""
        self.parts: list[str] = []
        self._link = ""
        self._in_title = False
        self._pre = 0

    def text(self, raw: str) -> None:
        """Take what stands between two tags."""
        words = html.unescape(raw) if "&" in raw else raw
        if self._in_title:
            self.title += words
            return
        self.parts.append(words if self._pre else _SPACES.sub(" ", words))

    def opening(self, name: str, rest: str) -> None:
        """Take the beginning of an element."""
        self._in_title = name == "title" and not self.title
        self._pre += name == "pre"
        self.parts.append(_OPENING.get(name, ""))
        if name == "a" and not self._link and (found := _HREF.search(rest)):
            self._link = self._whole(html.unescape(next(filter(None, found.groups()), "")))
            self.parts.append("[" if self._link else "")

    def closing(self, name: str) -> None:
        """Take the end of an element."""
        self._in_title = self._in_title and name != "title"
        self._pre = max(0, self._pre - (name == "pre"))
        if name == "a" and self._link:
            self.parts.append(f"]({self._link})")
            self._link = ""
        self.parts.append(_CLOSING.get(name, ""))

    def _whole(self, href: str) -> str:
        try:
            link = urljoin(self.base, href.strip()) if len(href) <= _LONGEST_LINK else ""
        except ValueError:
            return ""
        return link if link.startswith(("http://", "https://")) and not href.startswith("#") else ""


def page_text(page: str, base: str) -> tuple[str | None, str]:
    """Read a page, as far as `MOST_HTML`.

    Args:
        page: HTML, of whatever quality.
        base: its address.

    Returns:
        Its title, None where it has none, and its text.
    """
    reader, at, page = _Reader(base), 0, page[:MOST_HTML]
    while at < len(page):
        begin = page.find("<", at)
        for start in range(at, begin if begin >= 0 else len(page), HTML_SLICE):
            reader.text(page[start : min(start + HTML_SLICE, begin if begin >= 0 else len(page))])
        at = _element(reader, page, begin) if begin >= 0 else len(page)
    title = _SPACES.sub(" ", reader.title).strip()
    return title or None, "\n".join(_lines("".join(reader.parts))).strip()


def _element(reader: _Reader, page: str, begin: int) -> int:
    """Take what begins here; return where it ends."""
    if page.startswith("<!--", begin):
        return _behind(page, "-->", begin)
    tag = _TAG.match(page, begin, begin + HTML_SLICE)
    if tag is None:
        reader.text("<")
        return begin + 1
    name = (tag["name"] or "").lower()
    if name in _HIDDEN and not tag["close"]:
        return _closed(page, name, tag.end())
    if name:
        reader.closing(name) if tag["close"] else reader.opening(name, tag["rest"])
    return tag.end()


def _closed(page: str, name: str, at: int) -> int:
    """Where an element ends that is not shown; the end of all, where nothing closes it."""
    while (at := page.find("</", at)) >= 0:
        at += 2
        if page[at : at + len(name)].lower() == name:
            return _behind(page, ">", at)
    return len(page)


def _behind(page: str, mark: str, at: int) -> int:
    found = page.find(mark, at)
    return found + len(mark) if found >= 0 else len(page)


def _lines(text: str) -> Iterator[str]:
    """The lines of a text without the spaces around them, and one empty line between two others at most."""
    empty = False
    for line in text.split("\n"):
        bare = line.strip(" ")
        if bare or not empty:
            yield bare
        empty = not bare
