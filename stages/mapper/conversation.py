"""Messages become input items, append-only: what a message becomes depends on nothing that comes after it (law 9).

The one exception is forced by the upstream, which refuses a call without output: a call that nothing in the whole
request answers gets an output that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from stages.canonical.place import MESSAGES, SYSTEM, Place, Position, content_of_message
from stages.canonical.report import Report
from stages.canonical.request import (
    Compaction,
    ContentBlock,
    JsonObject,
    Message,
    RedactedThinking,
    Request,
    Text,
    Thinking,
    ToolAddition,
    ToolResult,
    ToolUse,
    Unknown,
)
from stages.citing.sources import Sources
from stages.mapper.breakpoints import CacheBreakpoints, has_marks
from stages.mapper.cited_text import cited_texts
from stages.mapper.parts import parts_of_block
from stages.mapper.phases import phases_of
from stages.mapper.plain_messages import REASONING, PlainMessage, plain_answer, plain_question
from stages.mapper.reasoning import ReasoningReplay
from stages.mapper.results import ERROR_MARK, output_of
from stages.mapper.server_tool_replay import ServerToolReplay
from stages.mapper.tools import Toolbox, tool_id
from stages.tables.identifiers import call_id_of, digest
from stages.tables.profiles import Profile
from stages.tools.changes import spoken_of, within
from stages.tools.client import upstream_name
from stages.tools.server.tool_search import TOOL_SEARCH
from stages.wire import responses_request as responses
from stages.wire.responses_request import ContentPart, Item

PICTURE_BELOW = "[A picture; it is shown behind the results.]"
"""What stands in a result for a picture that the server does not look for there."""

PICTURES = "Pictures of the results above, in their order:"
"""What leads such pictures."""

_LOADING = (Compaction, ToolAddition)
_UNANSWERED = "No result of this call was recorded."


@attrs.define
class Conversation:
    """Builds the items of one request, message by message.

    Attributes:
        toolbox: the request's tools, for those that are declared in place.
        reasoning: decides what becomes of thinking blocks.
        profile: what the upstream takes.
        report: gets what could not be kept.
        efforts: effort by message index, where it changes there.
        marks: decides about the client's cache marks.
        sources: numbers what may be cited.
        items: what it has built so far.
        late_system: whether a system message stands behind something else.
    """

    toolbox: Toolbox
    reasoning: ReasoningReplay
    profile: Profile
    report: Report
    efforts: dict[int, str] = attrs.field(factory=dict)
    marks: CacheBreakpoints = attrs.field(
        default=attrs.Factory(lambda own: CacheBreakpoints(supported=False, report=own.report), takes_self=True)
    )
    sources: Sources = attrs.field(factory=Sources)
    items: list[Item] = attrs.field(factory=list, init=False)
    late_system: bool = attrs.field(default=False, init=False)
    # What is said as the user's since the last item: a result in between ends one message and begins another.
    _parts: list[ContentPart] = attrs.field(factory=list, init=False)
    # Calls that a result answers, found ahead: the others are given an output at the end of their own message, at once,
    # so that a later turn, which answers them no more than this one, has it in the same place.
    _answered: set[Position] = attrs.field(factory=set, init=False)
    # Calls without a result so far: the client's id to the upstream's, and where the call stands.
    _open: dict[str, tuple[str, Position]] = attrs.field(factory=dict, init=False)
    # Ids that went upstream, which takes each once; clients with counters for ids use theirs again.
    _used: set[str] = attrs.field(factory=set, init=False)
    # Tools that are declared by now, and how: the same declaration a second time would be one too many.
    _loaded: dict[str, JsonObject] = attrs.field(factory=dict, init=False)
    # Pictures of results that wait for the last result of their message, where the server takes none in a result.
    _pictures: list[ContentPart] = attrs.field(factory=list, init=False)
    # Reasoning that waits for what it led to, without which the upstream refuses it.
    _held: list[Item] = attrs.field(factory=list, init=False)
    # What the carrier of the reasoning just before says of the next text, and what that text's place says.
    _replay: ServerToolReplay = attrs.field(init=False)
    _phase: str = attrs.field(default="", init=False)
    _phase_here: str = attrs.field(default="", init=False)

    def build(self, request: Request) -> list[Item]:
        """Translate the whole conversation, system prompt first."""
        self._answered = _answered(request.messages)
        self._system(request.system)
        self.items += self.toolbox.server_tools.listed
        for index, message in enumerate(request.messages):
            if message.role == "assistant":
                self._assistant(message, index)
            else:
                self._incoming(message, content_of_message(index))
            if request.edits.reminders and message.content:
                self._remind(request.edits.reminders.get(index))
            if index in self.efforts:
                self.items.append(responses.effort_update(self.efforts[index]))
        self._drop_held(MESSAGES)
        return self.items

    # -- what goes in ----------------------------------------------------------------------

    def _system(self, blocks: tuple[ContentBlock, ...]) -> None:
        prompt: list[ContentPart] = []
        for index, block in enumerate(blocks):
            place = SYSTEM.at(index)
            parts = parts_of_block(block, place, self.report, files=self.profile.files, sources=self.sources)
            self.marks.put(block, parts if self.profile.developer_role else [], place)
            prompt += parts
        if prompt and self.profile.developer_role:
            self.items.append(responses.message_item("developer", prompt))

    def _remind(self, reminder: str | None) -> None:
        if reminder is not None:
            self.late_system = True
            self.items.append(responses.message_item(self._instructor, [responses.input_text(reminder)]))

    @property
    def _instructor(self) -> str:
        """The role of whoever instructs the model."""
        return "developer" if self.profile.developer_role else "system"

    def _incoming(self, message: Message, content: Place) -> None:
        if self._held or self._phase:
            self._drop_held(content.outer)
        if (plain := plain_question(message)) is not None and self._answers(plain):
            for ident, _, _ in plain.calls:
                del self._open[ident]
            self.items += plain.items
        else:
            self._mixed(message, content)

    def _answers(self, plain: PlainMessage) -> bool:
        """Whether each result in a plain message is that of a call which goes by its own id."""
        unknown = "", (0, 0)
        return all(self._open.get(ident, unknown)[0] == call_id for ident, call_id, _ in plain.calls)

    def _mixed(self, message: Message, content: Place) -> None:
        self.late_system = self.late_system or (message.role == "system" and bool(self.items))
        role = message.role if message.role == "user" else self._instructor
        last = len(message.content) - 1
        last_result = max((at for at, block in enumerate(message.content) if isinstance(block, ToolResult)), default=-1)
        for index, block in enumerate(message.content):
            place = content.at(index)
            if isinstance(block, ToolResult):
                self._flush(role)
                self._result(block, place, stable=index < last)
                if index == last_result and self._pictures:
                    self._parts += [responses.input_text(PICTURES), *self._pictures]
                    self._pictures = []
            else:
                parts = parts_of_block(block, place, self.report, files=self.profile.files, sources=self.sources)
                self.marks.put(block, parts, place, stable=index < last)
                self._parts += parts
                if isinstance(block, _LOADING):
                    self._flush(role)
                    self._load(block, place)
        self._flush(role)

    def _result(self, block: ToolResult, place: Place, *, stable: bool) -> None:
        content = place.field("content")
        inner = [
            parts_of_block(item, content.at(index), self.report, files=self.profile.files, sources=self.sources)
            for index, item in enumerate(block.content)
        ]
        parts = [part for each in inner for part in each]
        if has_marks(block):
            listed = isinstance(output_of(parts, is_error=False), list)
            self.marks.put_in_result(block, inner, place, listed=listed, stable=stable)
            parts = [part for each in inner for part in each]
        if not self.profile.result_pictures:
            parts = self._without_pictures(inner, place.field("content"))
        call_id, _ = self._open.pop(block.tool_use_id, ("", None))
        if not call_id:
            self.report.approximated(place, "answers no call of this conversation, so it is shown as text")
            mark = [responses.input_text(ERROR_MARK)] if block.is_error else []
            self._parts += [responses.input_text("Result of an earlier tool call:"), *mark, *parts]
            return
        self.items.append(responses.function_call_output(call_id, output_of(parts, is_error=block.is_error)))
        self._load(block, place)

    def _without_pictures(self, inner: list[list[ContentPart]], content: Place) -> list[ContentPart]:
        """Keep the pictures of a result for a message of the user's, behind the last result of the turn."""
        parts: list[ContentPart] = []
        for at, each in enumerate(inner):
            pictures = [part for part in each if part["type"] == "input_image"]
            if pictures:
                self.report.emulated(content.at(at), "a picture stands in a user message behind the results")
                self._pictures += pictures
            parts += [responses.input_text(PICTURE_BELOW) if part in pictures else part for part in each]
        return parts

    def _load(self, block: ContentBlock, place: Place) -> None:
        """Declare the tools that a block is the first to speak of, or speaks of anew."""
        brought = {
            tool_id(tool): tool
            for steps, each in spoken_of(block)
            for tool in self.toolbox.loaded_by(each, within(place, steps))
        }
        if brought and not self._loaded:
            self._loaded = {tool_id(tool): tool for tool in self.toolbox.declared}
        if fresh := {name: tool for name, tool in brought.items() if self._loaded.get(name) != tool}:
            self._loaded |= fresh
            self.items.append(responses.additional_tools(list(fresh.values())))

    def _flush(self, role: str) -> None:
        if self._parts:
            parts, self._parts = self._parts, []
            self.items.append(responses.message_item(role, parts))

    # -- what came out -----------------------------------------------------------------------

    def _assistant(self, message: Message, at: int) -> None:
        plain = plain_answer(message, self.profile.assistant_text, phases=self.reasoning.phases)
        begins = 0 if plain is None else plain.begins
        for index, block in enumerate(message.content[:begins]):
            if isinstance(block, REASONING):
                self._think(block, content_of_message(at).at(index))
        if plain is not None and self._is_new(plain):
            for ident, call_id, index in plain.calls:
                self._open[ident] = call_id, (at, index)
                self._used.add(call_id)
            if plain.items:
                self._release()
                self._phase = ""
                self.items += plain.items
        else:
            self._said(message, at, begins)
        for ident in [ident for ident, (_, position) in self._open.items() if position not in self._answered]:
            self._give_up(ident)

    def _is_new(self, plain: PlainMessage) -> bool:
        """Whether each call in a plain message has an id of its own, and its first text the phase that it had."""
        if self._phase and plain.phase is not None and self._phase != plain.phase:
            return False
        if plain.calls and TOOL_SEARCH.upstream in self.toolbox.server_tools.names:
            return False
        return all(ident not in self._open and call_id not in self._used for ident, call_id, _ in plain.calls)

    def _said(self, message: Message, at: int, begins: int) -> None:
        content = content_of_message(at)
        available, sources = self.profile.hosted, self.sources
        self._replay = ServerToolReplay(message, self.toolbox, self.report, available=available, sources=sources)
        by_index = cited_texts(message.content, content, self.report, sources)
        sent = {index for index, cited_text in by_index.items() if cited_text.text.strip()}
        phases = phases_of(message, sent) if self.reasoning.phases else {}
        for index in range(begins, len(message.content)):
            block, place, self._phase_here = message.content[index], content.at(index), phases.get(index, "")
            self.marks.note_substitute(block, place)
            if isinstance(block, REASONING):
                self._think(block, place)
            elif isinstance(block, ToolUse):
                self._call(block, (at, index))
            elif isinstance(block, Text):
                if index in by_index:
                    self._say(by_index[index].text, by_index[index].annotations)
            else:
                self._say_otherwise(block, place)

    def _think(self, block: Thinking | RedactedThinking, place: Place) -> None:
        item, self._phase = self.reasoning.restore(block, place)
        if item is not None:
            self._held.append(item)

    def _say(self, text: str, annotations: Sequence[JsonObject] = ()) -> None:
        if text.strip():
            self._release()
            said = responses.Said(text, annotations, self._phase or self._phase_here)
            self.items.append(responses.assistant_message(said, self.profile.assistant_text, len(self.items)))
            self._phase = ""

    def _say_otherwise(self, block: ContentBlock, place: Place) -> None:
        if isinstance(block, Unknown):
            items = self._replay.items(block)
            if items is None:
                self._say(self._replay.text(block, place))
            elif items:
                self._release()
                self.items += items
        else:
            self._parts = parts_of_block(block, place, self.report, files=self.profile.files, sources=self.sources)
            self._flush("user")
            self._load(block, place)

    def _call(self, block: ToolUse, position: Position) -> None:
        if block.id in self._open:  # the next result with this id will be the new call's
            self._give_up(block.id)
        self._release()
        self._phase = ""
        call_id = call_id_of(block.id)
        if call_id in self._used:  # an id that comes back in a later turn
            call_id = f"again_{digest(f'{call_id} {len(self._used)}', 40)}"
        self._used.add(call_id)
        self._open[block.id] = call_id, position
        name = upstream_name(block.name, block.toolset_name)
        own = name if block.toolset_name else block.name
        searched = bool(self.toolbox.functions.get(own, {}).get("defer_loading"))
        self.items.append(responses.function_call(call_id, name, block.input, searched=searched))

    def _give_up(self, ident: str) -> None:
        """Give a call that nothing answers an output that says so."""
        call_id, (at, index) = self._open.pop(ident)
        place = content_of_message(at).at(index)
        self.report.approximated(place, "a call without a result was given one that says so")
        self.items.append(responses.function_call_output(call_id, _UNANSWERED))

    def _release(self) -> None:
        self.items += self._held
        self._held = []

    def _drop_held(self, place: Place) -> None:
        """Leave out reasoning that led to nothing: the upstream refuses it without what followed."""
        if self._held:
            self.report.dropped(place, "reasoning that nothing followed")
        self._held = []
        self._phase = ""


def _answered(messages: Iterable[Message]) -> set[Position]:
    """Find the calls that get a result before their id is used again."""
    answered: set[Position] = set()
    waiting: dict[str, Position] = {}
    for at, message in enumerate(messages):
        for index, block in enumerate(message.content):
            if isinstance(block, ToolUse) and message.role == "assistant":
                waiting[block.id] = (at, index)
            elif isinstance(block, ToolResult) and message.role != "assistant" and block.tool_use_id in waiting:
                answered.add(waiting.pop(block.tool_use_id))
    return answered


def instructions(request: Request) -> str:
    """The system prompt as one text, for servers that know no developer role."""
    texts = [block.text for block in request.system if isinstance(block, Text)]
    return "\n\n".join(filter(None, texts))
