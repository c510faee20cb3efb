"""The spans of a request and of its attempts upstream: numbers, ids and words of tables, never content.

The trace that a client belongs to goes on in ours, and ours in the upstream's (W3C Trace Context). A client's
`tracestate` is handed on, but it is text that a client wrote, so it stands in no span.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pipeline.telemetry import names
from pipeline.telemetry import semantics as said
from stages.redactor import Fact

RequestHeaders = list[tuple[bytes, bytes]]
"""Headers of a request, names in lower case."""

_PROPAGATOR = TraceContextTextMapPropagator()
_CARRIED = frozenset({b"traceparent", b"tracestate"})
_SERVER_FAULT = 500


def resource_of(version: str, instance: str) -> Resource:
    """Say who exports: the SDK reads `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`; else we are `dragoman`.

    Args:
        version: ours.
        instance: tells this process from its siblings, whose counters are their own.
    """
    ours = Resource({"service.version": version, "service.instance.id": instance})
    told = Resource.create().merge(ours)
    unnamed = str(told.attributes["service.name"]).startswith("unknown_service")
    return told.merge(Resource({"service.name": "dragoman"})) if unnamed else told


@attrs.frozen
class Tracing:
    """Makes the spans of this process.

    Attributes:
        tracer: the SDK's; samples as `OTEL_TRACES_SAMPLER` says.
        server: the upstream's host.
    """

    tracer: Tracer
    server: str

    @classmethod
    def of(cls, processor: SpanProcessor, resource: Resource, server: str) -> Tracing:
        """Make one whose spans end in `processor`."""
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(processor)
        return cls(provider.get_tracer("dragoman", schema_url=said.SCHEMA_URL), server)

    def begin(self, name: str, headers: Iterable[tuple[bytes, bytes]] | None, profile: str) -> RequestTrace:
        """Begin a request's span, in the client's trace if it names one.

        Args:
            name: of the span until its route is known: HTTP's method, or `other`.
            headers: the request's, names in lower case; None where nobody has sent it and it is our own.
            profile: what the upstream is taken for.
        """
        state, parent = _parent(headers or ())
        kind = SpanKind.INTERNAL if headers is None else SpanKind.SERVER
        span = self.tracer.start_span(name, parent, kind)
        provider = said.PROVIDERS.get(profile, profile)
        return RequestTrace(self, span, state, {"operation": said.CHAT, "provider": provider, "server": self.server})


@attrs.define(eq=False)
class RequestTrace:
    """One request: its own span, and one for each attempt upstream. Nothing here waits or fails.

    Attributes:
        tracing: makes the spans.
        span: the request's.
        state: the client's `tracestate`; empty for none.
        upstream: what is known of all attempts.
    """

    tracing: Tracing
    span: Span
    state: str = attrs.field(repr=False)
    upstream: Mapping[str, Any]
    _attempt: Span | None = attrs.field(default=None, init=False)
    _attempts: int = attrs.field(default=0, init=False)
    _heard: bool = attrs.field(default=False, init=False)

    def ask(self, fields: Mapping[str, Any]) -> RequestHeaders:
        """Begin an attempt; return the headers that carry the trace upstream.

        Args:
            fields: what the log knows of the request.
        """
        self._end_attempt({})
        known = {**self.upstream, "upstream_model": fields.get("upstream_model"), "stream": fields.get("stream")}
        resend = {"resend": self._attempts} if self._attempts else {}
        self._attempts += 1
        self._attempt = self.tracing.tracer.start_span(
            f"{said.CHAT} {known['upstream_model'] or ''}".strip(),
            trace.set_span_in_context(self.span, Context()),
            SpanKind.CLIENT,
            _named({**known, **resend}, said.ATTEMPT_ATTRIBUTES),
        )
        carried: dict[str, str] = {}
        _PROPAGATOR.inject(carried, trace.set_span_in_context(self._attempt, Context()))
        if self.state and carried:
            carried["tracestate"] = self.state
        return [(name.encode(), value.encode()) for name, value in carried.items()]

    def answered(self, status: int | None, cause: str) -> None:
        """Note what came of an attempt: the upstream's status, or in a word of ours why there is none."""
        if self._attempt is None:
            return
        if status is None:
            self._end_attempt({"error": cause})
            return
        self._attempt.add_event(said.FIRST_BYTE_EVENT)
        good = 200 <= status < 300  # noqa: PLR2004 - HTTP's own word for success
        if good:
            self._attempt.set_attributes(_named({"upstream_status": status}, said.ATTEMPT_ATTRIBUTES))
        else:
            self._end_attempt({"upstream_status": status, "error": str(status)})

    def hear(self, fact: Fact, fields: Mapping[str, Any]) -> None:
        """Note what the answer brings: its blocks, and its end.

        Args:
            fact: what happened.
            fields: what the log knows of the request by now.
        """
        if fact.name == "block_start" and self._attempt is not None:
            kind = str(dict(fact.values)["type"])
            if not self._heard:
                self._heard = True
                self._attempt.add_event(said.FIRST_CONTENT_EVENT)
            if kind in said.TOOL_TYPES:
                tool = _named({"tool_type": said.TOOL_TYPES[kind]}, said.EVENT_ATTRIBUTES)
                self._attempt.add_event(said.TOOL_EVENT, tool)
        elif fact.name == "message_end":
            self._end_attempt({**_usage(fields), **fields})
        elif fact.name == "failure":
            self._end_attempt({**fields, "error": fields.get("kind")})

    def end(self, fields: Mapping[str, Any]) -> None:
        """End all spans of the request; `fields` is what its line in the log says."""
        self._end_attempt(fields)
        route, status, outcome = fields.get("route", names.OTHER), fields.get("status"), fields["outcome"]
        if route != names.OTHER and "method" in fields:
            self.span.update_name(f"{fields['method']} {route}")
        error = {} if outcome == names.OK else {"error": outcome}
        self.span.set_attributes(_named({**fields, **error}, said.REQUEST_ATTRIBUTES))
        if isinstance(status, int) and status >= _SERVER_FAULT:
            self.span.set_status(StatusCode.ERROR)
        self.span.end()

    def _end_attempt(self, fields: Mapping[str, Any]) -> None:
        if self._attempt is not None:
            self._attempt.set_attributes(_named(fields, said.ATTEMPT_ATTRIBUTES))
            if "error" in fields:
                self._attempt.set_status(StatusCode.ERROR)
            self._attempt.end()
            self._attempt = None


def _named(fields: Mapping[str, Any], attributes: Mapping[str, str]) -> dict[str, Any]:
    """Name what is known as the conventions do; what is None or has no row is left out."""
    return {attributes[name]: value for name, value in fields.items() if value is not None and name in attributes}


def _usage(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What the conventions count otherwise: a prompt with the part of it that was cached, and several endings."""
    cached = fields.get("cache_read_input_tokens", 0) + fields.get("cache_creation_input_tokens", 0)
    return {
        "prompt_tokens": fields.get("input_tokens", 0) + cached,
        "finish_reasons": (fields["stop_reason"],) if "stop_reason" in fields else None,
    }


def _parent(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, Context]:
    """Read whose trace a request belongs to: what its `tracestate` says, and the parent of our span."""
    carried: dict[str, str] = {}
    for name, value in headers:
        if name in _CARRIED:
            text, before = value.decode("latin-1"), carried.get(name.decode())
            carried[name.decode()] = text if before is None else f"{before},{text}"
    if not carried:
        return "", Context()
    remote = trace.get_current_span(_PROPAGATOR.extract(carried, Context())).get_span_context()
    if not remote.is_valid:
        return "", Context()
    bare = SpanContext(remote.trace_id, remote.span_id, is_remote=True, trace_flags=remote.trace_flags)
    return remote.trace_state.to_header(), trace.set_span_in_context(NonRecordingSpan(bare), Context())
