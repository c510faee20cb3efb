"""What a receiver reads of requests: their spans, their attempts, and whose trace they belong to."""

from __future__ import annotations

import httpx
import pytest
from opentelemetry.semconv import schemas
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes

from pipeline.telemetry import semantics
from tests.support.otlp import SpanRead
from tests.support.running import REQUEST, context_of
from tests.support.tracing import Kept, traced
from tests.support.upstream import Script, ScriptedUpstream, events, json_script
from tests.support.upstream_events import completed

CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "secret", "arguments": "{}"}
USAGE = {"input_tokens": 10, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 4}}
WHOLE = {"id": "r", "status": "completed", "output": [CALL], "usage": USAGE}
ANSWER = Script(
    [events({"type": "response.output_item.done", "output_index": 0, "item": CALL}), completed(usage=USAGE)]
)
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CLIENT = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=quetzal"}


class Upstream(ScriptedUpstream):
    """Keeps the headers of what it is asked."""

    headers: list[httpx.Headers]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as scripted."""
        self.headers = [*getattr(self, "headers", []), request.headers]
        return await super().handle_async_request(request)


async def _ask(upstream: ScriptedUpstream, headers: dict[str, str] | None = None, retries: int = 0) -> Kept:
    client, kept = traced(context_of(upstream, retries=retries))
    await client.messages(REQUEST, headers)
    return kept


async def test_an_answer() -> None:
    """A span of the request around one of the attempt, in the conventions' names; what streams by is an event."""
    attempt, request = await (await _ask(ScriptedUpstream(ANSWER))).read()

    assert (request.name, request.kind, request.failed) == ("POST /v1/messages", 2, False)
    told = request.attributes
    assert told["http.route"] == "/v1/messages"
    assert told["http.response.status_code"] == 200
    assert told["dragoman.outcome"] == "ok"
    assert told["dragoman.request.id"].startswith("req_")
    assert (attempt.name, attempt.kind, attempt.failed) == ("chat gpt-6.2-sol", 3, False)
    assert (attempt.trace, attempt.parent) == (request.trace, request.ident)
    assert {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-6.2-sol",
        "gen_ai.request.stream": True,
        "gen_ai.response.finish_reasons": ["tool_use"],
        "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.output_tokens": 3,
        "server.address": "upstream",
        "http.response.status_code": 200,
    }.items() <= attempt.attributes.items()
    assert attempt.events == [
        (semantics.FIRST_BYTE_EVENT, {}),
        (semantics.FIRST_CONTENT_EVENT, {}),
        (semantics.TOOL_EVENT, {"gen_ai.tool.type": "function"}),
    ]


async def test_the_clients_trace_goes_on_upstream() -> None:
    """The upstream's parent is the attempt; what the client says besides goes along, and stands in no span."""
    upstream = Upstream(ANSWER)
    kept = await _ask(upstream, CLIENT)
    attempt, request = await kept.read()

    assert (request.trace, request.parent) == (TRACE, PARENT)
    (sent,) = upstream.headers
    assert sent["traceparent"] == f"00-{TRACE}-{attempt.ident}-01"
    assert sent["tracestate"] == CLIENT["tracestate"]
    assert b"quetzal" not in await kept.body()


@pytest.mark.parametrize(
    "parent", ["", "junk", f"00-{TRACE}-{PARENT}", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01"]
)
async def test_what_is_no_trace_begins_a_new_one(parent: str) -> None:
    """And what came with it is not handed on."""
    upstream = Upstream(ANSWER)
    attempt, request = await (await _ask(upstream, CLIENT | {"traceparent": parent})).read()

    assert request.parent == ""
    assert request.trace == attempt.trace != TRACE
    assert "tracestate" not in upstream.headers[0]


async def test_a_trace_that_is_not_sampled() -> None:
    """Its client has decided: nothing is sent, and the upstream learns of that."""
    upstream = Upstream(ANSWER)
    kept = await _ask(upstream, {"traceparent": f"00-{TRACE}-{PARENT}-00"})

    assert kept.spans == []
    assert upstream.headers[0]["traceparent"].startswith(f"00-{TRACE}-")
    assert upstream.headers[0]["traceparent"].endswith("-00")


def _said(spans: list[SpanRead]) -> list[tuple[str, bool, object]]:
    return [(span.name.split()[0], span.failed, span.attributes.get("error.type")) for span in spans]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (
            (httpx.ConnectError(""), Script((), 503), ANSWER),
            [("chat", True, "ConnectError"), ("chat", True, "503"), ("chat", False, None), ("POST", False, None)],
        ),
        ((json_script({"error": {}}, 429),), [("chat", True, "429"), ("POST", False, "rate_limit")]),
        ((Script(ANSWER.steps[:1]),), [("chat", True, "upstream"), ("POST", True, "upstream")]),
    ],
    ids=["asked again", "refused", "cut"],
)
async def test_attempts_that_fail(
    autojump_clock: object, answers: tuple[Script | Exception, ...], said: list[tuple[str, bool, object]]
) -> None:
    """Each is a span of its own; a fault of the client is none of the server's."""
    spans = await (await _ask(ScriptedUpstream(*answers), retries=2)).read()

    assert autojump_clock is not None
    assert _said(spans) == said
    attempts = [span.attributes.get("http.request.resend_count") for span in spans[:-1]]
    assert attempts == [None, 1, 2][: len(attempts)]


async def test_requests_that_are_no_messages() -> None:
    """They have a span each, by the name of their route; who watches over the process has none."""
    client, kept = traced(context_of(ScriptedUpstream(ANSWER)))
    for path in ("/v1/models", "/secret/path", "/healthz", "/metrics", "/"):
        await client.request("GET", path)
    spans = await kept.read()

    assert [span.name for span in spans] == ["GET /v1/models", "GET"]
    assert b"secret" not in await kept.body()


def test_the_names_are_those_of_the_conventions() -> None:
    """All but our own, in the version that is told."""
    modules = (gen_ai_attributes, http_attributes, error_attributes, server_attributes)
    known = {value for module in modules for value in vars(module).values() if isinstance(value, str)}
    used = {*semantics.REQUEST_ATTRIBUTES.values(), *semantics.ATTEMPT_ATTRIBUTES.values()}
    used |= set(semantics.EVENT_ATTRIBUTES.values())

    assert {name for name in used if not name.startswith("dragoman.")} <= known
    assert semantics.SCHEMA_URL in {schema.value for schema in schemas.Schemas}
