"""A web search item: a `server_tool_use` block with the query, and a result block with what was found."""

from __future__ import annotations

from typing import Any

from stages.canonical.events import (
    BLOCK_STOP,
    JsonDelta,
    ResultStart,
    ServerToolUseStart,
)
from stages.canonical.plan import AnswerPlan
from stages.correlator.track import Track
from stages.tables import web_search
from stages.wire import json


class SearchTrack(Track):
    """One search, told once it is done, because its query and its sources come no earlier.

    Pages that the model opened or looked through have no block of Anthropic's; they count as left out.
    """

    kind = "web_search_call"

    def __init__(self, plan: AnswerPlan, item: dict[str, Any]) -> None:
        super().__init__(plan)
        self._id = str(item.get("id") or "")

    def complete(self, item: dict[str, Any]) -> None:
        """Take the whole search."""
        if self.done:
            return
        query = web_search.query_of(item)
        if self.plan.web_search and query is not None:
            ident = web_search.tool_use_id(str(item.get("id") or self._id))
            self.say(ServerToolUseStart(ident, web_search.NAME))
            self.say(JsonDelta(""))
            self.say(JsonDelta(json.encode({"query": query}).decode()))
            self.say(BLOCK_STOP)
            self.say(ResultStart(web_search.result_block(ident, item)))
            self.say(BLOCK_STOP)
        self.end()
