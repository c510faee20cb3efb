"""An item of a tool that the upstream ran itself: a block with the call, and one with what came of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from stages.canonical.plan import AnswerPlan
from stages.correlator.ids import Ids
from stages.correlator.life import Turn
from stages.correlator.track import Track
from stages.tools.server import BY_ITEM
from stages.tools.server.row import CallBlock, ClientNames, ResultBlock


class ServerToolTrack(Track):
    """A hosted call, told once it is done, because what it holds comes whole and no earlier."""

    def __init__(self, plan: AnswerPlan, kind: str) -> None:
        super().__init__(plan)
        self.kind = kind
        self.row = BY_ITEM[kind]
        self.answered = False
        self._left_out: tuple[str, ...] = ()
        self._ids = Ids()
        self._asking: ServerToolTrack | None = None

    @property
    def left_out(self) -> Counter[str]:
        """What of it has no block of Anthropic's."""
        return Counter(self._left_out)

    def enter(self, ids: Ids) -> None:
        """Learn which ids are taken, and which earlier calls of the same tool have no result yet."""
        self._ids = ids

    def complete(self, item: dict[str, Any], *, repeats: bool = False) -> None:  # noqa: ARG002 - no call is told elsewhere
        """Take the whole item."""
        if not self.done:
            self._tell(item)
        self.turn(Turn.RECEIVE)
        self.end()

    def _tell(self, item: dict[str, Any]) -> None:
        self._asking = self._ids.asking(self.row.upstream)
        names = ClientNames(self.plan.server_tools[self.row.upstream], self.plan.tool_names, self.plan.servers)
        telling = self.row.to_blocks(item, names, self._asking.call_id if self._asking else "")
        self._left_out, self.container = telling.left_out, telling.container
        for part in telling.parts:
            if isinstance(part, CallBlock):
                self._call(part)
            else:
                self._result(part)

    def _call(self, call: CallBlock) -> None:
        self.call_id = self._ids.unused(call.id, "-")
        self._ids.asks(self.row.upstream, self)
        self.say_block(call, self.call_id)

    def _result(self, result: ResultBlock) -> None:
        answers = self if self.call_id or self._asking is None else self._asking
        answers.answered = True
        self.say_block(result, answers.call_id)
