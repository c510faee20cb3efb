"""Pages of the web that a model asks for: what is to be read, what came of it, and which hosts may be asked.

Source: `WebFetchTool20250910` and its successors, `WebFetchBlock` and `WebFetchToolResultErrorCode` of the Anthropic
SDK 2.14.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

from stages.wire.lenient import texts

FetchError = Literal[
    "invalid_tool_input",
    "url_too_long",
    "url_not_allowed",
    "url_not_in_prior_context",
    "url_not_accessible",
    "unsupported_content_type",
    "too_many_requests",
    "max_uses_exceeded",
    "unavailable",
    "content_too_large",
]
"""Why there is no page, in Anthropic's words."""


@attrs.frozen
class Domains:
    """Which hosts may be asked: all that are allowed, or all where none are named, but for those that are blocked.

    An entry is a host, and all below it, with the beginning of a path behind it or none; `*` in the path stands for
    anything.
    """

    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    @classmethod
    def of(cls, declared: Mapping[str, Any]) -> Domains:
        """Read the lists of a declaration."""
        return cls(tuple(texts(declared.get("allowed_domains"))), tuple(texts(declared.get("blocked_domains"))))

    def permit(self, host: str, path: str) -> bool:
        """Whether a page may be read.

        Args:
            host: its host, in ASCII and lower case.
            path: what follows, with its slash.
        """
        if any(_covers(entry, host, path) for entry in self.blocked):
            return False
        return not self.allowed or any(_covers(entry, host, path) for entry in self.allowed)


def _covers(entry: str, host: str, path: str) -> bool:
    named, slash, begins = entry.strip().partition("://")[2 if "://" in entry else 0].partition("/")
    named = named.lower().rstrip(".")
    if not named or not (host == named or host.endswith(f".{named}")):
        return False
    head, star, tail = f"{slash}{begins}".partition("*")
    return path.startswith(head) and (not star or tail in path[len(head) :])


@attrs.frozen
class PageFetch:
    """A page that is to be read.

    Attributes:
        url: where it is.
        domains: which hosts may be asked, also those that others lead to.
        most_tokens: tokens of its text; what is beyond them is cut off.
    """

    url: str = attrs.field(repr=False)
    domains: Domains = attrs.field(factory=Domains, repr=False)
    most_tokens: int = 100_000


@attrs.frozen
class Page:
    """A page that was read.

    Attributes:
        url: where it was in the end.
        text: what it says; empty for a PDF.
        title: its title; None where it has none.
        pdf: a PDF, in base64; empty for every other page.
        retrieved_at: when, as ISO 8601.
    """

    url: str = attrs.field(repr=False)
    text: str = attrs.field(default="", repr=False)
    title: str | None = attrs.field(default=None, repr=False)
    pdf: str = attrs.field(default="", repr=False)
    retrieved_at: str | None = None


def stands_in(address: str, text: str) -> bool:
    """Whether an address stands in a text as a whole, whatever scheme is written before it."""
    at = text.find(address)
    while at >= 0:
        before, behind = text[at - 1 : at], text[at + len(address) : at + len(address) + 1]
        if (not before or before not in _PART) and (not behind or behind not in _MORE):
            return True
        at = text.find(address, at + 1)
    return False


_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_-"
_PART = frozenset(f"{_LETTERS}.@%")
# What makes an address the end of a longer host, or of its user.
_MORE = frozenset(f"{_LETTERS}%=~")
# What makes it the beginning of a longer path or word.


def is_known(url: str, texts_before: Iterable[str]) -> bool:
    """Whether an address was spoken of before: a model that may ask for any could tell secrets by what it asks for."""
    address = url.casefold().partition("://")[2].partition("#")[0].rstrip("/")
    return bool(address) and any(stands_in(address, text.casefold()) for text in texts_before)
