"""Law 7: content never reaches a log, span, metric or error report of ours: an allow-list by type, no scrubbing.

The same marker stands in every text of every request and answer here, in keys and in carriers, and in the messages of
exceptions.  Whatever happens, and however much is logged, it must not appear.  What may appear are our own words: the
name of the upstream model that the settings or tables chose, ids we made, numbers, places in the code.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from types import UnionType
from typing import Any, get_args, get_type_hints

import pytest
import structlog.testing

from pipeline.endpoints import translation
from pipeline.settings import Secret, Settings, UpstreamSettings
from pipeline.settings.client_keys import client_keys
from pipeline.telemetry.logs import fault_site, make_logger
from stages.block import AnswerEvent
from stages.canonical.events import Usage
from stages.canonical.failure import Failure, Kind
from stages.canonical.omittable import OmittableMember, OmittableMembers
from stages.correlator import Ledger
from stages.encoder import Encoder
from stages.redactor import redact
from stages.upstream_reader import Framing
from tests.support.canaries import HEADERS, MARK, OURS, REQUEST, UPSTREAMS
from tests.support.cases import cases
from tests.support.client import Reply
from tests.support.hosted import ASKED, SAFEGUARDS, calling, round_of, saying
from tests.support.running import client_of, context_of
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import completed

COMPLETED = completed()


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
@cases("name", UPSTREAMS)
async def test_whatever_the_upstream_does(name: str, *, stream: bool) -> None:
    """Answers, errors of all kinds and places, broken connections, crashes."""
    log = structlog.testing.CapturingLogger()
    upstream = ScriptedUpstream(*UPSTREAMS[name])
    await _ask(upstream, log, {"stream": stream})

    assert MARK in repr(upstream.requests), "the request must have come through for this to mean anything"
    assert log.calls
    assert MARK not in repr(log.calls)


async def test_advice_and_verdicts() -> None:
    """What another model says about a conversation is content as well, and so is what it is told."""
    log = structlog.testing.CapturingLogger()
    advised = (round_of(calling(0, "advisor", "call_a")), saying(MARK), round_of(calling(0, "Bash", "call_b")))
    upstream = ScriptedUpstream(*advised, saying(MARK))
    client = client_of(upstream, key=MARK, log=log, log_level="debug", judge=f"gpt-{MARK}")
    body = {**ASKED, "safeguards": [{**SAFEGUARDS[0], "classifier_context": {"path": MARK}}]}
    reply = await client.messages(body, HEADERS)

    assert len(upstream.requests) == 4
    assert MARK in repr(upstream.requests)
    assert MARK.encode() in reply.body
    assert MARK not in repr(log.calls)


@pytest.mark.parametrize("name", UPSTREAMS)
async def test_spans_and_metrics(name: str) -> None:
    """What leaves for a receiver of telemetry says no more than the log, and neither does what a scrape reads."""
    pytest.importorskip("opentelemetry.sdk")
    from tests.support.tracing import traced

    upstream = ScriptedUpstream(*UPSTREAMS[name])
    client, kept = traced(context_of(upstream, key=MARK))
    await client.messages(REQUEST, HEADERS)
    await client.request(MARK, f"/v1/{MARK}?{MARK}", MARK.encode(), HEADERS)
    scraped = await client.request("GET", "/metrics", headers=HEADERS)

    assert MARK in repr(upstream.requests)
    assert len(kept.spans) > 1
    assert MARK.encode() not in await kept.body()
    assert MARK.encode() not in scraped.body


def _crash(*_: object, **__: object) -> Any:
    raise ValueError(MARK)


CRASHES = {
    "decoder": (translation, "decode_request"),
    "mapper": (translation, "map_request"),
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
    types = get_type_hints(kind)
    names = [name for name in types if name in kind.__match_args__]  # type: ignore[attr-defined] # attrs or a struct
    return kind(**{name: "end_turn" if name == "stop_reason" else _value(types[name]) for name in names})


def _value(kind: Any) -> Any:
    options: dict[Any, Any] = {
        str: MARK,
        str | None: MARK,
        dict[str, Any]: {MARK: MARK},
        dict[str, Any] | None: {MARK: MARK},
        tuple[dict[str, Any], ...] | None: ({MARK: MARK},),
        tuple[tuple[str, int], ...]: ((MARK, 1),),
        int: 1,
        bool: True,
        Usage: Usage(),
        OmittableMembers | None: OmittableMembers({MARK: OmittableMember(null=True)}),
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
    settings = Settings(upstream=upstream, client_keys=client_keys([MARK]))

    assert MARK not in f"{settings!r}{settings}{settings.upstream.api_key}"
    assert client_keys([MARK])[0].digest.hex() not in repr(settings)
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
    except ExceptionGroup as group:
        site = fault_site(group)
    else:
        pytest.fail("nothing was raised")

    assert site.startswith(f"ValueError in {__name__}._crash")
    assert MARK not in site


FORMS = ("{}", "claude-{}", "claude-sonnet-{}", "{}/llama", "gpt-6.2-sol-{}", "anthropic/{}-opus")
NAMES = [form.format(MARK) for form in FORMS]
"""What a client may call a model: whatever it likes."""


@pytest.mark.parametrize("name", NAMES)
async def test_names_of_models(name: str) -> None:
    """A name that no table, no setting and no server has is a client's word."""
    log = structlog.testing.CapturingLogger()
    await _ask(ScriptedUpstream(*UPSTREAMS["an answer"]), log, {"model": name})

    assert log.calls
    assert MARK not in repr(log.calls)


@pytest.mark.parametrize(
    ("ident", "kept"),
    [
        (MARK, False),
        (f"req_{MARK}", False),
        ("deadbeef", False),  # too short for an id, and long enough for a word
        ("req_0123456789abcdef0123456789abcdef", True),
        ("01234567-89ab-cdef-0123-456789abcdef", True),
    ],
)
async def test_ids_of_the_upstream(ident: str, *, kept: bool) -> None:
    """What does not look like one is any text."""
    log = structlog.testing.CapturingLogger()
    headers = {"content-type": "text/event-stream", "x-request-id": ident}
    await _ask(ScriptedUpstream(Script([COMPLETED], 200, headers)), log)

    (line,) = [call.kwargs for call in log.calls if call.args == ("request",)]
    assert line.get("upstream_request_id") == (ident if kept else None)
    assert MARK not in repr(log.calls)
