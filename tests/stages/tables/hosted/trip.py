"""The way of a hosted tool's item to a client and back."""

from __future__ import annotations

from typing import Any

import attrs

from stages.tables.hosted.shape import Call, Hosted, Names, Result, Telling


@attrs.frozen
class Trip:
    """What becomes of the items of one hosted tool.

    Attributes:
        row: the tool's row.
        name: what the client calls it.
    """

    row: Hosted
    name: str

    def told(self, item: dict[str, Any]) -> Telling:
        """What a client gets to see of an item."""
        return self.row.tell(item, Names(self.name), "")

    def both(self, item: dict[str, Any]) -> tuple[Call, dict[str, Any]]:
        """The two blocks of a call that has a result."""
        call, result = self.told(item).parts
        assert isinstance(call, Call)
        assert isinstance(result, Result)
        return call, result.body

    def back(self, item: dict[str, Any]) -> Any:
        """The item as it comes back from a client."""
        call, result = self.both(item)
        return self.row.restore({"id": call.id, "name": call.name, "input": call.input}, result, {})
