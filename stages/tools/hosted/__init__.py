"""Tools that dragoman runs itself, in the middle of an answer: the upstream calls a function, and is asked again.

A client is shown what Anthropic's servers would show: the call and its result, and then more of the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from stages.canonical.request import JsonObject, ServerTool
from stages.citing.sources import Sources
from stages.tools.hosted import advisor, web_fetch
from stages.tools.hosted.row import HostedToolRow

HOSTED: tuple[HostedToolRow, ...] = (advisor.ADVISOR, web_fetch.WEB_FETCH)
"""All of them."""

BY_NAME: Mapping[str, HostedToolRow] = {row.name: row for row in HOSTED}
"""By the name of their calls."""


def is_hosted(tool: ServerTool) -> bool:
    """Whether a declared tool is one of these."""
    return any(tool.type in row.types for row in HOSTED)


def restored(call: JsonObject, result: JsonObject | None, sources: Sources) -> list[JsonObject] | None:
    """Make items of a call that a client was shown, whoever ran it; None for another tool, or one that nobody can read.

    Args:
        call: the `server_tool_use` block.
        result: the block with what came of it; None where there is none.
        sources: number what may be cited in it.
    """
    row = BY_NAME.get(str(call.get("name")))
    return row.to_items(call, result, sources) if row is not None and result is not None else None
