"""The body of a request as JSON, of which tools and messages that came before are not read again.

Tools are most of what a short turn says, and earlier messages most of what a long one says; both are the same in each
turn: their bytes are known, so what they mean is as well.  And since they are the very same objects each time, whatever
is made of one can be remembered by its identity.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from stages.canonical.request import AnyTool, Message
from stages.wire import json
from stages.wire.cache import Cache
from stages.wire.messages_request import structure_message, structure_tool

_T = TypeVar("_T")

MAX_MESSAGES = 8_192
"""Messages that are remembered."""

MAX_MESSAGE_BYTES = 3 * 2**24
"""About how many bytes they may take together: some sixteen megabytes of prose, or ten of code."""

_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LISTED = msgspec.json.Decoder(list[msgspec.Raw] | None)
_STRICT = msgspec.json.Decoder()
# Refuses halves of characters, and so tells for nothing that there are none.
_LONE = re.compile(
    rb"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|\xed[\xa0-\xbf]", re.DOTALL
)
# Where half of one may stand alone.
_NOT_STRICT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def parse_body(body: bytes, mended: list[str] | None = None) -> Any:
    """Parse a body like `json.decode`, but give tools and messages that make sense as tuples of canonical ones.

    Args:
        body: the bytes.
        mended: gets the paths of texts in which U+FFFD stands for half a character: JSON has those, Unicode has not.

    Raises:
        MalformedJson: the body is not JSON.
    """
    try:
        return {name: _READERS.get(name, _STRICT.decode)(part) for name, part in _PARTS.decode(body).items()}
    except _NOT_STRICT:  # no object, or something that is read with care, or nowhere
        value = json.decode(body)
    return value if _LONE.search(body) is None else json.mended_at(value, [] if mended is None else mended)


def _remembered(structure: Callable[[Any], _T], cache: Callable[[Callable[[bytes], _T]], Cache[bytes, _T]]) -> Any:
    """Make a reader of a list, of which each entry is structured once for the same bytes."""
    known = cache(lambda told: structure(_STRICT.decode(told)))

    def read(raw: msgspec.Raw) -> Any:
        listed = _LISTED.decode(raw)
        try:
            return None if listed is None else known.get_all([bytes(each) for each in listed])
        except _NOT_STRICT:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one, it is said about the whole list
            return _STRICT.decode(raw)

    return read


def _messages(function: Callable[[bytes], Message]) -> Cache[bytes, Message]:
    return Cache(function, MAX_MESSAGES, MAX_MESSAGE_BYTES)


_READERS: dict[str, Callable[[msgspec.Raw], Any]] = {
    "tools": _remembered(structure_tool, Cache[bytes, AnyTool]),
    "messages": _remembered(structure_message, _messages),
}
