"""The body of a request as JSON, of which tools that came before are not read again.

Tools are most of what a short turn says, and the same in each: their bytes are known, so what they mean is as well.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from stages.canonical.request import AnyTool
from stages.wire import json
from stages.wire.cache import Cache
from stages.wire.messages_request import structure_tool

_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_HALVES = (b"\\ud", b"\\uD", b"\xed")
# Without one of these, an escape or what UTF-8 would write for it, no text holds half a character.
_LONE = re.compile(
    rb"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]|\xed[\xa0-\xbf]", re.DOTALL
)
# Where half of one may stand alone; a pair of escapes is a whole character, and common.
_LISTED = msgspec.json.Decoder(list[msgspec.Raw])


def parse_body(body: bytes, mended: list[str] | None = None) -> Any:
    """Parse a body like `json.decode`, but give tools that make sense as canonical ones.

    Args:
        body: the bytes.
        mended: gets the paths of texts in which U+FFFD stands for half a character: JSON has those, Unicode has not.

    Raises:
        MalformedJson: the body is not JSON.
    """
    if any(half in body for half in _HALVES) and _LONE.search(body) is not None:
        return json.mended_at(json.decode(body), [] if mended is None else mended)
    try:
        parts = _PARTS.decode(body)
        tools = parts.pop("tools", None)
        value = {name: json.decode(part) for name, part in parts.items()}
        return value if tools is None else {**value, "tools": _tools(tools)}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, json.MalformedJson):
        return json.decode(body)  # no object, or something that is read with care, or nowhere


def _tools(raw: msgspec.Raw) -> Any:
    try:
        return [_TOOLS.get(told, told, len(told)) for told in map(bytes, _LISTED.decode(raw))]
    except Exception:  # noqa: BLE001 - whatever is wrong with one, it is said about the whole list
        return json.decode(raw)


def _read_tool(told: bytes) -> AnyTool:
    return structure_tool(json.decode(told))


_TOOLS = Cache(_read_tool)
