"""Law 7: content never reaches a log, span, metric or error report of ours: an allow-list by type, no scrubbing.

The same marker stands in every text of every request and answer here, in keys and in carriers, and in the messages of
exceptions.  Whatever happens, and however much is logged, it must not appear.  What may appear are our own words: the
name of the upstream model that the settings or tables chose, ids we made, numbers, places in the code.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from types import UnionType
from typing import Any, get_args

import attrs
import httpx
import pytest
import structlog.testing

from pipeline.config import KeyHash, Secret, Settings, UpstreamSettings
from pipeline.endpoints import messages
from pipeline.telemetry.logs import fault_site, make_logger
from pipeline.upstream.client import fingerprint
from stages.block import AnswerEvent
from stages.canonical.events import Usage
from stages.canonical.failure import Failure, Kind
from stages.correlator import Ledger
from stages.encoder import Encoder
from stages.redactor import redact
from stages.upstream_reader import Framing
from stages.wire import carrier
from stages.wire.carrier import Carrier
from tests.support.client import Reply
from tests.support.running import client_of, context_of
from tests.support.upstream import Script, ScriptedUpstream, events, json_script

MARK = "Quetzalcoatl"
"""Stands for whatever nobody else may read."""

OURS = Carrier(
    id=MARK,
    encrypted_content=MARK,
    texts=(MARK,),
    phase=MARK,
    model="gpt-6.2-sol",
    account=fingerprint("http://upstream/v1", Secret(MARK)),
)

TEXT: dict[str, Any] = {"type": "text", "text": MARK}

REQUEST: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1000,
    "system": [TEXT],
    "metadata": {"user_id": MARK},
    "stop_sequences": [MARK * 3],
    "tools": [
        {
            "name": MARK,
            "description": MARK,
            "input_schema": {"type": "object", "properties": {MARK: {"description": MARK}}},
        },
        {"type": f"{MARK}_20260101", "name": MARK},
    ],
    "service_tier": MARK,
    MARK: MARK,
    "messages": [
        {
            "role": "user",
            "content": [
                TEXT,
                {"type": "image", "source": {"type": "url", "url": f"https://{MARK}"}},
                {
                    "type": "document",
                    "title": MARK,
                    "context": MARK,
                    "source": {"type": "text", "media_type": "text/plain", "data": MARK},
                },
                {"type": MARK, MARK: MARK},
            ],
        },
        {"role": "system", "content": MARK},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": MARK, "signature": carrier.encode(OURS)},
                {"type": "thinking", "thinking": MARK, "signature": MARK},
                {"type": "tool_use", "id": MARK, "name": MARK, "input": {MARK: MARK}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": MARK, "is_error": True, "content": [TEXT]}],
        },
    ],
}
"""A request with the marker in every text it can have."""

HEADERS = dict.fromkeys(("x-api-key", "authorization", "anthropic-beta", "x-claude-code-session-id", "x-claude-code-agent-id", "user-agent"), MARK)

ITEMS: list[dict[str, Any]] = [
    {
        "type": "reasoning",
        "id": MARK,
        "summary": [{"type": "summary_text", "text": MARK}],
        "encrypted_content": MARK,
    },
    {"type": "message", "id": f"m{MARK}", "phase": MARK, "content": [{"type": "output_text", "text": MARK}]},
    {"type": "message", "id": f"r{MARK}", "content": [{"type": "refusal", "refusal": MARK}]},
    {"type": "function_call", "id": f"c{MARK}", "call_id": MARK, "name": MARK, "arguments": f'{{"{MARK}": "{MARK}"}}'},
    {"type": MARK, "id": f"u{MARK}", MARK: MARK},
]
DONE = [{"type": "response.output_item.done", "output_index": at, "item": item} for at, item in enumerate(ITEMS)]
ERROR = {"type": MARK, "code": MARK, "message": MARK, "param": MARK}
WHOLE = {"id": MARK, "status": "completed", "output": ITEMS, "usage": {"input_tokens": 1}}
SAID = events(*DONE)


def _ended(status: str, **fields: Any) -> bytes:
    return events({"type": f"response.{status}", "response": {"id": MARK, "status": status, **fields}})


REFUSED = {"error": {**ERROR, "message": f"The encrypted content {MARK} could not be verified"}}

UPSTREAMS: dict[str, tuple[Script | Exception, ...]] = {
    "an answer": (Script([SAID, _ended("completed", output=ITEMS)]),),
    "a whole answer": (json_script(WHOLE),),
    "a refusal to take reasoning back": (json_script(REFUSED, 400), json_script(WHOLE)),
    "an unknown ending": (Script([SAID, _ended("incomplete", incomplete_details={"reason": MARK})]),),
    "an unknown status": (json_script({**WHOLE, "status": MARK}),),
    "unknown events": (Script([events({"type": MARK, "delta": MARK}), SAID, _ended("completed")]),),
    "a cut answer": (Script([SAID]),),
    "a failure": (Script([SAID, _ended("failed", error=ERROR)]),),
    "an early failure": (Script([_ended("failed", error=ERROR)]),),
    "an error event": (Script([SAID, events({"type": "error", "error": ERROR})]),),
    "a flat error event": (Script([SAID, events({"type": "error", "code": MARK, "message": MARK})]),),
    "no JSON": (Script([f"data: {MARK}\n\n".encode()]),),
    "a page": (Script([f"<html>{MARK}".encode()], 502, {"content-type": "text/html"}),),
    "arguments that are none": (Script([events({**DONE[3], "item": {**ITEMS[3], "arguments": MARK}})]),),
    "a broken connection": (Script([SAID, httpx.ReadError(MARK)]),),
    "no connection": (httpx.ConnectError(MARK),),
    "a crash": (RuntimeError(MARK),),
    "a crash in the middle": (Script([SAID, RuntimeError(MARK)]),),
    **{f"status {status}": (json_script({"error": ERROR}, status),) for status in (400, 401, 403, 404, 413, 429, 500)},
}
"""What an upstream may do, with the marker wherever it can put it."""


@pytest.fixture(autouse=True)
def _nobody_else_logs(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Libraries that log on their own, and whatever prints, must be as silent about it."""
    caplog.set_level(logging.DEBUG)
    yield
    assert MARK not in caplog.text
    assert MARK not in "".join(capfd.readouterr())


async def _ask(
    upstream: ScriptedUpstream, log: structlog.testing.CapturingLogger, body: dict[str, Any] | None = None
) -> Reply:
    client = client_of(upstream, key=MARK, log=log, log_level="debug")
    return await client.messages(REQUEST | (body or {}), HEADERS)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("name", UPSTREAMS)
async def test_whatever_the_upstream_does(name: str, *, stream: bool) -> None:
    """Answers, errors of all kinds and places, broken connections, crashes."""
    log = structlog.testing.CapturingLogger()
    upstream = ScriptedUpstream(*UPSTREAMS[name])
    await _ask(upstream, log, {"stream": stream})

    assert MARK in repr(upstream.requests), "the request must have come through for this to mean anything"
    assert log.calls
    assert MARK not in repr(log.calls)


def _crash(*_: object, **__: object) -> Any:
    raise ValueError(MARK)


CRASHES = {
    "decoder": (messages, "decode"),
    "mapper": (messages, "map_request"),
    "upstream reader": (Framing, "feed"),
    "ledger": (Ledger, "feed"),
    "encoder": (Encoder, "encode"),
}


@pytest.mark.parametrize("name", CRASHES)
async def test_wherever_a_bug_strikes(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The log says where, the client that it was an error of ours, and neither what the exception said."""
    monkeypatch.setattr(*CRASHES[name], _crash)
    log = structlog.testing.CapturingLogger()
    reply = await _ask(ScriptedUpstream(*UPSTREAMS["an answer"]), log, {"stream": True})

    assert b"Internal server error" in reply.body
    assert MARK.encode() not in reply.body
    faults = [call for call in log.calls if call.args == ("fault",)]
    assert [call.kwargs["site"].split(",")[0] for call in faults] == [f"ValueError in {__name__}._crash"]
    assert MARK not in repr(log.calls)


BROKEN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a wrong role": lambda body: {**body, "messages": [{"role": MARK, "content": MARK}]},
    "a wrong type": lambda body: {**body, "max_tokens": MARK},
    "a wrong choice": lambda body: {**body, "tool_choice": {"type": "tool", "name": MARK * 2}},
    "a thread": lambda body: {**body, "thread": {"id": MARK}},
}


@pytest.mark.parametrize("name", BROKEN)
async def test_requests_that_are_refused(name: str) -> None:
    """A request that is wrong is told to its client, and to nobody else."""
    log = structlog.testing.CapturingLogger()
    reply = await _ask(ScriptedUpstream(*UPSTREAMS["an answer"]), log, BROKEN[name](REQUEST))

    assert reply.status == 400
    assert MARK not in repr(log.calls)


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", f"/v1/{MARK}", f"/v1/models/{MARK}"])
@pytest.mark.parametrize("method", ["GET", "POST", MARK])
async def test_other_requests(method: str, path: str) -> None:
    """Bodies that are no JSON, paths and methods that do not exist."""
    log = structlog.testing.CapturingLogger()
    client = client_of(ScriptedUpstream(*UPSTREAMS["status 404"]), key=MARK, log=log)
    reply = await client.request(method, f"{path}?{MARK}={MARK}", f'{{"{MARK}'.encode(), HEADERS)

    assert reply.status >= 400
    assert MARK not in repr(log.calls)


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_the_real_logger(capfd: pytest.CaptureFixture[str], log_format: str) -> None:
    """What stands on standard error in the end, with everything switched on."""
    log = make_logger(log_format, "debug")
    for name in ("an answer", "a failure", "a crash in the middle"):
        client = client_of(ScriptedUpstream(*UPSTREAMS[name]), key=MARK, log=log)
        await client.messages(REQUEST, HEADERS)
    said = capfd.readouterr().err

    assert "message_end" in said
    assert "fault" in said
    assert MARK not in said


def _event_classes(kind: Any = AnswerEvent) -> list[type]:
    """All the classes of the union, however nested: one that is added tomorrow is tested tomorrow."""
    if isinstance(kind, UnionType):
        return [found for member in get_args(kind) for found in _event_classes(member)]
    return [kind]


def _filled(kind: type) -> Any:
    """Make an event with the marker in every text of it, but the one that has a fixed vocabulary."""
    fields = attrs.fields(attrs.resolve_types(kind))
    values = {field.name: _value(field.type) for field in fields if field.name != "stop_reason"}
    return kind(**values, **({"stop_reason": "end_turn"} if hasattr(fields, "stop_reason") else {}))


def _value(kind: Any) -> Any:
    options: dict[Any, Any] = {
        str: MARK,
        str | None: MARK,
        dict[str, Any]: {MARK: MARK},
        dict[str, Any] | None: {MARK: MARK},
        tuple[tuple[str, int], ...]: ((MARK, 1),),
        int: 1,
        Usage: Usage(),
    }
    return options[kind]


@pytest.mark.parametrize("kind", _event_classes())
def test_every_event_is_redacted(kind: type) -> None:
    """Each class of an answer's events has facts, none of which is content."""
    fact = redact(_filled(kind))

    assert fact.name
    assert MARK not in repr(fact)


@pytest.mark.parametrize("kind", Kind)
def test_every_failure_is_redacted(kind: Kind) -> None:
    """The same for failures, whose messages quote whatever the upstream quoted."""
    assert MARK not in repr(redact(Failure(kind, MARK, error_code=MARK, cause=MARK)))


def test_keys_and_carriers_have_no_repr() -> None:
    """What holds a key or a carrier may be printed by mistake."""
    upstream = UpstreamSettings(api_key=Secret(MARK))
    settings = Settings(upstream=upstream, client_keys=(KeyHash.of(MARK),))

    assert MARK not in f"{settings!r}{settings}{settings.upstream.api_key}"
    assert KeyHash.of(MARK).digest.hex() not in repr(settings)
    assert MARK not in f"{OURS!r}{OURS}"


def test_what_requests_are_served_with_has_no_key_in_its_repr() -> None:
    """The context holds the upstream client, which holds the header with the key."""
    context = context_of(ScriptedUpstream(Script()), key=MARK)

    assert context.upstream.key is not None
    assert MARK not in repr(context)


def test_sites_of_faults_quote_nothing() -> None:
    """Groups, causes and notes included."""
    try:
        try:
            _crash()
        except ValueError as inner:
            inner.add_note(MARK)
            raise ExceptionGroup(MARK, [inner]) from inner
    except ExceptionGroup as error:
        site = fault_site(error)

    assert site.startswith(f"ValueError in {__name__}._crash")
    assert MARK not in site
