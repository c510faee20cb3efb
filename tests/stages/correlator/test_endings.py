"""How a response ended: its status counts, not the name of the event that brought it."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given

from stages.canonical.events import Usage
from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan, BoundReasoning
from stages.correlator.endings import Ending, end_of, failure_of_event, tells_failure
from stages.correlator.summary import Summary
from stages.tables import stops
from stages.wire import json, responses_stream
from stages.wire.responses_stream import Final, StreamEvent
from tests.stages.strategies import JSON
from tests.support.cases import cases

PLAN = AnswerPlan("msg_1", "claude-x", "gpt-x", max_output_tokens=10, window=1000, input_tokens=2000)


def ending(name: str, plan: AnswerPlan = PLAN, **fields: Any) -> Ending | Failure:
    """Read how a response with these fields ended."""
    return end_of(f"response.{name}", Final(**fields), plan)


def reason(
    name: str,
    *,
    calls: bool = False,
    refusal: str = "",
    paused: bool = False,
    plan: AnswerPlan = PLAN,
    **fields: Any,
) -> str:
    """The stop reason of a response with these fields and this content."""
    told = ending(name, plan, **fields)
    assert isinstance(told, Ending)
    return told.message_end(Summary(calls=calls, refusal=refusal, paused=paused)).stop_reason


@cases(
    ("name", "fields", "plain", "with_calls"),
    [
        ("completed", {}, "end_turn", "tool_use"),
        ("completed", {"status": "completed"}, "end_turn", "tool_use"),
        ("done", {"status": "completed"}, "end_turn", "tool_use"),
        ("completed", {"usage": {"output_tokens": 9}}, "end_turn", "tool_use"),
        ("completed", {"usage": {"output_tokens": 10}}, "max_tokens", "tool_use"),
        ("incomplete", {}, "max_tokens", "max_tokens"),
        ("completed", {"status": "incomplete"}, "max_tokens", "max_tokens"),
        ("incomplete", {"incomplete_details": {"reason": None}}, "max_tokens", "max_tokens"),
        ("incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}, "max_tokens", "max_tokens"),
        ("completed", {"incomplete_details": {"reason": "length"}}, "max_tokens", "max_tokens"),
        ("incomplete", {"incomplete_details": {"reason": "content_filter"}}, "refusal", "refusal"),
        ("incomplete", {"incomplete_details": {"reason": "a new one"}}, "end_turn", "max_tokens"),
    ],
)
def test_why_it_ended(name: str, fields: dict[str, Any], plain: str, with_calls: str) -> None:
    """Nobody may run a call that could be unfinished, so a cut answer with calls is not a `tool_use`."""
    assert reason(name, **fields) == plain
    assert reason(name, calls=True, **fields) == with_calls


def test_without_a_limit_none_is_reached() -> None:
    """A server that counts nothing wrong is not suspected."""
    free = AnswerPlan("msg_1", "claude-x", "gpt-x")

    assert reason("completed", plan=free, usage={"output_tokens": 10**6}) == "end_turn"


@pytest.mark.parametrize("calls", [True, False])
def test_a_refusal_beats_every_other_reason(calls: bool) -> None:
    """The model's own words are the explanation; a filter's stand only where the model said none."""
    told = ending("incomplete", incomplete_details={"reason": "content_filter"})
    assert isinstance(told, Ending)

    spoken = told.message_end(Summary(calls=calls, refusal="No."))
    silent = told.message_end(Summary(calls=calls))

    assert (spoken.stop_reason, spoken.stop_details) == ("refusal", stops.refusal_details("No."))
    assert (silent.stop_reason, silent.stop_details) == ("refusal", stops.FILTERED)
    assert reason("completed", calls=calls, refusal="No.") == "refusal"


def test_an_end_says_what_it_cost_and_left_out() -> None:
    """Usage, searches and what had no counterpart go along."""
    told = ending("completed", usage={"input_tokens": 5, "output_tokens": 2})
    assert isinstance(told, Ending)

    end = told.message_end(Summary(left_out=(("x", 1),), server_tools=(("web_search", 2),)))

    assert (end.usage, end.left_out) == (Usage(5, output_tokens=2), (("x", 1),))
    assert (end.server_tools, end.container, end.stop_details) == ((("web_search", 2),), None, None)


@pytest.mark.parametrize(
    ("fields", "paused", "calls", "expected"),
    [
        ({}, True, False, "pause_turn"),
        ({}, True, True, "tool_use"),
        ({"usage": {"output_tokens": 10}}, True, False, "max_tokens"),
        ({"incomplete_details": {"reason": "max_messages"}}, False, False, "pause_turn"),
        ({"incomplete_details": {"reason": "max_messages"}}, False, True, "tool_use"),
        ({"incomplete_details": {"reason": "steered"}}, True, False, "end_turn"),
    ],
)
def test_a_paused_turn(fields: dict[str, Any], paused: bool, calls: bool, expected: str) -> None:
    """An answer whose last word is a hosted call's is not over: the client sends it back, and it goes on."""
    assert reason("completed", paused=paused, calls=calls, **fields) == expected


@pytest.mark.parametrize(
    ("times", "end"),
    [
        ({"created_at": 1_780_000_000.5, "completed_at": 1_780_000_060}, "2026-05-28T20:47:40Z"),
        ({"created_at": 1_780_000_000}, "2026-05-28T20:46:40Z"),
        ({}, None),
        ({"created_at": 1e300}, None),
    ],
)
def test_a_container_lives_for_twenty_minutes(times: dict[str, Any], end: str | None) -> None:
    """The upstream documents that and tells when the answer ended; without a time nothing is said."""
    told = ending("completed", **times)
    assert isinstance(told, Ending)

    container = told.message_end(Summary(container="cntr_1")).container

    assert container == (None if end is None else {"id": "cntr_1", "expires_at": end})


@pytest.mark.parametrize(
    ("name", "fields", "kind"),
    [
        ("failed", {}, Kind.UPSTREAM),
        ("cancelled", {}, Kind.UPSTREAM),
        ("completed", {"status": "failed"}, Kind.UPSTREAM),
        ("completed", {"status": "cancelled"}, Kind.UPSTREAM),
        ("failed", {"error": "words"}, Kind.UPSTREAM),
        ("failed", {"error": {"code": "rate_limit_exceeded", "message": "slow"}}, Kind.RATE_LIMIT),
        ("done", {"status": "in_progress", "error": {"code": "server_is_overloaded"}}, Kind.OVERLOADED),
        ("failed", {"error": {"code": "context_length_exceeded", "message": "too long"}}, Kind.INVALID_REQUEST),
    ],
)
def test_failures(name: str, fields: dict[str, Any], kind: Kind) -> None:
    """A failed response is never a clean ending, whatever its event is called."""
    told = ending(name, **fields)

    assert isinstance(told, Failure)
    assert told.kind is kind


def test_an_overflow_is_told_with_our_count() -> None:
    """Without numbers, where the upstream told none."""
    told = ending("failed", error={"code": "context_length_exceeded"})

    assert isinstance(told, Failure)
    assert told.message == "prompt is too long"


STALE: dict[str, Any] = {"status": "completed", "error": {"code": "server_error", "message": "boom"}}


def test_completed_with_an_error() -> None:
    """With an output it is an answer; without one the error counts, whatever the stream had begun to say."""
    item = msgspec.Raw(b'{"type":"message"}')

    assert isinstance(ending("completed", output=[item], **STALE), Ending)
    assert isinstance(ending("completed", output=[], **STALE), Failure)
    assert isinstance(ending("completed", status="completed", last_error=STALE["error"]), Failure)
    assert isinstance(ending("completed", status="completed", error={"code": None, "message": None}), Ending)


SLOW = {"code": "rate_limit_exceeded", "message": "slow"}


@pytest.mark.parametrize(
    "fields",
    [
        {"response": {"error": SLOW}},
        {"response": {"status": "failed"}, "error": SLOW},
        {"response": {"status": "failed", "error": None}, **SLOW},
        {"response": {"status": "failed", "error": json.encode({"error": SLOW}).decode()}},
        {"response": {"status": "failed", "status_details": {"error": SLOW}}},
        {"response": {"status": "failed", "response": {"error": SLOW}}},
        {"response": {"status": "failed", "error": {"error": SLOW}, "instructions": {"error": "not this"}}},
        {"response": {"status": "failed", "errors": [SLOW]}},
    ],
)
def test_where_the_error_of_a_failed_response_stands(fields: dict[str, Any]) -> None:
    """In the response, beside it, in a text, deeper; never in what it repeats of the request."""
    event = responses_stream.decode(json.encode({"type": "response.failed", **fields}))
    told = end_of(event.type, responses_stream.decode_final(event.response), PLAN, event=event)

    assert told == Failure(Kind.RATE_LIMIT, "slow", retry_after=5, cause="rate_limit_exceeded")


@cases(
    ("event", "failed"),
    [
        ({"object": "error", "message": "slow", "type": "BadRequestError", "code": 400}, True),
        ({"error": "words"}, True),
        ({"type": "oops", "error": {"message": "m"}}, True),
        ({"detail": "words"}, True),
        ({"errors": [{"message": "m"}]}, True),
        ({"base_resp": {"status_code": 1002, "status_msg": "slow"}}, True),
        ({"base_resp": {"status_code": 0, "status_msg": "success"}}, False),
        ({"type": "StreamError", "message": "m"}, True),
        ({"type": "400", "message": "m"}, True),
        ({"type": "rate_limit_exceeded", "message": "m"}, True),
        ({"type": "codex.note", "message": "m"}, False),
        ({"type": "ping"}, False),
        ({"message": "m", "progress": 3}, False),
        ({"error": None}, False),
        ({}, False),
    ],
)
def test_events_of_no_responses_stream(event: dict[str, Any], failed: bool) -> None:
    """The body of an error as it stands is one; anything else is noise."""
    assert tells_failure(responses_stream.decode(json.encode(event))) is failed


@pytest.mark.parametrize(
    "fields",
    [
        {"error": {"code": "rate_limit_exceeded", "message": "slow"}},
        {"code": "rate_limit_exceeded", "message": "slow"},
        {"error": None, "code": "rate_limit_exceeded", "message": "slow"},
    ],
)
def test_error_events_are_nested_or_flat(fields: dict[str, Any]) -> None:
    """As recorded, or as documented."""
    event = responses_stream.decode(json.encode({"type": "error", **fields}))

    assert failure_of_event(event, PLAN) == Failure(Kind.RATE_LIMIT, "slow", retry_after=5, cause="rate_limit_exceeded")


@given(JSON, JSON, JSON)
def test_any_error_event_is_a_failure(error: Any, code: Any, message: Any) -> None:
    """Whatever an upstream sends as an error, it becomes a sentence."""
    event = responses_stream.decode(json.encode({"error": error, "code": code, "message": message}))

    assert failure_of_event(event, PLAN).message
    assert failure_of_event(StreamEvent(), PLAN).message


@given(JSON, JSON, JSON, JSON)
def test_any_final_object_is_an_ending_or_a_failure(status: Any, details: Any, error: Any, usage: Any) -> None:
    """Nothing raises, and there is always a reason."""
    raw = json.encode({"status": status, "incomplete_details": details, "error": error, "usage": usage})
    told = end_of("response.completed", responses_stream.decode_final(raw), PLAN)

    if isinstance(told, Ending):
        assert told.message_end(Summary(calls=True)).stop_reason in {
            "tool_use",
            "max_tokens",
            "refusal",
        }


def test_reasoning_that_the_model_did_not_see_is_told() -> None:
    """The response counts what it left out of the request; so does the end of the message, by reason."""
    removed = [{"id": "rs_1", "type": "reasoning", "action": "removed", "reason": "prefix_mismatch"}]
    told = ending("completed", input_transformations=removed)

    assert isinstance(told, Ending)
    assert told.message_end(Summary()).dropped_reasoning == (("prefix_mismatch", 1),)


def test_a_client_that_binds_its_thinking_hears_of_it() -> None:
    """Which blocks the model was not shown; a client that did not ask hears nothing."""
    dropped = [{"id": "rs_1", "type": "reasoning", "action": "removed", "reason": "prefix_mismatch"}]
    asking = attrs.evolve(PLAN, reasoning=BoundReasoning({}, ("messages.1.content.0",)))
    for plan, told in (
        (PLAN, None),
        (asking, ({"type": "thinking_dropped", "path": "messages.1.content.0", "reason": "prefix_binding_mismatch"},)),
    ):
        end = ending("completed", plan=plan, input_transformations=dropped)
        assert isinstance(end, Ending)
        assert end.message_end(Summary()).transformations == told
