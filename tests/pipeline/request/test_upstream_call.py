"""A request whose reasoning the upstream will not take back is made once more without, and nobody is told an error."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing
from structlog.testing import CapturingLogger

from pipeline.upstream.client import fingerprint
from stages.wire import carrier
from stages.wire.carrier import Carrier
from tests.support import grammar
from tests.support.client import Reply
from tests.support.running import REQUEST, client_of
from tests.support.upstream import Script, ScriptedUpstream, Step, events, json_script
from tests.support.upstream_events import CREATED, KEEPALIVE, completed, error, failed, text

Clock = trio.testing.MockClock

OURS = carrier.encode(
    Carrier("rs_1", "sealed", phase="commentary", model="gpt-6.2-sol", account=fingerprint("http://upstream/v1", None))
)
THOUGHT = {"type": "thinking", "thinking": "", "signature": OURS}
ASKED = {
    **REQUEST,
    "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "ho"}]},
        {"role": "user", "content": "hm"},
    ],
}
"""A turn of a conversation with reasoning of ours."""

GOOD = Script([CREATED, text("fine"), completed()])

REFUSALS: dict[str, tuple[str | None, str]] = {
    "not our seal": ("invalid_encrypted_content", "The encrypted content gAAA...abc could not be verified."),
    "a broken seal": ("invalid_encrypted_content", "The encrypted content gAAA could not be decrypted or parsed."),
    "a dangling id": (None, "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."),
    "nothing after it": (
        None,
        "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
    ),
}
"""The forms of a refusal: code and sentence."""


def _with_status(status: int) -> Callable[[str | None, str], Script]:
    def say(code: str | None, message: str) -> Script:
        return json_script({"error": {"message": message, "type": "invalid_request_error", "code": code}}, status)

    return say


def _streamed(*before: Step, nested: bool = False) -> Callable[[str | None, str], Script]:
    def say(code: str | None, message: str) -> Script:
        told: dict[str, Any] = {"code": code, "message": message}
        failing = {"type": "response.failed", "response": {"status": "failed", "error": told}}
        erring = {"type": "error", "error": {"type": "invalid_request_error", **told, "param": "input"}}
        return Script([*before, events(erring, failing) if nested else events(failing)])

    return say


def _whole(code: str | None, message: str) -> Script:
    return json_script({"id": "r", "status": "failed", "output": [], "error": {"code": code, "message": message}})


WAYS: dict[str, Callable[[str | None, str], Script]] = {
    "400": _with_status(400),
    "404": _with_status(404),
    "first event": _streamed(),
    "after created": _streamed(CREATED, KEEPALIVE),
    "error event": _streamed(CREATED, nested=True),
    "after the commit point": _streamed(CREATED, 30.0),
    "whole body": _whole,
}
"""How a refusal may come."""


async def _ask(*scripts: Script, stream: bool = True) -> tuple[Reply, ScriptedUpstream, dict[str, Any]]:
    """Ask with reasoning in the history; return the reply, the upstream, and the request's line in the log."""
    log, upstream = CapturingLogger(), ScriptedUpstream(*scripts)
    reply = await client_of(upstream, log=log, retries=2).messages(ASKED | {"stream": stream})
    assert upstream.open == 0
    return reply, upstream, next(call.kwargs for call in log.calls if "outcome" in call.kwargs)


def _answered(reply: Reply, *, stream: bool) -> str:
    assert reply.status == 200
    if not stream:
        return str(reply.json()["content"][0]["text"])
    told = grammar.read(reply.body)
    assert told.error is None
    return str(told.content[0]["text"])


def _kinds(request: dict[str, Any]) -> list[str]:
    return [item["type"] for item in request["input"]]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", REFUSALS)
async def test_a_refusal_heals(form: str, way: str, autojump_clock: Clock, *, stream: bool) -> None:
    """Whatever the form and the way: asked twice, the second time without reasoning; logged, and said in the header."""
    reply, upstream, line = await _ask(WAYS[way](*REFUSALS[form]), GOOD, stream=stream)

    assert _answered(reply, stream=stream) == "fine"
    first, second = upstream.requests
    assert _kinds(first) == ["message", "reasoning", "message", "message"]
    assert _kinds(second) == ["message", "message", "message"]
    assert [item.get("phase") for item in second["input"]] == [None, "commentary", None]
    assert {**first, "input": None} == {**second, "input": None}
    assert (line["outcome"], line["healed"]) == ("ok", "reasoning")
    if stream and way == "after the commit point":
        assert "healed" not in reply.headers.get("dragoman-mapping", "")
    else:
        assert reply.headers["dragoman-mapping"] == "dropped=messages;healed=reasoning"


async def test_it_is_tried_once() -> None:
    """What is refused without reasoning as well goes to the client: two requests, and no more."""
    reply, upstream, _ = await _ask(WAYS["400"](*REFUSALS["not our seal"]))

    assert (reply.status, len(upstream.requests)) == (400, 2)


async def test_the_second_try_is_not_repeated(autojump_clock: Clock) -> None:
    """A gateway's 502 in answer to the healing request is the client's to retry: no storm of ours."""
    bad = Script([b"<html>"], 502, {"content-type": "text/html"})
    reply, upstream, _ = await _ask(WAYS["400"](*REFUSALS["not our seal"]), bad)

    assert (reply.status, len(upstream.requests)) == (500, 2)


@pytest.mark.parametrize(
    "script",
    [
        Script([CREATED, failed("rate_limit_exceeded", "slow")]),
        Script([CREATED, error("server_error", "broken")]),
        Script([CREATED]),
        json_script({"error": {"message": "slow", "code": "rate_limit_exceeded"}}, 429),
        json_script({"error": {"message": "No."}}, 404),
    ],
)
async def test_other_failures_are_passed_on(script: Script) -> None:
    """Only reasoning is left out for its own sake; everything else is the client's to hear, once."""
    reply, upstream, line = await _ask(script)

    assert reply.status >= 400
    assert len(upstream.requests) == 1
    assert "healed" not in line


async def test_what_was_told_stays_told() -> None:
    """A refusal behind the first word of an answer is an error like any other."""
    reply, upstream, _ = await _ask(Script([CREATED, text("fi"), failed(*REFUSALS["not our seal"])]))  # type: ignore[arg-type]

    assert len(upstream.requests) == 1
    assert grammar.read(reply.body).error is not None


async def test_a_request_without_reasoning_is_not_repeated() -> None:
    """There is nothing to leave out."""
    upstream = ScriptedUpstream(WAYS["400"](*REFUSALS["not our seal"]))
    reply = await client_of(upstream).messages(REQUEST)

    assert (reply.status, len(upstream.requests)) == (400, 1)


@pytest.mark.parametrize("head", [CREATED, b""])
async def test_an_answer_is_read_from_its_start(head: bytes) -> None:
    """What was read ahead is not lost, however it was cut."""
    whole = head + text("a") + text("b") + completed()
    reply, _, _ = await _ask(Script([whole[at : at + 7] for at in range(0, len(whole), 7)]))

    assert _answered(reply, stream=True) == "ab"


@pytest.mark.parametrize(
    "scripts", [[Script([CREATED, trio.Event()])], [_streamed()(*REFUSALS["not our seal"]), Script([trio.Event()])]]
)
async def test_a_client_that_leaves_meanwhile(scripts: list[Script], autojump_clock: Clock) -> None:
    """While it is read ahead, or asked again: no connection to the upstream is left behind (law 5)."""
    upstream = ScriptedUpstream(*scripts)
    client = client_of(upstream)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.messages, ASKED)
        await trio.sleep(2)
        assert (len(upstream.requests), upstream.open) == (len(scripts), 1)
        client.leave()

    assert upstream.open == 0
