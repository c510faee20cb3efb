"""Upstream bytes become upstream events: the framing, and the actor around it.

What a body is, its first byte tells: servers answer a streaming request with plain JSON and a plain one with a stream,
and name either as the other.  A whole response is turned into the event that ends a stream of it, so that the stages
behind know one shape only.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec

from stages.actor import LARGE_BATCH, Batch, LargeBatch, beside
from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan
from stages.tables.error_shapes import is_error, is_error_event, parsed, read_error, without_echo
from stages.tables.errors import failure_of
from stages.wire import json, responses_stream, sse
from stages.wire.chat_completions import Chunks, error_in, is_chat, response_of
from stages.wire.responses_stream import StreamEvent

_TYPE = attrgetter("type")
_SPACE = b" \t\r\n\xef\xbb\xbf"
_UNFINISHED = ("queued", "in_progress")
# What a whole body says that has no ending yet: a background response, which nobody asked for.
_ENDING = responses_stream.Final.__struct_fields__
# What is read of a whole response.
_A_PAGE = "The upstream answered with a page for people; upstream.url may name the wrong address."
_BEATS = re.compile(rb"heart.?beat|keep.?alive|\bping$").search
_FIELDS = (b"event:", b"data:", b"id:", b"retry:", b":")
_TELLING = max(map(len, _FIELDS))
# How a line of a stream begins, and how many bytes tell whether one does.
_TOO_LARGE = "The upstream sent more than the limit of {limit} bytes."
_CROWDED = f"The upstream sent more than {json.MOST_VALUES} values in one event."


class Framing:
    """The transducer: chunks of a body in, batches of events out, whichever of the two forms the body has."""

    def __init__(self, plan: AnswerPlan | None = None, *, limit: int = 64 * 2**20, total: int = 64 * 2**20) -> None:
        """Start a body.

        Args:
            plan: the request's plan, for the numbers in an error's sentence.
            limit: bytes that one event, or a whole JSON body, may have.
            total: bytes that a stream may have: what it says adds up in the stages behind.
        """
        self._plan = plan
        self._limit = limit
        self._total = total
        self._form: sse.Decoder | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._whole_body = False
        self._chat = Chunks()

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their event, or of the body: what comes next may finish them all."""
        return self._form.pending if self._form is not None else self._size

    def feed(self, chunk: bytes) -> list[StreamEvent | Failure]:
        """Take the next bytes; return the events they finish."""
        self._size += len(chunk)
        if self._form is not None:
            return self._stream(self._form, chunk)
        self._body.append(chunk)
        if self._size > self._limit:
            return [self._too_large(self._limit)]
        return [] if self._whole_body else self._look()

    def finish(self) -> list[StreamEvent | Failure]:
        """Take note that the body has ended; return the events of what was held back."""
        if self._form is None:
            return self._whole(b"".join(self._body))
        events = [*self._events(self._form, self._form.finish()), *self._chat.finish()]
        return [
            event for event in events if not isinstance(event, Failure)
        ]  # cut inside it, as the next stage will say

    def _look(self) -> list[StreamEvent | Failure]:
        """Decide the form of the body once there is something to see."""
        body = b"".join(self._body)
        begin = body.lstrip(_SPACE)
        self._whole_body = begin.startswith((b"{", b"[", b"<")) or not _may_be_stream(begin)
        if self._whole_body or len(begin) < _TELLING:
            return []
        self._form = sse.Decoder()
        self._body = []
        return self._stream(self._form, body)

    def _stream(self, form: sse.Decoder, chunk: bytes) -> list[StreamEvent | Failure]:
        large = form.pending + len(chunk) > json.LARGE
        payloads = form.feed(chunk)
        crowded = next((at for at, each in enumerate(payloads) if json.is_crowded(each)), None) if large else None
        events = self._events(form, payloads if crowded is None else payloads[:crowded])
        if crowded is not None:
            events.append(Failure(Kind.UPSTREAM, _CROWDED, cause="too_large"))
        if form.pending > self._limit:
            events.append(self._too_large(self._limit))
        elif self._size > self._total:
            events.append(self._too_large(self._total))
        return events

    def _events(self, form: sse.Decoder, payloads: list[bytes]) -> list[StreamEvent | Failure]:
        together = responses_stream.decode_many(payloads) if payloads else None
        if together is not None and all(map(_TYPE, together)):
            return [*together]
        return self._one_by_one(form, payloads)

    def _one_by_one(self, form: sse.Decoder, payloads: list[bytes]) -> list[StreamEvent | Failure]:
        events: list[StreamEvent | Failure] = []
        names: list[bytes] | None = None
        for at, payload in enumerate(payloads):
            event = _decoded(payload)
            if event is not None and event.type:
                events.append(event)
                continue
            names = form.names() if names is None else names
            events += self._named(event, names[at], payload)
            if events and isinstance(events[-1], Failure):
                break
        return events

    def _one(self, payload: bytes, name: bytes = b"") -> Iterable[StreamEvent | Failure]:
        """Read one payload of several that came as one."""
        event = _decoded(payload)
        return [event] if event is not None and event.type else self._named(event, name, payload)

    def _named(self, event: StreamEvent | None, name: bytes, payload: bytes) -> Iterable[StreamEvent | Failure]:
        """Read an event whose payload does not say its type, or is no JSON at all, by the name that it came under.

        A heartbeat says nothing, whatever stands in it; what came under a name of the API's, or began as one of its
        objects, is one of its events, and may not be passed over when it is broken.
        """
        known = name == b"error" or (name.startswith(b"response.") and not _BEATS(name))
        if name == b"error":
            return [failure_of(parsed(payload), plan=self._plan)]
        if event is not None:
            event.type = name.decode("ascii", "replace") if known else ""
            return [event] if known else self._nameless(event, name, payload)
        if payload == b"[DONE]":
            return self._chat.finish()
        if parts := _parts(payload):
            return chain.from_iterable(map(self._one, parts))
        if not (known or (not name and payload.startswith(b"{"))):
            return []
        return [Failure(Kind.UPSTREAM, "The upstream sent an event that is not JSON.", cause="bad_event")]

    def _nameless(self, event: StreamEvent, name: bytes, payload: bytes) -> Iterable[StreamEvent | Failure]:
        """Read an event whose type neither it nor its line says: a chunk, the body of an error, or nothing."""
        value = json.decode(payload)
        if isinstance(value, list):
            return chain.from_iterable(self._one(json.encode(each)) for each in value if isinstance(each, dict))
        if isinstance(value, dict) and (inner := _event_in(value)):
            return self._one(json.encode(inner))
        if is_chat(value):
            error = error_in(value)
            return [failure_of(error, plan=self._plan)] if error else self._chat.feed(value)
        kind = {} if name in (b"", b"message") else {"type": name.decode("ascii", "replace")}
        tells = isinstance(value, dict) and is_error_event(kind | value)
        return [failure_of(value, plan=self._plan) if tells else event]

    def _whole(self, body: bytes) -> list[StreamEvent | Failure]:
        body = body.lstrip(_SPACE)
        if not body:
            return []
        if json.is_crowded(body):
            return [Failure(Kind.UPSTREAM, _CROWDED, cause="too_large")]
        try:
            value = json.decode(body)
        except json.MalformedJson:
            return self._other(body)
        return list(events_of(value, self._plan, msgspec.Raw(body)))

    def _other(self, body: bytes) -> list[StreamEvent | Failure]:
        """Take a body that is no JSON: a page, a line that tells an error, or a stream that begins like neither."""
        if body.startswith(b"<"):
            return [Failure(Kind.MISCONFIGURED, _A_PAGE, cause="bad_body")]
        if len(parts := _parts(body)) > 1:  # a stream of lines that are JSON
            return [*chain.from_iterable(map(self._one, parts)), *self._chat.finish()]
        if body.startswith((b"{", b"[")):
            return [Failure(Kind.UPSTREAM, "The upstream's answer is not JSON.", cause="bad_body")]
        if b"data:" in body:
            form = sse.Decoder()
            return [*self._events(form, form.feed(body)), *self._events(form, form.finish())]
        if _may_be_stream(body):
            return []  # cut before its first event, which the next stage will say
        return [failure_of(parsed(body), plan=self._plan)]

    def _too_large(self, limit: int) -> Failure:
        return Failure(Kind.UPSTREAM, _TOO_LARGE.format(limit=limit), cause="too_large")


def _may_be_stream(begin: bytes) -> bool:
    """Whether a body that begins so may be a stream: all of a field's name, or as much as is there."""
    return any(begin.startswith(field) or field.startswith(begin) for field in _FIELDS)


def events_of(
    response: Any, plan: AnswerPlan | None = None, raw: msgspec.Raw | None = None
) -> list[StreamEvent | Failure]:
    """Turn a whole response into the event that ends a stream of it, with all of its items.

    Args:
        response: it.
        plan: the request's plan, for the numbers in an error's sentence.
        raw: its JSON, where that is there.
    """
    body, response = response, _response_in(response)
    raw = raw if response is body else None
    if not isinstance(response, dict):
        told = read_error(response)
        if told.sentences or told.codes:
            return [failure_of(response, plan=plan)]
        return [Failure(Kind.UPSTREAM, "The upstream's answer is not a response.", cause="bad_body")]
    status = response.get("status")
    if status == "failed" or is_error(response):
        return [failure_of(without_echo(response), plan=plan)]
    if status in _UNFINISHED:
        return [Failure(Kind.UPSTREAM, "The upstream's answer is not finished.", cause="unfinished")]
    if raw is None:
        raw = responses_stream.dump({key: value for key, value in response.items() if key in _ENDING})
    name = "response.incomplete" if status == "incomplete" else "response.completed"
    return [StreamEvent(type=name, response=raw)]


def _response_in(body: Any) -> Any:
    """The response in a body that wraps it, or says it in another API's shape; any other body as it is."""
    body = responses_stream.unwrapped(body)
    if not isinstance(body, dict):
        return body
    held = (responses_stream.unwrapped(body.get(name)) for name in _WRAPPERS)
    wrapped = (inner for inner in held if isinstance(inner, dict) and _says_something(inner))
    body = body if _says_something(body) else next(wrapped, body)
    if is_chat(body):
        return response_of(body)
    if body.get("type") == "message" and "content" in body:
        return {"output": [body], "usage": body.get("usage"), "stop_reason": body.get("stop_reason")}
    return body


_WRAPPERS = ("response", "data", "result", "body")


def _says_something(body: dict[str, Any]) -> bool:
    return any(isinstance(body.get(name), list) for name in ("output", "choices"))


_PREFIXES = re.compile(rb"(?:data:[ \t]*)+")


def _parts(payload: bytes) -> list[bytes]:
    """The payloads in one that is no JSON: without a field's name told twice, or several that no blank line divides."""
    if prefixed := _PREFIXES.match(payload):
        return [payload[prefixed.end() :]]
    try:
        return [json.encode(value) for value in json.decode_several(payload)] if payload.startswith(b"{") else []
    except json.MalformedJson:
        return []


def _event_in(value: dict[str, Any]) -> dict[str, Any] | None:
    """The event that a payload wraps, as gateways with an envelope of their own do."""
    held = (value.get(name) for name in _WRAPPERS)
    return next((inner for inner in held if isinstance(inner, dict) and _is_of_the_api(inner.get("type"))), None)


def _is_of_the_api(kind: Any) -> bool:
    return isinstance(kind, str) and kind.startswith("response.")


def _decoded(payload: bytes) -> StreamEvent | None:
    try:
        return responses_stream.decode(payload)
    except json.MalformedJson:
        return None


class UpstreamReader:
    """The actor's inbox side: iterates over the batches of one upstream body.

    An iterator object rather than a task of its own: reading and correlating need no channel between them, and each
    hop costs as much as the translation.  `topology.py` decides what runs in which task.
    """

    def __init__(self, chunks: AsyncIterator[bytes | Failure], framing: Framing) -> None:
        """Read a body.

        Args:
            chunks: what each read of the connection yielded; a `Failure` when the connection broke.
            framing: the transducer of this body, unused so far.
        """
        self._chunks = chunks
        self._framing = framing
        self._ended = False

    def __aiter__(self) -> UpstreamReader:
        """Return itself; a body can be read once."""
        return self

    async def __anext__(self) -> Batch[StreamEvent]:
        """Return all the events that the next read finishes.

        Waits for that read, and, where it finishes something large, for the thread that takes it apart. Cancelled, the
        body can be read no further.
        """
        framing = self._framing
        while not self._ended:
            large = framing.held > LARGE_BATCH
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                self._ended = True
                batch = await beside(framing.finish) if large else framing.finish()
            else:
                if isinstance(chunk, Failure):
                    self._ended = True
                    return (chunk,)
                large = large or len(chunk) > LARGE_BATCH
                batch = await beside(framing.feed, chunk) if large else framing.feed(chunk)
            if batch:
                return LargeBatch(batch) if large else tuple(batch)
        raise StopAsyncIteration
