"""API versions: what the `anthropic-version` header changes about a request.

Versions differ in what they refuse and in nothing else.  Where Anthropic gives no exact text, the sentence is ours.

Source: `docs/facts/api-versions.md`, after Anthropic's page on moving to `2026-10-21`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from stages.canonical.place import Place, content_of_message
from stages.canonical.request import ContentBlock, Document, Request, SearchResult, Text, ToolResult

DEFAULT = "2023-06-01"
"""What counts where the header is missing.

The API refuses such a request.  Here it comes from health checks and from people with curl, and refusing it would only
teach them to send a line that says what nearly every client says anyway.
"""

_MAX_LENGTH = 40
# Characters of an unknown version that are repeated to the client: it is the client's text, and goes into a sentence.

_WITH_CONTENT = (SearchResult, ToolResult)

VersionRule = Callable[[Request], Iterator[str]]
"""Complains about what a version does not take, each place first."""


def _sampling(request: Request) -> Iterator[str]:
    values = {"temperature": request.temperature, "top_p": request.top_p, "top_k": request.extra.get("top_k")}
    yield from (f"{name}: Extra inputs are not permitted" for name, value in values.items() if value is not None)


def _documents(request: Request) -> Iterator[str]:
    for at, message in enumerate(request.messages):
        for index, block in enumerate(message.content):
            if message.role == "assistant" and isinstance(block, Document):
                place = content_of_message(at).at(index)
                yield f"{place}: `document` blocks are not permitted in assistant messages"


def _citations(request: Request) -> Iterator[str]:
    for at, message in enumerate(request.messages):
        if message.role == "user":
            for place in _cited(message.content, content_of_message(at)):
                yield f"{place.field('citations')}: citations are not permitted on text of user messages"


def _cited(blocks: tuple[ContentBlock, ...], place: Place) -> Iterator[Place]:
    """Find texts that cite, also in what was searched or in what a tool found."""
    for index, block in enumerate(blocks):
        if isinstance(block, Text) and block.extra.get("citations"):
            yield place.at(index)
        elif isinstance(block, _WITH_CONTENT):
            yield from _cited(block.content, place.at(index).field("content"))


VERSIONS: Mapping[str, tuple[VersionRule, ...]] = {
    DEFAULT: (),
    "2026-10-21": (_sampling, _documents, _citations),
}
"""Each version and its rules."""


def version_complaint(version: str) -> str | None:
    """Say what is wrong with the header's value; None when nothing is."""
    if not version or version in VERSIONS:
        return None
    shown = "".join(each if each.isascii() and each.isprintable() else "?" for each in version[:_MAX_LENGTH])
    return f'anthropic-version: "{shown}" is not a valid version'


def rules_of(version: str) -> tuple[VersionRule, ...]:
    """Return the rules of a version; an empty one is the default."""
    return VERSIONS[version or DEFAULT]
