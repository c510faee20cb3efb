"""A function call item: one `tool_use` block."""

from __future__ import annotations

from typing import Any

from stages.canonical.events import (
    BLOCK_STOP,
    ArgumentsCut,
    ArgumentsDelta,
    ArgumentsDone,
    BlockStart,
    BlockStop,
    ToolUseStart,
)
from stages.canonical.plan import AnswerPlan
from stages.correlator.track import Content, Track, unused
from stages.tables.identifiers import digest, tool_use_id
from stages.wire.responses_stream import StreamEvent


class CallTrack(Track):
    """A function call: one `tool_use` block, as soon as its name is known."""

    kind = "function_call"

    def __init__(self, plan: AnswerPlan, item: dict[str, Any]) -> None:
        super().__init__(plan)
        self.call_id = ""
        self._name = ""
        self._upstream_id = ""
        self._taken: set[str] = set()
        self._begun = False
        self._identify(item)

    def claim_id(self, taken: set[str]) -> None:
        """Make the call's id one that no other call of the message has; clients key results by it."""
        self._taken = taken
        self._begin()

    def arguments_delta(self, event: StreamEvent) -> None:
        """Take more argument text."""
        if event.delta:
            self.say(ArgumentsDelta(event.delta), len(event.delta))

    def arguments_done(self, event: StreamEvent) -> None:
        """Take the whole argument text, which is not yet the end of the item."""
        if event.arguments:
            self.say(ArgumentsDone(event.arguments), len(event.arguments))

    def complete(self, item: dict[str, Any]) -> None:
        """Take name, id and arguments of the whole call, as far as they are new."""
        if self.done:
            return  # servers repeat themselves, also while the block waits for its turn
        self._identify(item)
        self._begin()
        arguments = item.get("arguments")
        if isinstance(arguments, str) and arguments:
            self.say(ArgumentsDone(arguments), len(arguments))
        if item.get("status") == "incomplete":
            self.cut()  # said by the item itself, before the answer's own ending can say it
        self.end()

    def end(self) -> None:
        """Close the block; a call that never got a name is none."""
        if self._begun and not self.done:
            self.say(BLOCK_STOP)
        self.spoken = self._begun
        self.done = True

    def cut(self) -> None:
        """Allow the arguments to be unfinished."""
        if self._begun and not self.done:
            self.say(ArgumentsCut())

    def take(self) -> list[BlockStart | Content | BlockStop]:
        """Hand over what was said, but nothing before the name is known."""
        return super().take() if self._begun else []

    def could_be(self, item: dict[str, Any]) -> bool:
        """Compare by the call's id."""
        return super().could_be(item) and item.get("call_id") == self._upstream_id

    def _identify(self, item: dict[str, Any]) -> None:
        name, call_id = item.get("name"), item.get("call_id") or item.get("id")
        self._name = name if isinstance(name, str) and name else self._name
        self._upstream_id = call_id if isinstance(call_id, str) and call_id else self._upstream_id

    def _begin(self) -> None:
        if self._begun or not self._name:
            return
        self._begun = True
        wanted = tool_use_id(self._upstream_id or f"call_{digest(self.plan.message_id + self._name, 24)}")
        self.call_id = unused(wanted, self._taken, "_")
        name = self.plan.tool_names.get(self._name, self._name)
        toolset, omittable = self.plan.toolsets.get(self._name, ""), self.plan.omittables.get(self._name)
        self.say(ToolUseStart(self.call_id, name, toolset, omittable))
        self._said.insert(0, self._said.pop())  # arguments may have come before the name
