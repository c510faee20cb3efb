"""What the ledger decides about reasoning, about endings, and about what has no counterpart."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from stages.canonical.events import BlockStop, MessageEnd, Usage
from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import ThinkingDisplay
from stages.correlator.ledger import Ledger
from stages.wire import responses_stream
from stages.wire.responses_stream import StreamEvent
from tests.stages.correlator.items import PLAN, added, call, done, ended, message, parts, reasoning, say, told
from tests.support.cases import cases

END = ended()
CALLED = "call f toolu_call_1: "


# -- reasoning --------------------------------------------------------------------------------------

THOUGHT = "thinking: hm (sealed "


@pytest.mark.parametrize("phase", ["", "commentary", "final_answer"])
def test_reasoning_carries_the_phase_of_its_successor(phase: str) -> None:
    """The block stays open until it is known what follows."""
    ledger = Ledger(PLAN)

    def feed(*events: StreamEvent) -> list[str]:
        return told([part for event in events for part in ledger.feed(event)])

    assert feed(added("reasoning", 0, id="rs_1"), say("summary", "hm", item_id="rs_1")) == ["thinking: hm"]
    assert feed(done(reasoning("hm"), 0)) == []
    assert feed(added("message", 1, id="m", **({"phase": phase} if phase else {}))) == []
    assert feed(say("text", "a", item_id="m")) == [f" (sealed {phase}).", "text: a"]


def test_the_carrier_is_that_of_the_whole_item() -> None:
    """Each event seals the reasoning anew; the first whole item counts, not the announcement and not the end."""
    early = {**reasoning("hm", sealed="early"), "summary": []}
    late = reasoning("hm", sealed="late")
    events = [StreamEvent("response.output_item.added", output_index=0, item=responses_stream.dump(early))]

    made = told(parts(*events, done(reasoning("hm"), 0), done(message("a"), 1), ended(output=[late, message("a")])))
    assert made == [THOUGHT + ").", "text: a.", "end_turn"]


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        ([done(reasoning("hm"), 0), done(call(), 1)], [THOUGHT + ").", CALLED + " = {}.", "tool_use"]),
        ([done(reasoning("hm"), 0)], [THOUGHT + ").", "end_turn"]),
        (
            [done(reasoning("hm", ident="a"), 0), done(reasoning("oh", ident="b"), 1), done(message("x"), 2)],
            [THOUGHT + ").", "thinking: oh (sealed ).", "text: x.", "end_turn"],
        ),
        (
            [done(message("x"), 0), done(reasoning("hm"), 1), done(call(), 2)],
            ["text: x.", THOUGHT + ").", CALLED + " = {}.", "tool_use"],
        ),
        ([done(message("x"), 0), done(reasoning("hm"), 1)], ["text: x.", "end_turn"]),
        ([done(call(), 0), done(reasoning("hm"), 1)], [CALLED + " = {}.", "tool_use"]),
        ([done(reasoning(sealed=""), 0), done(message("x"), 1)], ["text: x.", "end_turn"]),
        ([done(reasoning(sealed="s"), 0), done(message("x"), 1)], ["thinking:  (s ).", "text: x.", "end_turn"]),
        (
            [say("summary", "hm", output_index=0), say("text", "x", output_index=1)],
            ["thinking: hm ( ).", "text: x.", "end_turn"],
        ),
        (
            [done(reasoning("hm"), 0), done(message(" "), 1), done(message("x", ident="b"), 2)],
            [THOUGHT + ").", "text: x.", "end_turn"],
        ),
    ],
    ids=[
        "before a call",
        "alone",
        "two",
        "between",
        "after text",
        "after a call",
        "empty",
        "sealed only",
        "not whole",
        "before nothing",
    ],
)
def test_where_reasoning_may_stand(events: list[StreamEvent], lines: list[str]) -> None:
    """Before what it led to; never last behind an answer, where it would hide it; never without content."""
    assert told(parts(*events, END)) == lines


def test_left_out_reasoning_is_counted() -> None:
    """Nothing is lost in silence."""
    end = parts(done(message("x"), 0), done(reasoning("hm"), 1), END)[-1]

    assert isinstance(end, MessageEnd)
    assert end.left_out == (("trailing reasoning", 1),)


@pytest.mark.parametrize(
    ("display", "line"),
    [
        (ThinkingDisplay.SHOWN, "thinking: one\n\ntwo (sealed )."),
        (ThinkingDisplay.OMITTED, "thinking:  (sealed )."),
        (ThinkingDisplay.NONE, "text: x."),
    ],
)
def test_what_a_client_sees_of_reasoning(display: ThinkingDisplay, line: str) -> None:
    """All of it, the carrier alone, or nothing."""
    made = parts(
        done(reasoning("one", "two"), 0), done(message("x"), 1), END, plan=attrs.evolve(PLAN, thinking=display)
    )

    assert told(made)[0] == line
    assert told(made)[-2:] == ["text: x.", "end_turn"]


# -- endings ----------------------------------------------------------------------------------------


@cases(
    ("end", "line"),
    [
        (ended("incomplete", incomplete_details={"reason": "max_output_tokens"}), "max_tokens"),
        (ended("incomplete", incomplete_details={"reason": "content_filter"}), "refusal"),
        (ended("incomplete", incomplete_details={"reason": "boredom"}), "end_turn"),
        (ended("incomplete"), "max_tokens"),
        (ended("failed", error={"code": "server_error", "message": "m"}), "failure server_error"),
        (ended("failed"), "failure None"),
        (ended("cancelled"), "failure None"),
        (StreamEvent("error", code=responses_stream.dump("rate_limit_exceeded")), "failure rate_limit_exceeded"),
        (StreamEvent("error", error=responses_stream.dump({"code": "slow_down"})), "failure slow_down"),
        (StreamEvent("", error=responses_stream.dump({"code": "slow_down"})), "failure slow_down"),
        (StreamEvent("response.completed"), "end_turn"),
        (StreamEvent("response.incomplete"), "max_tokens"),
        (StreamEvent("response.failed"), "failure None"),
    ],
)
def test_how_an_answer_ends(end: StreamEvent, line: str) -> None:
    """The status says it, whatever the event's name; what was said stays said."""
    assert told(parts(say("text", "a", output_index=0), end))[-1] == line


def test_a_cut_call_may_be_unfinished() -> None:
    """With the limit reached, half an argument is no mistake, and nobody is to run the call."""
    named = added("function_call", 0, id="fc_1", call_id="call_1", name="f")
    cut = ended("incomplete", incomplete_details={"reason": "max_output_tokens"})

    assert told(parts(named, say("arguments", '{"a', item_id="fc_1"), cut)) == [CALLED + '{"a cut.', "max_tokens"]


@pytest.mark.parametrize(
    "events",
    [
        [say("refusal", "I ", output_index=0), say("refusal", "won't.", output_index=0)],
        [say("refusal_done", "I won't.", output_index=0)],
        [done({"type": "message", "content": [{"type": "refusal", "refusal": "I won't."}]}, 0)],
    ],
)
@pytest.mark.parametrize("text", ["", "partly"])
def test_a_refusal_is_the_ending(events: list[StreamEvent], text: str) -> None:
    """Text that was sent stays; the refusal's words are the explanation."""
    before = [say("text", text, output_index=0, content_index=1)] if text else []
    made = parts(*before, *events, END)
    end = made[-1]

    assert told(made) == ([f"text: {text}."] if text else []) + ["refusal"]
    assert isinstance(end, MessageEnd)
    assert end.stop_details is not None
    assert end.stop_details["explanation"] == "I won't."


def test_a_refusal_behind_a_text_is_of_the_same_message() -> None:
    """Its part was announced there, so neither a new id in each event nor an item in between makes it another one's."""
    whole = message("partly", ident="msg_e")
    whole["content"].append({"type": "refusal", "refusal": "I won't."})
    made = parts(
        added("message", 0, id="msg_a"),
        say("text", "partly", item_id="msg_b", output_index=0, content_index=0),
        StreamEvent("response.content_part.added", item_id="msg_c", output_index=0, content_index=1),
        added("function_call", 1, id="fc_a", name="f", call_id="call_1"),
        say("arguments", "{}", item_id="fc_a", output_index=1),
        say("refusal", "I won't.", item_id="msg_d", output_index=0, content_index=1),
        done(whole, 0),
        done(call(), 1),
        ended(output=[whole, call()]),
    )
    end = made[-1]

    assert told(made) == ["text: partly.", CALLED + "{} = {}.", "refusal"]
    assert isinstance(end, MessageEnd)
    assert end.stop_details is not None
    assert end.stop_details["explanation"] == "I won't."


# -- the rest ---------------------------------------------------------------------------------------


def test_unknown_items_and_events_are_counted() -> None:
    """They say nothing to a client, and nothing is lost in silence."""
    picture: dict[str, Any] = {"type": "image_generation_call", "id": "ig_1"}
    made = parts(
        added("image_generation_call", 0, id="ig_1"),
        StreamEvent("response.image_generation_call.partial_image"),
        done(picture, 0),
        done(picture, 0),
        StreamEvent(""),
        StreamEvent("response.in_progress"),
        StreamEvent("keepalive"),
        done(message("a"), 1),
        END,
    )
    end = made[-1]

    assert told(made) == ["text: a.", "end_turn"]
    assert isinstance(end, MessageEnd)
    assert end.left_out == (
        ("image_generation_call", 1),
        ("response.image_generation_call.partial_image", 1),
        ("untyped event", 1),
    )


def test_searches_are_told_and_counted() -> None:
    """A search is a call and its result; the end says how many there were."""
    search = {"type": "web_search_call", "id": "ws_1", "action": {"type": "search", "query": "q"}}
    made = parts(StreamEvent("response.web_search_call.searching"), done(search, 0), done(message("a"), 1), END)
    end = made[-1]

    assert [line.split(" ")[0] for line in told(made)] == ["call", "result.", "text:", "end_turn"]
    assert isinstance(end, MessageEnd)
    assert (end.server_tools, end.left_out) == ((("web_search", 1),), ())


def test_a_batch_ends_with_its_failure() -> None:
    """What a broken connection still brought behind its failure is not read."""
    broken = Failure(Kind.UPSTREAM, "Broken.")

    assert told(list(Ledger(PLAN).read((say("text", "a"), broken, say("text", "b"))))) == ["text: a", "failure None"]


def test_a_cut_is_a_failure() -> None:
    """A stream that ends without a word was cut."""
    (cut,) = Ledger(PLAN).cut()

    assert isinstance(cut, Failure)
    assert cut.cause == "stream_cut"


USAGE = {"input_tokens": 7, "output_tokens": 5}
PAID = Usage(7, output_tokens=5)
TELLING = {
    "an event of its own": StreamEvent("response.usage", usage=responses_stream.dump(USAGE)),
    "in a response": StreamEvent("response.usage", response=responses_stream.dump({"usage": USAGE})),
    "without a type": StreamEvent(usage=responses_stream.dump(USAGE)),
}


@pytest.mark.parametrize("name", TELLING)
def test_tokens_that_are_told_apart(name: str) -> None:
    """Before the end or behind it: clients compact by them. Nothing is shown twice, and nothing counts as left out."""
    before, behind = Ledger(PLAN), Ledger(PLAN)
    first = [part for event in (say("text", "a"), TELLING[name], ended()) for part in before.feed(event)]
    waiting = [part for event in (say("text", "a"), ended()) for part in behind.feed(event)]
    late = [*behind.feed(say("text", "b")), *behind.feed(ended()), *behind.feed(TELLING[name])]

    assert first[-1] == MessageEnd("end_turn", PAID)
    assert waiting[-1] == BlockStop()
    assert late == [MessageEnd("end_turn", PAID)]


def test_tokens_that_nobody_tells() -> None:
    """The stream's end is the message's; a second ending with tokens is one, too, and says if a limit was reached."""
    limited = attrs.evolve(PLAN, max_output_tokens=5)
    silent, twice = Ledger(PLAN), Ledger(limited)
    assert [*silent.feed(ended())] == []
    assert [*twice.feed(ended())] == []

    assert [*silent.cut()] == [MessageEnd("end_turn", Usage())]
    assert [*twice.feed(ended(usage=USAGE))] == [MessageEnd("max_tokens", PAID)]
