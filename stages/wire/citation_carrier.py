"""The carrier of a citation: what rides through a client in `encrypted_index`, so that the annotation can go back.

Anthropic's citations stand on a block of text, the upstream's on a range of a whole text.  The carrier says where in
that text the block began and which range was meant, so that blocks can be joined to the one text they were cut from.
It is no secret, but it is never logged.
"""

from __future__ import annotations

import base64
import binascii

import attrs

from stages.wire import json

CITATION_PREFIX = "dragoman-cite1."
"""Leads every carrier of this layout; an index that starts otherwise is somebody else's."""


@attrs.frozen(repr=False)
class CitedAt:
    """Where a citation belongs, in characters of the upstream's text.

    Attributes:
        offset: where the block that carries the citation begins.
        start: where the cited range begins.
        end: where it ends; the character there is no part of it.
    """

    offset: int
    start: int
    end: int


def encode(place: CitedAt) -> str:
    """Write a carrier as an index: ASCII, without line breaks."""
    return CITATION_PREFIX + base64.urlsafe_b64encode(json.encode([place.offset, place.start, place.end])).decode(
        "ascii"
    )


def decode(index: object) -> CitedAt | None:
    """Read an index; None when it is not one of ours, or was damaged on its way."""
    if not isinstance(index, str) or not index.startswith(CITATION_PREFIX):
        return None
    try:
        numbers = json.decode(base64.urlsafe_b64decode(index[len(CITATION_PREFIX) :].encode("ascii")))
    except (binascii.Error, UnicodeEncodeError, json.MalformedJson):
        return None
    if not isinstance(numbers, list) or len(numbers) != 3 or not all(type(n) is int for n in numbers):  # noqa: PLR2004 - the three of CitedAt
        return None
    place = CitedAt(*numbers)
    return place if place.offset >= 0 and 0 <= place.start <= place.end else None
