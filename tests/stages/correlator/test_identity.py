"""Who is who: any stream, whatever is done to its ids, places and repetitions, is the message of the whole object."""

from __future__ import annotations

import json
import sys
from random import Random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import (
    ArgumentsDelta,
    ArgumentsDone,
    JsonDelta,
    MessageEnd,
    TextDelta,
    TextStart,
    ThinkingDelta,
    ThinkingStart,
    ToolUseStart,
)
from stages.canonical.failure import Failure
from stages.correlator.ledger import Ledger, Part
from stages.json_buffer import JsonBuffer
from stages.wire import json as wire
from stages.wire import responses_stream
from tests.stages.correlator.items import PLAN, added, call, done, ended, message, parts, say
from tests.stages.strategies import JSON
from tests.support.cases import cases

Item = dict[str, Any]
Event = dict[str, Any]

WORDS = st.text(st.sampled_from("ab \n🙂"), min_size=1, max_size=12).filter(str.strip)
TEXTS = st.lists(WORDS, min_size=1, max_size=2)


@st.composite
def answers(draw: st.DrawFn) -> list[Item]:
    """Draw the items of an answer: no two calls alike, no two texts, and reasoning in front of an answer alone."""
    kinds = [*draw(st.lists(st.sampled_from(("message", "call", "reasoning")), min_size=1, max_size=4)), "message"]
    items: list[Item] = []
    for at, kind in enumerate(kinds):
        mark = f"{at}."
        if kind == "message":
            texts = [mark + text for text in draw(TEXTS)]
            items.append(message(*texts, ident=f"msg_{at}"))
        elif kind == "call":
            name = draw(st.sampled_from(("f", "g")))
            items.append(call(json.dumps({"n": at, "t": draw(WORDS)}), name, f"call_{at}", f"fc_{at}"))
        else:
            words = [{"type": "reasoning_text", "text": mark + text} for text in draw(TEXTS)]
            field = draw(st.sampled_from(("summary", "content")))
            items.append({"type": "reasoning", "id": f"rs_{at}", field: words})
    return items


def spoken(items: list[Item], random: Random) -> list[Event]:
    """The events that bring these items, one item after another, as the API sends them."""
    events: list[Event] = []
    for index, item in enumerate(items):
        place = {"output_index": index}
        empty = {key: [] if isinstance(value, list) else value for key, value in item.items()}
        events.append(
            {
                "type": "response.output_item.added",
                "item": empty | ({"arguments": ""} if "name" in item else {}),
                **place,
            }
        )
        for kind, field, at, text in _texts(item):
            base = {"item_id": item["id"], field: at, **place}
            if field == "content_index" and kind == "output_text":
                events.append({"type": "response.content_part.added", "part": {}, **base})
            elif kind == "reasoning_summary_text":
                events.append({"type": "response.reasoning_summary_part.added", **base})
            elif kind == "reasoning_text":
                events.append({"type": "response.reasoning_part.added", **base})
            cut = random.randint(0, len(text))
            pieces = (text[:cut], text[cut:])
            events += [{"type": f"response.{kind}.delta", "delta": piece, **base} for piece in pieces]
            whole = "arguments" if "name" in item else "text"
            events.append({"type": f"response.{kind}.done", whole: text, **base})
        events.append({"type": "response.output_item.done", "item": item, **place})
    return events


def _texts(item: Item) -> list[tuple[str, str, int, str]]:
    if "name" in item:
        return [("function_call_arguments", "nothing", 0, item["arguments"])]
    kinds = {"content": ("output_text", "content_index"), "summary": ("reasoning_summary_text", "summary_index")}
    if item["type"] == "reasoning":
        kinds["content"] = ("reasoning_text", "content_index")
    return [(*kinds[field], at, part["text"]) for field in kinds for at, part in enumerate(item.get(field, ()))]


# -- what a seeded hand does to a stream --------------------------------------------------------------


def _ids(events: list[Event]) -> list[tuple[Event, str]]:
    """Where ids stand: in the event, and in its item."""
    return [(e, "item_id") for e in events if "item_id" in e] + [(e["item"], "id") for e in events if "item" in e]


def same_id(events: list[Event], _: Random) -> list[Event]:
    """One id for all items."""
    for holder, key in _ids(events):
        holder[key] = "item"
    return events


def ids_gone(events: list[Event], _: Random) -> list[Event]:
    """No ids at all."""
    for holder, key in _ids(events):
        holder.pop(key, None)
    return events


def ids_of_calls(events: list[Event], _: Random) -> list[Event]:
    """Calls are named by their `call_id` alone, and have no place."""
    names = {e["item"]["id"]: e["item"]["call_id"] for e in events if "call_id" in e.get("item", {})}
    for holder, key in _ids(events):
        if holder[key] in names:
            if key == "id":
                del holder[key]
            else:
                holder[key] = names[holder[key]]
    return events


def ids_anew(events: list[Event], random: Random) -> list[Event]:
    """Another id in each event."""
    for holder, key in _ids(events):
        holder[key] = f"x{random.random()}"
    return events


def done_renamed(events: list[Event], random: Random) -> list[Event]:
    """Whole items have new ids."""
    for event in events:
        if event["type"].endswith("item.done"):
            event["item"] = {**event["item"], "id": f"y{random.random()}"}
    return events


def places_gone(events: list[Event], _: Random) -> list[Event]:
    """No `output_index`."""
    for event in events:
        event.pop("output_index", None)
    return events


def places_shifted(events: list[Event], random: Random) -> list[Event]:
    """All places begin elsewhere."""
    shift = random.randint(1, 9)
    for event in events:
        event["output_index"] += shift
    return events


def places_zero(events: list[Event], _: Random) -> list[Event]:
    """Every place is 0."""
    for event in events:
        event["output_index"] = 0
    return events


def parts_carried_on(events: list[Event], _: Random) -> list[Event]:
    """The index of parts goes on from item to item."""
    return _counted(events, lambda event: event["type"].endswith("part.added"))


def parts_counting(events: list[Event], _: Random) -> list[Event]:
    """The index of parts counts deltas."""
    return _counted(events, lambda event: event["type"].endswith(".delta"))


def _counted(events: list[Event], counts: Any) -> list[Event]:
    number = 0
    for event in events:
        for key in ("content_index", "summary_index"):
            if key in event:
                event[key] = number
        number += bool(counts(event))
    return events


def parts_gone(events: list[Event], _: Random) -> list[Event]:
    """No index of parts."""
    return [{k: v for k, v in e.items() if k not in ("content_index", "summary_index")} for e in events]


def dropped(events: list[Event], *ends: str) -> list[Event]:
    """Leave out events."""
    return [event for event in events if not event["type"].endswith(ends)]


def text_done_gone(events: list[Event], _: Random) -> list[Event]:
    """No part and no arguments are said to be whole."""
    return dropped(events, "text.done", "arguments.done")


def item_done_gone(events: list[Event], _: Random) -> list[Event]:
    """No item is said to be whole."""
    return dropped(events, "item.done")


def added_gone(events: list[Event], _: Random) -> list[Event]:
    """Nothing is announced."""
    return dropped(events, "item.added")


def deltas_gone(events: list[Event], _: Random) -> list[Event]:
    """Nothing comes in pieces."""
    return dropped(events, ".delta")


def done_twice(events: list[Event], random: Random) -> list[Event]:
    """What is whole is said again."""
    return [
        again for e in events for again in ([e, e] if e["type"].endswith(".done") and random.random() < 0.6 else [e])
    ]


NAMES = (same_id, ids_gone, ids_of_calls, ids_anew, done_renamed)
PLACES = (places_gone, places_shifted, places_zero)
INDEXES = (parts_carried_on, parts_counting, parts_gone)
LOSSES = (text_done_gone, item_done_gone, done_twice, added_gone, deltas_gone)


def final_object(items: list[Item], random: Random) -> list[Item] | None:
    """The output of the terminal event: absent, as it was, with new ids, or trimmed."""
    match random.randint(0, 3):
        case 0:
            return None
        case 1:
            return items
        case 2:
            fresh = {"id": lambda: f"z{random.random()}", "call_id": lambda: f"call_z{random.random()}"}
            return [{k: fresh[k]() if k in fresh else v for k, v in item.items()} for item in items]
        case _:
            trimmed: list[Item] = json.loads(json.dumps(items))
            for item in trimmed:
                item.pop("id")
                for part in item.get("content", ()):
                    part["text"] = part["text"].strip()
            return trimmed


def said(made: list[Part]) -> list[Any]:  # noqa: C901 - one case for each class
    """What a message says: its texts, each kind's pieces of one kind in a row joined, its calls with what they hold."""
    found: list[Any] = []
    buffer: JsonBuffer | None = None

    def close() -> None:
        nonlocal buffer
        if buffer is not None:
            found[-1][2] += "".join(d.partial_json for d in buffer.finish() if isinstance(d, JsonDelta))
            found[-1][2] = json.loads(found[-1][2] or "{}")
            buffer = None

    for part in made:
        match part:
            case TextStart() | ThinkingStart():
                close()
                kind = "text" if isinstance(part, TextStart) else "thinking"
                if not found or found[-1][0] != kind:
                    found.append([kind, ""])
            case ToolUseStart(_, name):
                close()
                buffer = JsonBuffer()
                found.append(["call", name, ""])
            case TextDelta(text) | ThinkingDelta(text):
                found[-1][1] += text
            case ArgumentsDelta() | ArgumentsDone():
                assert buffer is not None
                found[-1][2] += "".join(d.partial_json for d in buffer.feed(part) if isinstance(d, JsonDelta))
            case MessageEnd(reason):
                close()
                found.append(reason)
            case Failure():
                found.append(part)
            case _:
                pass
    return [[block[0], "".join(block[1].split())] if block[0] in ("text", "thinking") else block for block in found]


def _optional(*choices: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from((None, *choices))


def _possible(hands: list[Any]) -> bool:
    """Whether enough is left to tell items apart, and to say them at all."""
    names, places, _, loss = hands
    blind = names in (ids_gone, ids_anew, same_id) and places in (places_gone, places_zero)
    if names in (ids_anew, same_id, ids_gone, done_renamed) and places is places_zero:
        return False  # nothing but the order of events would tell items from repetitions
    return not (loss in (added_gone, item_done_gone, done_twice, deltas_gone) and blind)


@given(
    answers(),
    st.tuples(_optional(*NAMES), _optional(*PLACES), _optional(*INDEXES), _optional(*LOSSES))
    .map(list)
    .filter(_possible),
    st.integers(0, 2**32),
)
def test_any_stream_is_the_message_of_the_whole_object(items: list[Item], hands: list[Any], seed: int) -> None:
    """Ids, places and `done`s removed, renamed, shifted, repeated: text, thinking and calls are those of the object."""
    random = Random(seed)
    events = json.loads(json.dumps(spoken(items, random)))
    for hand in hands:
        events = hand(events, random) if hand is not None else events
    output = final_object(items, random)
    if added_gone in hands and item_done_gone in hands:
        output = items
    stream = [responses_stream.decode(wire.encode(event)) for event in events]

    assert said(parts(*stream, ended(output=output))) == said(parts(ended(output=items)))


@given(st.lists(JSON, max_size=4), JSON, st.sampled_from(["item", "part", "response", "annotation", "delta"]))
def test_any_values_anywhere(values: list[Any], other: Any, field: str) -> None:
    """Whatever stands where an item, a part or a response should: parts of a message or a failure, no exception."""
    ledger = Ledger(PLAN)
    for name in ("output_item.added", "output_text.delta", "content_part.done", "output_item.done", "completed"):
        for value in [*values, {"type": other, "id": other, "content": values}, {"output": values, "status": other}]:
            event = responses_stream.decode(wire.encode({"type": f"response.{name}", field: value, "item_id": other}))
            assert all(part is not None for part in ledger.feed(event))


BROKEN = [b'{"type":"message","id":"\xff"}', b'{"n":' + b"9" * 5_000 + b"}"]


@cases("value", BROKEN)
@cases(
    "event", ["output_item.added", "output_item.done", "content_part.done", "completed", "output_text.annotation.added"]
)
def test_what_no_json_is_after_all_is_the_upstreams_fault(value: bytes, event: str) -> None:
    """Bytes that are no UTF-8, and numbers of 5,000 digits, in what is left raw at first."""
    raw = responses_stream.StreamEvent(f"response.{event}", item_id="m")
    for field in ("item", "part", "annotation"):
        setattr(raw, field, msgspec.Raw(value))
    raw.response = msgspec.Raw(b'{"output":[' + value + b"]}")
    made = parts(added("message", 0, id="m"), raw)

    assert [part.cause for part in made if isinstance(part, Failure)] == ["bad_event"]


def steps(count: int) -> int:
    """How many lines of the books run for so many items."""
    events = [added("message", 0, id="m")]
    events += [added("function_call", at, id=f"fc_{at}", call_id="call_1", name="f") for at in range(1, count)]
    events += [say("arguments", "{}", item_id=f"fc_{at}") for at in range(1, count)]
    events += [done(call(ident=f"fc_{at}"), at) for at in range(1, count)]
    events += [ended(output=[call(ident=f"fc_{at}") for at in range(1, count)])]
    ledger, lines = Ledger(PLAN), 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines
        if "correlator" not in frame.f_code.co_filename:
            return None
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for event in events:
            for _ in ledger.feed(event):
                pass
    finally:
        sys.settrace(before)
    return lines


def test_the_books_are_linear() -> None:
    """Twice the items, all of which wait and want one id, cost twice the steps."""
    assert steps(400) < 2.2 * steps(200)
