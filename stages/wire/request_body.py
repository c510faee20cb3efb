"""The body of a request as JSON, of which tools that came before are not read again.

Tools are most of what a short turn says, and the same in each: their bytes are known, so what they mean is as well.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stages.canonical.request import AnyTool
from stages.wire import json
from stages.wire.cache import Cache
from stages.wire.messages_request import structure_tool

_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LISTED = msgspec.json.Decoder(list[msgspec.Raw])


def parse_body(body: bytes) -> Any:
    """Parse a body like `json.decode`, but give tools that make sense as canonical ones.

    Raises:
        MalformedJson: the body is not JSON.
    """
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
