"""Events: a scenario written as the API writes it, one event after another, and the final response object.

Keys stand in alphabetical order after `type`, as in the newest recordings, and every event carries the next
`sequence_number`. The response object of the last event is what a request without `stream` gets, so both ways cannot
differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from attrs import field, frozen

from pipeline.emulator.code import made_file
from pipeline.emulator.ids import AnswerIds, seal_reasoning
from pipeline.emulator.response import EmulatedUsage, ResponseObject, has_phase
from pipeline.emulator.scenario import (
    CallItem,
    Citation,
    Closing,
    CodeItem,
    FileCitation,
    MessageItem,
    ReasoningItem,
    Scenario,
    ScenarioItem,
    SearchItem,
    fragments,
)

Event: TypeAlias = dict[str, Any]
"""One event as a JSON object."""

_SOURCES, _OUTPUTS = "web_search_call.action.sources", "code_interpreter_call.outputs"
_LAST = {"completed": "response.completed", "incomplete": "response.incomplete", "failed": "response.failed"}


@frozen
class EventWriter:
    """Writes a scenario as events, with all that this needs to know of its request.

    `container` is the machine that code runs on.
    """

    request: dict[str, Any] = field(repr=False)
    scenario: Scenario
    ids: AnswerIds
    usage: EmulatedUsage
    container: str = ""

    @property
    def final(self) -> Event:
        """The response object as it is at the end."""
        output = [self.item(index, "completed") for index in range(len(self.scenario.items))]
        return ResponseObject(self.request, self.ids).ended(self.scenario.ending, output, self.usage)

    def events(self) -> Iterator[Event]:
        """Write the scenario from `response.created` to the last event, or to where it is cut."""
        for number, (name, fields) in enumerate(self._unnumbered()):
            fields["sequence_number"] = number
            yield {"type": name, **{key: fields[key] for key in sorted(fields)}}

    def item(self, index: int, stage: str) -> Event:
        """Give the output item at `index` as it is at a stage: `added`, `done` or `completed`."""
        item = self.scenario.items[index]
        return _SHAPES[type(item)](self, item, index, stage)

    def status(self, index: int, stage: str) -> str:
        """Tell an item's status: the ending decides about the last one."""
        if stage == "added":
            return "in_progress"
        last = index == len(self.scenario.items) - 1
        return self.scenario.ending.closing.value if last else "completed"

    def _unnumbered(self) -> Iterator[tuple[str, Event]]:
        begun = ResponseObject(self.request, self.ids).begun()
        yield "response.created", {"response": begun}
        yield "response.in_progress", {"response": begun}
        for index, item in enumerate(self.scenario.items):
            yield from self._item_events(index, item)
        yield from self._ending_events()

    def _item_events(self, index: int, item: ScenarioItem) -> Iterator[tuple[str, Event]]:
        yield "response.output_item.added", {"item": self.item(index, "added"), "output_index": index}
        place = {"item_id": self.item(index, "added")["id"], "output_index": index}
        left_open = index == len(self.scenario.items) - 1 and self.scenario.ending.closing is Closing.OPEN
        for name, fields in _CONTENTS[type(item)](self, item):
            if left_open and not name.endswith((".delta", ".added")):
                return  # the scenario breaks off here: neither this part nor its item is closed
            yield name, {**place, **fields}
        yield "response.output_item.done", {"item": self.item(index, "done"), "output_index": index}

    def _ending_events(self) -> Iterator[tuple[str, Event]]:
        ending = self.scenario.ending
        if ending.error_event:
            error = {"type": "tokens", "code": ending.code, "message": ending.message, "param": None}
            yield "error", {"error": error}
        if ending.terminal:
            yield _LAST[ending.status], {"response": self.final}

    def deltas(self, name: str, pieces: Iterable[str], **fields: Any) -> Iterator[tuple[str, Event]]:
        """Write pieces as deltas, padded against eavesdroppers unless the request declines that."""
        padded = (self.request.get("stream_options") or {}).get("include_obfuscation") is not False
        for number, piece in enumerate(pieces):
            padding = {"obfuscation": self.ids.padding(piece, number)} if padded else {}
            yield name, {"delta": piece, **fields, **padding}


def _reasoning_shape(writer: EventWriter, item: ReasoningItem, index: int, stage: str) -> Event:
    item_id = writer.ids.item("rs", index)
    shape: Event = {"id": item_id, "type": "reasoning", "content": []}
    if "reasoning.encrypted_content" in (writer.request.get("include") or []):
        shape["encrypted_content"] = seal_reasoning(item_id, stage, writer.ids.created_at)
    shape["summary"] = [] if stage == "added" else [_summary("".join(part)) for part in item.parts]
    return shape


def _speech_shape(writer: EventWriter, item: MessageItem, index: int, stage: str) -> Event:
    shape: Event = {
        "id": writer.ids.item("msg", index),
        "type": "message",
        "status": writer.status(index, stage),
        "content": [] if stage == "added" else [_part(writer, item, "".join(item.pieces))],
    }
    if has_phase(writer.request["model"]):
        before_call = any(isinstance(other, CallItem) for other in writer.scenario.items[index:])
        shape["phase"] = "commentary" if before_call else "final_answer"
    return {**shape, "role": "assistant"}


def _call_shape(writer: EventWriter, item: CallItem, index: int, stage: str) -> Event:
    return {
        "id": writer.ids.item("fc", index),
        "type": "function_call",
        "status": writer.status(index, stage),
        "arguments": "" if stage == "added" else "".join(item.pieces),
        "call_id": writer.ids.call(index),
        "name": item.name,
    }


def _search_shape(writer: EventWriter, item: SearchItem, index: int, stage: str) -> Event:
    action: Event = {"type": "search"}
    if stage != "added":
        action |= {"queries": [item.query], "query": item.query}
        if _SOURCES in (writer.request.get("include") or []):
            action["sources"] = [{"type": "url", "url": url} for url in item.urls]
    return {
        "id": writer.ids.item("ws", index),
        "type": "web_search_call",
        "status": writer.status(index, stage),
        "action": action,
    }


def _code_shape(writer: EventWriter, item: CodeItem, index: int, stage: str) -> Event:
    told = stage != "added" and _OUTPUTS in (writer.request.get("include") or [])
    return {
        "id": writer.ids.item("ci", index),
        "type": "code_interpreter_call",
        "status": writer.status(index, stage),
        "code": "" if stage == "added" else item.code,
        "container_id": writer.container,
        "outputs": [{"type": "logs", "logs": item.logs}] if told else None,
    }


def _tell_reasoning(writer: EventWriter, item: ReasoningItem) -> Iterator[tuple[str, Event]]:
    for index, pieces in enumerate(item.parts):
        text, place = "".join(pieces), {"summary_index": index}
        yield "response.reasoning_summary_part.added", {**place, "part": _summary("")}
        yield from writer.deltas("response.reasoning_summary_text.delta", pieces, **place)
        yield "response.reasoning_summary_text.done", {**place, "text": text}
        yield "response.reasoning_summary_part.done", {**place, "part": _summary(text)}


def _tell_speech(writer: EventWriter, item: MessageItem) -> Iterator[tuple[str, Event]]:
    text, place = "".join(item.pieces), {"content_index": 0}
    kind, said = ("refusal", "refusal") if item.refusal else ("output_text", "text")
    extra: Event = {} if item.refusal else {"logprobs": []}
    yield "response.content_part.added", {**place, "part": _part(writer, item, "")}
    notes = {note.piece: note for note in item.citations}
    for number, delta in enumerate(writer.deltas(f"response.{kind}.delta", item.pieces, **place, **extra)):
        yield delta
        if number in notes:
            index = item.citations.index(notes[number])
            said_so = {"annotation": _annotation(writer, item, notes[number]), "annotation_index": index}
            yield "response.output_text.annotation.added", {**place, **said_so}
    yield f"response.{kind}.done", {**place, **extra, said: text}
    yield "response.content_part.done", {**place, "part": _part(writer, item, text)}


def _tell_call(writer: EventWriter, item: CallItem) -> Iterator[tuple[str, Event]]:
    yield from writer.deltas("response.function_call_arguments.delta", item.pieces)
    yield "response.function_call_arguments.done", {"arguments": "".join(item.pieces)}


def _tell_search(_telling: EventWriter, _item: SearchItem) -> Iterator[tuple[str, Event]]:
    for state in ("in_progress", "searching", "completed"):
        yield f"response.web_search_call.{state}", {}


def _tell_code(writer: EventWriter, item: CodeItem) -> Iterator[tuple[str, Event]]:
    yield "response.code_interpreter_call.in_progress", {}
    yield from writer.deltas("response.code_interpreter_call_code.delta", fragments(item.code))
    yield "response.code_interpreter_call_code.done", {"code": item.code}
    yield "response.code_interpreter_call.interpreting", {}
    yield "response.code_interpreter_call.completed", {}


def _summary(text: str) -> Event:
    return {"type": "summary_text", "text": text}


def _part(writer: EventWriter, item: MessageItem, text: str) -> Event:
    if item.refusal:
        return {"type": "refusal", "refusal": text}
    notes = [_annotation(writer, item, note) for note in item.citations if text and note.piece < len(item.pieces)]
    return {"type": "output_text", "annotations": notes, "logprobs": [], "text": text}


def _annotation(writer: EventWriter, item: MessageItem, note: Citation | FileCitation) -> Event:
    before, link = "".join(item.pieces[: note.piece]), item.pieces[note.piece]
    end = len(before) + len(link)
    place = {"end_index": end, "start_index": end - len(link.lstrip())}
    if isinstance(note, Citation):
        return {"type": "url_citation", **place, "title": note.title, "url": note.url}
    ident, _ = made_file(writer.ids, note.filename)
    named = {"container_id": writer.container, "file_id": ident, "filename": note.filename}
    return {"type": "container_file_citation", **place, **named}


_SHAPES: dict[type[ScenarioItem], Callable[[EventWriter, Any, int, str], Event]] = {
    ReasoningItem: _reasoning_shape,
    MessageItem: _speech_shape,
    CallItem: _call_shape,
    SearchItem: _search_shape,
    CodeItem: _code_shape,
}
_CONTENTS: dict[type[ScenarioItem], Callable[[EventWriter, Any], Iterator[tuple[str, Event]]]] = {
    ReasoningItem: _tell_reasoning,
    MessageItem: _tell_speech,
    CallItem: _tell_call,
    SearchItem: _tell_search,
    CodeItem: _tell_code,
}
