"""An item of a Responses request with its bytes: what is the same in every turn is written once."""

from __future__ import annotations

import zlib
from array import array
from sys import intern
from typing import Any

import msgspec

from stages.wire import json
from stages.wire.responses_request import Item


class WrittenItem(dict[str, Any]):
    """An item that nobody may change, since it has been written already.

    Attributes:
        said: its JSON.
        size: bytes of that.
        mark: eight bytes by which it is known again: a checksum of that, and its size.
        kind: what it is, such as `user message` or `function_call`.
    """

    __slots__ = ("kind", "mark", "said", "size")

    def __init__(self, item: Item) -> None:
        """Write an item."""
        super().__init__(item)
        written = json.encode(item)
        kind = item.get("type") or "message"
        self.said = msgspec.Raw(written)
        self.size = len(written)
        self.mark = array("I", (zlib.crc32(written), len(written))).tobytes()
        # A few kinds, of thousands of items.
        self.kind = intern(f"{item.get('role')} message" if kind == "message" else str(kind))
