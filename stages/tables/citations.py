"""Citations: the upstream's annotations on a range of its text, and Anthropic's on a block of text.

Source: `url_citation`, `file_citation`, `container_file_citation` and `file_path` of the Responses API, recorded;
`CitationsWebSearchResultLocation` and its siblings of the Anthropic SDK 2.12.0.
"""

from __future__ import annotations

from typing import Any

from stages.canonical.request import JsonObject, Text
from stages.wire import citation_carrier
from stages.wire.citation_carrier import CitedAt
from stages.wire.lenient import objects, text

URL = "url_citation"
"""The one annotation that has a counterpart: Anthropic's others point into documents of the prompt, by number."""

CONTAINER_FILE = "container_file_citation"
"""The one that points to a file which code has made."""

_KNOWN = (URL, "file_citation", CONTAINER_FILE, "file_path")

_LOCATION = "web_search_result_location"


def range_of(annotation: JsonObject) -> tuple[int, int]:
    """The range of the text that an annotation is about, in characters; nonsense becomes an empty range."""
    start, end = (_number(annotation.get(key)) for key in ("start_index", "end_index"))
    return (start, end) if end > start else (start, start)


def _number(value: Any) -> int:
    return max(0, value) if type(value) is int else 0


def annotation_key(annotation: JsonObject) -> tuple[object, ...]:
    """What tells an annotation from another one: servers say each up to three times."""
    place = (*range_of(annotation), _number(annotation.get("index")))
    return (str(annotation.get("type")), *place, str(annotation.get("url") or annotation.get("file_id")))


def name_of(annotation: JsonObject) -> str:
    """What an annotation counts as where it is left out: a word of ours, never one that the upstream made up."""
    kind = annotation.get("type")
    return f"annotation {kind}" if kind in _KNOWN else "annotation"


def citation_of(annotation: JsonObject, offset: int = 0) -> JsonObject | None:
    """Translate an annotation; None when Anthropic has no place for it.

    The upstream does not tell what the page says, so `cited_text` is empty.

    Args:
        annotation: the upstream's.
        offset: where in the upstream's text the block begins that will carry the citation.
    """
    url, title = annotation.get("url"), annotation.get("title")
    if annotation.get("type") != URL or not isinstance(url, str) or not url:
        return None
    return {
        "type": _LOCATION,
        "cited_text": "",
        "url": url,
        "title": title if isinstance(title, str) and title else None,
        "encrypted_index": citation_carrier.encode(CitedAt(offset, *range_of(annotation))),
    }


def citations_on(block: Text) -> list[JsonObject]:
    """The citations that a client says a text of an earlier turn has."""
    return objects(block.extra.get("citations"))


def place_of(citation: JsonObject) -> CitedAt | None:
    """Where a citation of ours belongs; None when somebody else made it."""
    ours = citation.get("type") == _LOCATION and isinstance(citation.get("url"), str)
    return citation_carrier.decode(citation.get("encrypted_index")) if ours else None


def annotation_of(citation: JsonObject, place: CitedAt) -> JsonObject:
    """Translate a citation of ours back."""
    title = citation.get("title")
    return {
        "type": URL,
        "start_index": place.start,
        "end_index": place.end,
        "title": text(title),
        "url": citation["url"],
    }
