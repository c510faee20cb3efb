"""An item of a tool that the upstream ran itself: a block with the call, and one with what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stages.canonical.events import BLOCK_STOP, JsonDelta, ResultStart, ServerToolUseStart
from stages.canonical.plan import AnswerPlan
from stages.correlator.track import Track, unused
from stages.tools.server import BY_ITEM
from stages.tools.server.row import CallBlock, ClientNames, ResultBlock
from stages.wire import json


class ServerToolTrack(Track):
    """A hosted call, told once it is done, because what it holds comes whole and no earlier.

    What of it has no block of Anthropic's is in `left_out`; `container` is the machine that it ran on.
    """

    def __init__(self, plan: AnswerPlan, kind: str) -> None:
        super().__init__(plan)
        self.kind = kind
        self.row = BY_ITEM[kind]
        self.call_id = ""
        self.answered = False
        self.left_out: tuple[str, ...] = ()
        self.container: str | None = None
        self._taken: set[str] = set()
        self._asking: ServerToolTrack | None = None

    def meet(self, others: Iterable[Track]) -> None:
        """Learn which ids are taken, and which earlier call of the same tool has no result yet."""
        known = [track for track in others if isinstance(track, ServerToolTrack) and track.call_id]
        self._taken = {track.call_id for track in known}
        self._asking = next((track for track in known if track.row is self.row and not track.answered), None)

    def complete(self, item: dict[str, Any]) -> None:
        """Take the whole item."""
        if self.done:
            return
        names = ClientNames(self.plan.server_tools[self.row.upstream], self.plan.tool_names, self.plan.servers)
        telling = self.row.to_blocks(item, names, self._asking.call_id if self._asking else "")
        self.left_out, self.container = telling.left_out, telling.container
        for part in telling.parts:
            if isinstance(part, CallBlock):
                self._call(part)
            else:
                self._result(part)
        self.end()

    def _call(self, call: CallBlock) -> None:
        self.call_id = unused(call.id, self._taken, "-")
        self.say(ServerToolUseStart(self.call_id, call.name, call.server))
        self.say(JsonDelta(""))
        arguments = json.encode(call.input).decode()
        self.say(JsonDelta(arguments), len(arguments))
        self.say(BLOCK_STOP)

    def _result(self, result: ResultBlock) -> None:
        answers = self if self.call_id or self._asking is None else self._asking
        answers.answered = True
        self.say(ResultStart({**result.body, "tool_use_id": answers.call_id}), len(json.encode(result.body)))
        self.say(BLOCK_STOP)
