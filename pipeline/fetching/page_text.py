"""The text of an HTML page, with its headings, lists and links as Markdown has them.

One regular expression reads the page from its beginning to its end, and whatever it begins to read it takes: so a page
costs what its bytes do, however its author has nested and left open what stands in it.
"""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<hidden>script|style|template|svg|noscript|iframe|textarea)\b[^>]*(?:>|\Z).*?(?:</(?P=hidden)[^>]*(?:>|\Z)|\Z)"
    r"|<(?P<close>/?)(?P<name>[a-z][a-z0-9]{0,20})(?P<rest>(?:[^>\"']|\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z))*+)(?:>|\Z)"
    r"|<[!?/][^>]*(?:>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_MANY_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")
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
        words = html.unescape(raw)
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
    """Read a page.

    Args:
        page: HTML, of whatever quality.
        base: its address.

    Returns:
        Its title, None where it has none, and its text.
    """
    reader, at = _Reader(base), 0
    for token in _TOKEN.finditer(page):
        if token.start() > at:
            reader.text(page[at : token.start()])
        at = token.end()
        if token["name"]:
            name = token["name"].lower()
            reader.closing(name) if token["close"] else reader.opening(name, token["rest"])
    reader.text(page[at:])
    said = "".join(reader.parts)
    lines = "\n".join(line.strip(" ") for line in said.split("\n"))
    title = _SPACES.sub(" ", reader.title).strip()
    return title or None, _MANY_LINES.sub("\n\n", lines).strip()
