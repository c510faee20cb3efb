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
"""About how many bytes they may take together: some twelve megabytes of prose, or eight of code."""

_Listed = list[msgspec.Raw]
_PARTS = msgspec.json.Decoder(dict[str, _Listed | dict[str, msgspec.Raw] | str | int | float | bool | None])
# One pass over the bytes finds each entry of each list, which is read by itself or known.
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
        return {name: _value(name, part) for name, part in _PARTS.decode(body).items()}
    except _NOT_STRICT:  # no object, or something that is read with care, or nowhere
        value = json.decode(body)
    return value if _LONE.search(body) is None else json.mended_at(value, [] if mended is None else mended)


def _value(name: str, part: Any) -> Any:
    """Read a member of the body, which is parsed as deep as `_PARTS` goes."""
    if isinstance(part, list):
        return _READERS[name](part) if name in _READERS else list(map(_STRICT.decode, part))
    return {key: _STRICT.decode(inner) for key, inner in part.items()} if isinstance(part, dict) else part


def _remembered(structure: Callable[[Any], _T], cache: Callable[[Callable[[bytes], _T]], Cache[bytes, _T]]) -> Any:
    """Make a reader of a list, of which each entry is structured once for the same bytes."""
    known = cache(lambda told: structure(_STRICT.decode(told)))

    def read(listed: _Listed) -> Any:
        try:
            return known.get_all(list(map(bytes, listed)))
        except _NOT_STRICT:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one, it is said about the whole list
            return list(map(_STRICT.decode, listed))

    return read


def _messages(function: Callable[[bytes], Message]) -> Cache[bytes, Message]:
    return Cache(function, MAX_MESSAGES, MAX_MESSAGE_BYTES)


_READERS: dict[str, Callable[[_Listed], Any]] = {
    "tools": _remembered(structure_tool, Cache[bytes, AnyTool]),
    "messages": _remembered(structure_message, _messages),
}
