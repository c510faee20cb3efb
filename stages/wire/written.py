"""Parts of a Responses request with their bytes: what is the same in every turn is written once."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable
from sys import intern
from typing import Any

import msgspec

from stages.wire import json
from stages.wire.responses_request import Item


def checksum_and_size(said: bytes) -> bytes:
    """Eight bytes by which a text is known again: a checksum of it, and its size."""
    return array("I", (zlib.crc32(said), len(said))).tobytes()


class WrittenItem(dict[str, Any]):
    """An item that nobody may change, since it has been written already.

    Attributes:
        said: its JSON.
        size: bytes of that.
        mark: what that is known by.
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
        self.mark = checksum_and_size(written)
        # A few kinds, of thousands of items.
        self.kind = intern(f"{item.get('role')} message" if kind == "message" else str(kind))


class WrittenTools(list[dict[str, Any]]):
    """A list of declarations that nobody may change, since it has been written already.

    Attributes:
        said: its JSON.
        mark: what that is known by.
    """

    __slots__ = ("mark", "said")

    def __init__(self, tools: Iterable[dict[str, Any]]) -> None:
        """Write a list of tools."""
        super().__init__(tools)
        self.said = json.encode(self)
        self.mark = checksum_and_size(self.said)
