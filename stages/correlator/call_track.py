"""A function call item: one `tool_use` block."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
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
from stages.correlator.ids import Ids
from stages.correlator.life import Turn
from stages.correlator.parts import Prefix
from stages.correlator.shapes import custom_arguments, meaning_of
from stages.correlator.track import Content, Track
from stages.json_buffer import NO_ARGUMENTS
from stages.tables.identifiers import called_name, digest, tool_use_id
from stages.wire.json import is_object
from stages.wire.lenient import text
from stages.wire.responses_stream import StreamEvent

_ARGUMENTS = re.compile(r'\{(["}]|\Z)|"([{\\]|\Z)|n')
_TELLING = 2
# How arguments begin: an object, one that was encoded twice, `null`; and characters that tell.
_OBJECTS = '{"'
_MAX_LOOKS = 16
# How often a call's arguments are read through to see if they are whole: who changes names, changes them often.
_LONGEST_EMPTY = 32
# Characters that may be no arguments, white space included.
NAMELESS = "function_call without a name"
"""What a call is counted as that nobody can run."""


class CallTrack(Track):
    """A function call: one `tool_use` block, as soon as its name is known."""

    kind = "function_call"

    def __init__(self, plan: AnswerPlan, item: dict[str, Any]) -> None:
        super().__init__(plan)
        self.name = ""
        self._upstream_id = ""
        self._ids: Ids | None = None
        self._begun = False
        self._told = Prefix()
        self._nothing = False
        self._looks = 0
        self._announced = text(item.get("arguments"))
        self._identify(item)

    @property
    def runs(self) -> bool:  # type: ignore[override] # here it is not known from the start
        """Whether the client gets to run it."""
        return self.spoken

    @property
    def left_out(self) -> Counter[str]:
        """The call itself, if it never got a name."""
        return Counter() if self._begun or not self.done else Counter({NAMELESS: 1})

    @property
    def words(self) -> str:
        """What its arguments mean."""
        return meaning_of("".join(self._told.pieces))

    def enter(self, ids: Ids) -> None:
        """Make the call's id one that no other call of the message has; clients key results by it."""
        self._ids = ids
        self._begin()

    def adopt(self, item: dict[str, Any]) -> None:
        """Learn the name of a call whose arguments came first."""
        self._identify(item)
        self._begin()

    def arguments_delta(self, event: StreamEvent) -> None:
        """Take more argument text."""
        if event.delta:
            self._grow(event.delta)

    def arguments_deltas(self, events: Sequence[StreamEvent]) -> None:
        """Take more argument text in one step; each piece leaves as it came, for cuts must not show (law 4)."""
        pieces = [event.delta for event in events if event.delta]
        size = sum(map(len, pieces))
        if size > self._told.length:  # one of them may repeat all so far
            longest = max(map(len, pieces))
            while pieces and self._told.length < longest:
                self._grow(pieces.pop(0))
            size = sum(map(len, pieces))
        if pieces:
            self._told.extend(pieces, size)
            self.say_all(list(map(ArgumentsDelta, pieces)), size)

    def arguments_done(self, event: StreamEvent) -> None:
        """Take the whole argument text, which is not yet the end of the item."""
        self._whole(event.arguments or event.input or event.text or "")

    def input_done(self, event: StreamEvent) -> None:
        """Take the whole text that a tool was called with which was declared otherwise."""
        if words := event.input or event.arguments or event.text:
            self._whole(custom_arguments(words))

    def complete(self, item: dict[str, Any], *, repeats: bool = False) -> None:  # noqa: ARG002 - no call is told elsewhere
        """Take name, id and arguments of the whole call, as far as they are new."""
        if self.done:
            self.turn(Turn.RECEIVE)
            return  # servers repeat themselves, also while the block waits for its turn
        self.turn(Turn.RECEIVE)
        self._identify(item)
        self._begin()
        self._whole(text(item.get("arguments")))
        if item.get("status") == "incomplete":
            self._allow_cut()  # said by the item itself, before the answer's own ending can say it
        elif self._says_nothing and _is_nothing(text(item.get("arguments"))):
            return  # servers say so where they do not know better yet; the end of the answer ends it
        self.end()

    def end(self) -> None:
        """Close the block; a call that never got a name is none, and what was announced counts if nothing else came."""
        if not (self.done or self._told.pieces):
            self._whole(self._announced)
        if self._begun and not self.done:
            self.say(BLOCK_STOP)
        self.spoken = self._begun
        self.turn(Turn.CLOSE)

    def cut(self) -> None:
        """Allow the arguments to be unfinished."""
        if not self.done:
            self._allow_cut()

    def take(self) -> list[BlockStart | Content | BlockStop]:
        """Hand over what was said, but nothing before the name is known."""
        return super().take() if self._begun else []

    def is_over(self, delta: str, *, left: bool) -> bool:  # noqa: ARG002 - it does not matter here
        """Whether its arguments are whole: another object is another call's."""
        pieces, self._looks = self._told.pieces, self._looks + 1
        if self._looks > _MAX_LOOKS or not pieces or delta[0] != "{" or not pieces[-1].endswith("}"):
            return False
        return is_object("".join(pieces))

    def fits(self, item: dict[str, Any]) -> bool:
        """Compare name and arguments: another function, or other arguments, are another call."""
        if self.name and item.get("name") not in (self.name, None):
            return False
        arguments = text(item.get("arguments")).lstrip()
        if not arguments or self._says_nothing or self._told.rest_of(arguments) is not None or self._sealed(arguments):
            return True
        return self._means(arguments)

    def says(self, item: dict[str, Any]) -> bool:
        """Compare name and arguments, all of them."""
        arguments = text(item.get("arguments"))
        named = bool(self.name) and item.get("name") == self.name
        return named and (self._told.equals(arguments) or self._means(arguments))

    @property
    def _says_nothing(self) -> bool:
        """Whether no arguments were told so far, or those that stand for none."""
        return self._told.solid(_LONGEST_EMPTY) in NO_ARGUMENTS

    def _means(self, arguments: str) -> bool:
        """Whether arguments are those that were told, written otherwise."""
        return self._told.length > 0 and meaning_of(arguments) == self.words

    def _sealed(self, arguments: str) -> bool:
        """Whether what was told is no argument text, but stands for this one."""
        told = self._told.solid(_TELLING)
        return bool(told) and not _ARGUMENTS.match(told) and arguments.startswith("{")

    def _grow(self, piece: str) -> None:
        """Take a fragment, or all arguments so far, which some servers send each time: no object begins with two."""
        told = self._told
        if len(piece) > told.length > 0 and piece[0] in _OBJECTS and piece.startswith(told.begin(told.length)):
            piece = piece[told.length :]
        told.add(piece)
        self.say(ArgumentsDelta(piece), len(piece))

    def _whole(self, arguments: str) -> None:
        nothing = _is_nothing(arguments)
        if arguments and not (nothing and self._nothing):
            self._nothing = self._nothing or nothing
            if self._told.rest_of(arguments):
                self._told = Prefix()
                self._told.add(arguments)
            self.say(ArgumentsDone(arguments), len(arguments))

    def _allow_cut(self) -> None:
        if self._begun:
            self.say(ArgumentsCut())

    def _identify(self, item: dict[str, Any]) -> None:
        name, call_id = item.get("name"), item.get("call_id") or item.get("id")
        self.name = name if isinstance(name, str) and name else self.name
        self._upstream_id = call_id if isinstance(call_id, str) and call_id else self._upstream_id

    def _begin(self) -> None:
        if self._begun or not self.name or self._ids is None:
            return
        self._begun = True
        wanted = tool_use_id(self._upstream_id or f"call_{digest(self.plan.message_id + self.name, 24)}")
        self.call_id = self._ids.unused(wanted, "_")
        called = called_name(self.name, self.plan.tool_names)
        name = self.plan.tool_names.get(called, called)
        toolset, omittable = self.plan.toolsets.get(called, ""), self.plan.omittables.get(called)
        self.say(ToolUseStart(self.call_id, name, toolset, omittable))
        self._said.insert(0, self._said.pop())  # arguments may have come before the name


def _is_nothing(arguments: str) -> bool:
    return len(arguments) <= _LONGEST_EMPTY and "".join(arguments.split()) in NO_ARGUMENTS
