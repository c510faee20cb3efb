"""A request of a batch that runs here is accounted for as every other one: numbers, spans, usage, and a quiet line."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

from typing import Any

import attrs
import pytest
import structlog.testing
import trio
import trio.testing

from pipeline.endpoints.application import application
from pipeline.endpoints.batches.run import BatchRun
from pipeline.endpoints.context import Context
from pipeline.endpoints.owners import Owner
from pipeline.settings.client_keys import client_keys
from pipeline.telemetry import semantics
from stages.wire import json
from tests.support.canaries import MARK
from tests.support.running import REQUEST, context_of
from tests.support.tracing import tracing
from tests.support.upstream import Script, ScriptedUpstream, json_script
from tests.support.upstream_events import CREATED, completed, text

USAGE = {"input_tokens": 10, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 4}}
GOOD = Script([CREATED, text(MARK), completed(usage=USAGE)])
SESSION = "0d5ac1d8-7a6e-4b0f-9f5e-1f2a3b4c5d6e"
BUSY = json_script({"error": {"message": MARK}}, 503)
WRONG = json_script({"error": {"message": MARK}}, 400)


def shared(*scripts: Script) -> Context:
    """What a server of two clients serves with."""
    context = context_of(ScriptedUpstream(*scripts), log=structlog.testing.CapturingLogger())
    keyed = attrs.evolve(context.settings, client_keys=client_keys({"alice": "sk-alice", "bob": "sk-bob"}))
    context = attrs.evolve(context, settings=keyed)
    application(context)  # tells the tally which words there are
    return context


async def run(context: Context, made: Context | None = None, **asked: Any) -> bool:
    """Run one of Bob's requests, of a batch that was made with the same settings or others; whether it succeeds."""
    then = (made or context).settings
    owner = Owner.of(then, then.client_keys[1])
    user = json.encode({"device_id": "d", "session_id": SESSION}).decode()
    body = REQUEST | {"stream": False, "metadata": {"user_id": user}} | asked
    head = {"version": "2023-06-01", "betas": [], "strict": False}
    line = json.encode({"custom_id": MARK, "head": head, "body": body})
    return (await BatchRun(context)({"owner": owner.mark}, line)).succeeded


def told(context: Context) -> list[dict[str, Any]]:
    """The lines of requests, which are all at level `debug`."""
    calls: Any = context.log
    lines = [call for call in calls.calls if call.args == ("request",)]
    assert {call.method_name for call in lines} <= {"debug"}
    assert MARK not in repr(calls.calls)
    return [call.kwargs for call in lines]


async def test_an_answer_is_counted_for_whoever_made_the_batch() -> None:
    """Tokens and cost by model and client, what its session has used, and a span of its own around the upstream's."""
    context, kept = tracing(shared(GOOD))
    assert await run(context)

    (line,) = told(context)
    assert (line["route"], line["status"], line["outcome"], line["client"]) == ("batch", 200, "ok", "bob")
    numbers = context.numbers()
    assert numbers[semantics.REQUESTS] == {("batch", "200", "ok", "bob"): 1}
    model = "gpt-6.2-sol"
    counted = {kind: number for (*_, kind), number in numbers[semantics.TOKENS].items()}
    assert counted == {"input": 6, "cache_read": 4, "output": 3}
    assert numbers[semantics.COST] == {(model, "bob"): pytest.approx(line["cost_usd"])}
    assert numbers[semantics.UPSTREAM] == {("upstream", "ok"): 1}
    assert [used.sums["output_tokens"] for used in context.usage.of("bob", line["session"])] == [3]
    attempt, request = await kept.read()
    assert (request.name, request.kind, request.failed) == ("batch", 1, False)
    assert (attempt.trace, attempt.parent) == (request.trace, request.ident)


async def test_each_attempt_counts(autojump_clock: trio.testing.MockClock) -> None:
    """An upstream without room is asked again: each time is a request with its own end, and so is a refusal."""
    context = shared(BUSY, BUSY, GOOD, WRONG)
    assert await run(context)
    assert not await run(context)
    assert not await run(context, messages=[{"role": MARK}])

    ends = [(line["outcome"], line["status"]) for line in told(context)]
    assert ends == [("overloaded", 529)] * 2 + [("ok", 200)] + [("invalid_request", 400)] * 2
    counted = context.numbers()[semantics.REQUESTS]
    assert counted == {
        ("batch", str(status), outcome, "bob"): ends.count((outcome, status)) for outcome, status in ends
    }


async def test_one_that_is_cut_says_so(autojump_clock: trio.testing.MockClock) -> None:
    """The process ends: the request is run again some day, and was no client's doing."""
    context = shared(Script([CREATED, trio.Event()]))
    with trio.move_on_after(1):
        await run(context)
    assert [line["outcome"] for line in told(context)] == ["server_stopped"]


async def test_of_a_client_that_is_no_more() -> None:
    """A batch outlives its client's key: what it costs is then nobody's."""
    context = shared(GOOD)
    left = attrs.evolve(context, settings=attrs.evolve(context.settings, client_keys=client_keys({"eve": "sk-eve"})))
    assert await run(left, context)
    assert list(context.numbers()[semantics.REQUESTS]) == [("batch", "200", "ok", "")]
