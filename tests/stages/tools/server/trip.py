"""The way of a hosted tool's item to a client and back."""

from __future__ import annotations

from typing import Any

import attrs

from stages.tools.server.row import CallBlock, ClientNames, ResultBlock, ServerToolRow, ToolBlocks


@attrs.frozen
class Trip:
    """What becomes of the items of one hosted tool.

    Attributes:
        row: the tool's row.
        name: what the client calls it.
    """

    row: ServerToolRow
    name: str

    def told(self, item: dict[str, Any]) -> ToolBlocks:
        """What a client gets to see of an item."""
        return self.row.to_blocks(item, ClientNames(self.name), "")

    def both(self, item: dict[str, Any]) -> tuple[CallBlock, dict[str, Any]]:
        """The two blocks of a call that has a result."""
        call, result = self.told(item).parts
        assert isinstance(call, CallBlock)
        assert isinstance(result, ResultBlock)
        return call, result.body

    def back(self, item: dict[str, Any]) -> Any:
        """The item as it comes back from a client."""
        call, result = self.both(item)
        return self.row.to_items({"id": call.id, "name": call.name, "input": call.input}, result, {})
