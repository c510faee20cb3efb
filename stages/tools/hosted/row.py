"""What a tool that dragoman runs itself must know: what it asks whom, what is shown of it, and how that goes back.

One kind asks another model, with a Messages request; the other reads a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from stages.canonical.failure import Failure
from stages.canonical.request import JsonObject
from stages.citing.sources import Sources
from stages.tables.identifiers import call_id_of
from stages.tools.hosted.pages import FetchError, Page, PageFetch
from stages.wire import json
from stages.wire.lenient import mapping, text

SERVER_TOOL, CLIENT_TOOL = "srvtoolu_", "toolu_"
"""What the ids of calls start with, by who runs them."""


@attrs.frozen
class HostedCall:
    """A call of such a tool, where it stands.

    Attributes:
        declared: the tool's declaration.
        input: what is asked.
        body: the client's request.
        told: the blocks of the answer so far.
    """

    declared: JsonObject = attrs.field(repr=False)
    input: JsonObject = attrs.field(repr=False)
    body: Mapping[str, Any] = attrs.field(repr=False)
    told: list[JsonObject] = attrs.field(repr=False)


@attrs.frozen
class Denied:
    """A call that is not run; `content` is that of its result."""

    content: JsonObject


HostedAsk = JsonObject | PageFetch | Denied
"""What is done about a call: a Messages request is made, a page is read, or nothing is."""

HostedOutcome = JsonObject | Failure | Page | FetchError
"""What came of it: the message, or the page, or why there is none."""


@attrs.frozen
class HostedToolRow:
    """One tool.

    Attributes:
        name: what its calls are called, by both sides.
        types: its `type`s in declarations.
        ask: what is done about a call.
        result: the content of the result block, of the declaration and of what came of that.
        refused: the same for a call beyond the declaration's `max_uses`.
        to_items: the upstream's items of a call and its result that a client was shown, with a number for what may be
            cited in it; None where nobody can read it.
        result_type: the `type` of the result block.
        iteration: the `type` of what it cost, in `usage.iterations`; empty for a tool that asks no model.
    """

    name: str
    types: tuple[str, ...]
    ask: Callable[[HostedCall], HostedAsk]
    result: Callable[[JsonObject, HostedOutcome], JsonObject]
    refused: JsonObject
    to_items: Callable[[JsonObject, JsonObject, Sources], list[JsonObject] | None]
    result_type: str
    iteration: str = ""

    def blocks(self, call: JsonObject, content: JsonObject) -> tuple[JsonObject, JsonObject]:
        """The two blocks that a client is shown: of the call as a client's own would be, and its result's content."""
        ident = SERVER_TOOL + str(call["id"]).removeprefix(CLIENT_TOOL)
        shown = {"type": "server_tool_use", "id": ident, "name": self.name, "input": call["input"]}
        return shown, {"type": self.result_type, "tool_use_id": ident, "content": content}


def called_items(call: JsonObject, name: str, output: str | list[JsonObject]) -> list[JsonObject]:
    """Make of a call that was run here what the model has seen of it: a call of a function, and its output."""
    call_id = call_id_of(CLIENT_TOOL + text(call.get("id")).removeprefix(SERVER_TOOL))
    arguments = json.encode(mapping(call.get("input"))).decode()
    return [
        {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments},
        {"type": "function_call_output", "call_id": call_id, "output": output},
    ]
