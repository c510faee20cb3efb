"""What a tool that dragoman runs itself must know: what it asks whom, what is shown of it, and how that goes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from stages.canonical.failure import Failure
from stages.canonical.request import JsonObject

SERVER_TOOL, CLIENT_TOOL = "srvtoolu_", "toolu_"
"""What the ids of calls start with, by who runs them."""


@attrs.frozen
class HostedToolRow:
    """One tool.

    Attributes:
        name: what its calls are called, by both sides.
        types: its `type`s in declarations.
        ask: the Messages request that answers a call: of the declaration, the client's request, and what of the answer
            was told so far.
        result: the content of the result block: of the answer to that request, or of its failure.
        refused: the same for a call beyond the declaration's `max_uses`.
        to_items: the upstream's items of a call and its result that a client was shown; None where nobody can read it.
        result_type: the `type` of the result block.
        iteration: the `type` of what it cost, in `usage.iterations`.
    """

    name: str
    types: tuple[str, ...]
    ask: Callable[[JsonObject, Mapping[str, Any], list[JsonObject]], JsonObject]
    result: Callable[[JsonObject | Failure], JsonObject]
    refused: JsonObject
    to_items: Callable[[JsonObject, JsonObject], list[JsonObject] | None]
    result_type: str
    iteration: str

    def blocks(self, call: JsonObject, content: JsonObject) -> tuple[JsonObject, JsonObject]:
        """The two blocks that a client is shown: of the call as a client's own would be, and its result's content."""
        ident = SERVER_TOOL + str(call["id"]).removeprefix(CLIENT_TOOL)
        shown = {"type": "server_tool_use", "id": ident, "name": self.name, "input": call["input"]}
        return shown, {"type": self.result_type, "tool_use_id": ident, "content": content}
