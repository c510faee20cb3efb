"""What the chat template of a model demands of a conversation, and the API does not.

Engines hand a conversation to a template that comes with the model, and some templates raise an exception over what
every client of the API does: a system message in the middle, two messages of one side, several calls at once.  The
request is mapped as ever; here it is put in the form that a profile says the template takes, and reported.  What is
put together depends on what follows, so a conversation that ends inside a turn is no prefix of its continuation
(law 9): the template leaves no other way.
"""

from __future__ import annotations

from typing import Any

from stages.canonical.place import MESSAGES, SYSTEM
from stages.canonical.report import Report
from stages.canonical.request import Request
from stages.tables.identifiers import digest
from stages.wire import responses_request as responses
from stages.wire.responses_request import ContentPart, Item

ID_LENGTH = 9
"""Letters and digits of a call's id that the templates of Mistral's models take, and no others."""

_PARAGRAPH = "\n\n"


def place_results(body: dict[str, Any], _: Request, report: Report) -> None:
    """Where one call at a time is taken, each result stands right behind its call."""
    results = {item["call_id"]: item for item in body["input"] if item["type"] == "function_call_output"}
    placed: list[Item] = []
    for item in body["input"]:
        if item["type"] != "function_call_output":
            placed.append(item)
        if item["type"] == "function_call" and item["call_id"] in results:
            placed.append(results[item["call_id"]])
    if [id(item) for item in placed] != [id(item) for item in body["input"]]:
        body["input"] = placed
        report.emulated(MESSAGES, "calls that were made at once stand one after another, each with its result")


def shorten_ids(body: dict[str, Any], _: Request, report: Report) -> None:
    """Where ids of calls have a fixed length, a hash of them stands for them."""
    if any("call_id" in item for item in body["input"]):
        body["input"] = [
            {**item, "call_id": digest(item["call_id"], ID_LENGTH)} if "call_id" in item else item
            for item in body["input"]
        ]
        report.emulated(MESSAGES, "ids of calls are shortened to what the model's chat template takes")


def say_system_as_user(body: dict[str, Any], _: Request, report: Report) -> None:
    """Where no system prompt is taken, its text leads the first message of the user's."""
    prompt = [responses.input_text(body.pop("instructions"))] if "instructions" in body else []
    items: list[Item] = body["input"]
    if items and _is_system(items[0]):
        prompt, items = [*prompt, *items[0]["content"]], items[1:]
    if not prompt:
        return
    if items and _is_by("user", items[0]):
        body["input"] = [{**items[0], "content": [*prompt, *items[0]["content"]]}, *items[1:]]
    else:
        body["input"] = [responses.message_item("user", prompt), *items]
    report.emulated(SYSTEM, "the model's chat template takes no system prompt, so it leads the user's first message")


def remind(body: dict[str, Any], _: Request, report: Report) -> None:
    """Where no system message is taken behind others, the user's side says it, marked as Claude Code marks it."""
    first = 0 if "instructions" in body else 1
    late = {at for at, item in enumerate(body["input"]) if at >= first and _is_system(item)}
    if late:
        body["input"] = [
            {**item, "role": "user", "content": [*map(_reminder, item["content"])]} if at in late else item
            for at, item in enumerate(body["input"])
        ]
        report.emulated(MESSAGES, "a system message behind others stands in the user's turn, as a reminder")


def take_turns(body: dict[str, Any], _: Request, report: Report) -> None:
    """Where nobody may speak twice in a row, one message says it all; what follows a result stands in the result."""
    runs: list[list[Item]] = []
    for item in body["input"]:
        if runs and _goes_on(runs[-1][0], item):
            runs[-1].append(item)
        else:
            runs.append([item])
    if len(runs) < len(body["input"]):
        body["input"] = [run[0] if len(run) == 1 else _as_one(run) for run in runs]
        report.emulated(MESSAGES, "what one side says in a row stands in one message, as the chat template demands")


def _is_by(role: str, item: Item) -> bool:
    return item["type"] == "message" and bool(item["role"] == role)


def _is_system(item: Item) -> bool:
    return _is_by("developer", item) or _is_by("system", item)


def _reminder(part: ContentPart) -> ContentPart:
    if part["type"] != "input_text":
        return part
    return {**part, "text": f"<system-reminder>\n{part['text']}\n</system-reminder>"}


def _goes_on(first: Item, item: Item) -> bool:
    """Whether an item says more of what another has begun to say; a result takes texts alone."""
    if _is_by("user", item):
        is_text = all(part["type"] == "input_text" for part in item["content"])
        return _is_by("user", first) or (first["type"] == "function_call_output" and is_text)
    return _is_by("assistant", first) and _is_by("assistant", item)


def _as_one(run: list[Item]) -> Item:
    """Put a run together in the form of its first item: as one text where that is one, else in parts."""
    name = "output" if run[0]["type"] == "function_call_output" else "content"
    contents = [item[name if at == 0 else "content"] for at, item in enumerate(run)]
    if isinstance(contents[0], str):
        return {**run[0], name: _PARAGRAPH.join(filter(None, map(_text, contents)))}
    make = responses.output_text if _is_by("assistant", run[0]) else responses.input_text
    parts = [[make(each)] if isinstance(each, str) else each for each in contents]
    return {**run[0], name: [part for each in parts for part in each]}


def _text(content: str | list[ContentPart]) -> str:
    return content if isinstance(content, str) else _PARAGRAPH.join(part["text"] for part in content)
