"""Answers: a request in, the whole HTTP answer out, without waiting and without IO.

An answer is a list of frames, each with the pause before it.  Who sends it keeps the pauses; that is all the
transport and the server have to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from pipeline.emulator import code
from pipeline.emulator.checks import refused
from pipeline.emulator.container_store import ContainerStore
from pipeline.emulator.conversation import choose_scenario
from pipeline.emulator.events import Event, EventWriter
from pipeline.emulator.faults import Fault
from pipeline.emulator.ids import AnswerIds
from pipeline.emulator.loop import items
from pipeline.emulator.scenario import Scenario
from pipeline.emulator.usage import PrefixCache, count_input, count_usage
from stages.wire import json, sse

_STREAM = "text/event-stream; charset=utf-8"
_JSON = "application/json"
_GARBAGE = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"bro\n\n'
_TOKENS = 1_000_000
_PIECE = 64 * 2**10
_RATE_LIMITS = {
    "x-ratelimit-limit-requests": "5000",
    "x-ratelimit-limit-tokens": str(_TOKENS),
    "x-ratelimit-remaining-requests": "4999",
    "x-ratelimit-reset-requests": "12ms",
    "x-ratelimit-reset-tokens": "12ms",
}


@frozen
class Frame:
    """Bytes to be sent at once, `pause` seconds after those before them (None: the sender's own pace)."""

    data: bytes = field(repr=False)
    pause: float | None = 0.0


@frozen
class EmulatedAnswer:
    """An HTTP answer; `body` is its JSON where it is one, None where it is a stream."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    frames: tuple[Frame, ...]
    body: Any = field(default=None, repr=False)

    @property
    def data(self) -> bytes:
        """The bytes of all frames."""
        return b"".join(frame.data for frame in self.frames)


def answer(
    request: dict[str, Any], cache: PrefixCache | None = None, containers: ContainerStore | None = None
) -> EmulatedAnswer:
    """Answer one request for a response.

    Args:
        request: the body of `POST /v1/responses`.
        cache: what was asked before; without it nothing counts as cached.
        containers: the machines on which code is run; without them any is believed in that a request names.

    Returns:
        A stream, a response object, or the error for which the request is refused.  The same request and cache give
        the same answer.
    """
    if fault := refused(request):
        return faulty(fault, request)
    scenario = choose_scenario(request)
    if isinstance(scenario, Fault):
        return faulty(scenario, request)
    ids = AnswerIds.of(request)
    container = containers.run(request, scenario, ids) if containers else code.any_container(request, ids)
    if isinstance(container, Fault):
        return faulty(container, request)
    usage = count_usage(request, scenario, cache.visit(request) if cache else 0)
    writer = EventWriter(request, scenario, ids, usage, container)
    headers = {
        **_headers(writer.ids.request),
        **_RATE_LIMITS,
        "x-ratelimit-remaining-tokens": str(_TOKENS - usage.input),
    }
    if request.get("stream") and not scenario.plain_json:
        return EmulatedAnswer(200, {"content-type": _STREAM, **headers}, tuple(_stream(writer)))
    return EmulatedAnswer(200, {"content-type": _JSON, **headers}, (_whole(writer),), writer.final)


def faulty(fault: Fault, request: Any = None) -> EmulatedAnswer:
    """Answer with an error."""
    headers = {"content-type": _JSON, **_headers(AnswerIds.of({"of": request}).request), **fault.headers}
    return EmulatedAnswer(fault.status, headers, (Frame(json.encode(fault.body)),), fault.body)


def plain(value: Any) -> EmulatedAnswer:
    """Answer with a JSON value."""
    headers = {"content-type": _JSON, **_headers(AnswerIds.of({"of": value}).request)}
    return EmulatedAnswer(200, headers, (Frame(json.encode(value)),), value)


def raw(data: bytes) -> EmulatedAnswer:
    """Answer with bytes, a piece at a time."""
    headers = {"content-type": "application/octet-stream", **_headers(AnswerIds.of({"of": len(data)}).request)}
    pieces = tuple(Frame(data[at : at + _PIECE]) for at in range(0, len(data), _PIECE))
    return EmulatedAnswer(200, headers, pieces)


def counted(request: dict[str, Any]) -> EmulatedAnswer:
    """Answer `POST /v1/responses/input_tokens`."""
    return plain({"object": "response.input_tokens", "input_tokens": count_input({**request, "input": items(request)})})


def _headers(request_id: str) -> dict[str, str]:
    return {"openai-processing-ms": "42", "openai-version": "2020-10-01", "x-request-id": request_id}


def _stream(writer: EventWriter) -> list[Frame]:
    frames: list[Frame] = []
    last_delta = 0
    for number, event in enumerate(writer.events()):
        frames.append(Frame(sse.encode(event["type"], json.encode(event)), _pause(writer.scenario, event, number)))
        last_delta = number if "delta" in event else last_delta
    if writer.scenario.ending.garbage:
        frames.insert(last_delta + 1, Frame(_GARBAGE))
    return frames


_BEGINNING = 2
"""Events that come before any silence: `response.created` and `response.in_progress`."""


def _pause(scenario: Scenario, event: Event, number: int) -> float | None:
    if number == _BEGINNING and scenario.silence:
        return scenario.silence
    return scenario.pause if "delta" in event else 0.0


def _whole(writer: EventWriter) -> Frame:
    """Give the response object at once, after as long as the stream would have taken beyond the sender's pace."""
    scenario = writer.scenario
    data = json.encode(writer.final)
    broken = scenario.ending.garbage or not scenario.ending.terminal
    deltas = sum(item.size for item in scenario.items) if scenario.pause else 0
    return Frame(data[: len(data) // 2] if broken else data, scenario.silence + (scenario.pause or 0.0) * deltas)
