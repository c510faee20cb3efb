"""What telemetry costs a request: `python -m pipeline.bench.telemetry [ROUNDS]`, or `make telemetry`.

CPU time of this process for whole requests in memory, with log, metrics and spans each on and off, and then for each of
these by itself, which a busy machine cannot tell from nothing in a whole request.  All ways take turns in each round,
and what is told is the least of each: what others do on the machine adds time, and never takes any away.  Beside it
stands how many functions are called for a request, which is the same on every machine, however busy.  The log's lines
are written to standard error: send that elsewhere.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import FrameType
from typing import Any

import attrs
import trio

from pipeline.bench.canned import text_script
from pipeline.bench.conversations import conversation
from pipeline.bench.in_memory import SameAnswer, post_in_memory
from pipeline.endpoints.application import application
from pipeline.endpoints.context import Context
from pipeline.service import open_service
from pipeline.settings import Settings, UpstreamSettings
from pipeline.telemetry.logs import make_logger
from pipeline.telemetry.otlp.environment import Destination
from pipeline.telemetry.otlp.posting import Post
from pipeline.telemetry.otlp.span_queue import SPANS_AT_A_STRETCH, SpanQueue, encoded
from pipeline.telemetry.otlp.spans import Tracing, resource_of
from pipeline.telemetry.request_log import RequestLog
from pipeline.telemetry.request_metrics import count_request, tally_of
from pipeline.telemetry.tally import Labels, Tally
from stages.redactor import Fact

SIZE, DELTAS = 20_000, 100
"""Bytes of a request, and deltas of its answer."""

REPEATS = 32
"""How often each way is gone in a round."""

KNOWN: Mapping[str, Any] = {
    "request_id": "req_0123456789abcdef01234567",
    "method": "POST",
    "route": "/v1/messages",
    "client": "alice",
    "asked_model": "claude-opus-5-5",
    "upstream_model": "gpt-6.2-astra",
    "stream": True,
    "mapping": "faithful",
    "session": "a3a8ee437933",
    "attempts": 1,
    "upstream_status": 200,
    "status": 200,
    "first_byte_seconds": 1.0,
    "first_content_seconds": 1.0,
    "stop_reason": "end_turn",
    "input_tokens": 100,
    "cache_read_input_tokens": 10_000,
    "cache_creation_input_tokens": 200,
    "output_tokens": 300,
    "cost_usd": 0.1,
    "cache_hit_rate": 0.97,
}
"""What the log knows of a request in the end."""

_RESOURCE = resource_of("bench", "bench")


class Uncounted(Tally):
    """Counts nothing."""

    def add(self, name: str, labels: Labels = (), amount: float = 1.0) -> None:
        """Do nothing."""

    def observe(self, name: str, labels: Labels, value: float) -> None:
        """Do nothing."""


class KeptSpans(SpanQueue):
    """Keeps spans as they end, and sends none."""

    def __init__(self) -> None:
        super().__init__(_receiver(), lambda _: None, room=2 * SPANS_AT_A_STRETCH)

    def take(self) -> list[Any]:
        """Return what is kept, and keep it no longer."""
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


def _receiver() -> Post:
    return Post(Destination("http://bench/v1/traces"), SameAnswer(b""))


def _silent(context: Context) -> Context:
    return attrs.evolve(context, log=make_logger("json", "error"), tally=Uncounted(tally_of().metrics))


def _logged(context: Context) -> Context:
    return attrs.evolve(context, log=make_logger("json", "info"))


def _counted(context: Context) -> Context:
    return attrs.evolve(context, tally=tally_of())


def _traced(context: Context, queue: SpanQueue) -> Context:
    return attrs.evolve(context, tracing=Tracing.of(queue, _RESOURCE, "upstream"))


@asynccontextmanager
async def whole_requests() -> AsyncIterator[dict[str, Callable[[], Awaitable[object]]]]:
    """Give what makes one request: with nothing on, with one thing, with all. Waits at its end for spans under way."""
    settings = Settings(upstream=UpstreamSettings(url="http://bench/v1"))
    answer = SameAnswer(b"".join(text_script(DELTAS).pieces))
    queue, body = SpanQueue(_receiver(), lambda _: None), conversation(SIZE)
    async with (
        open_service(settings, transport=answer, log=make_logger("json", "error")) as opened,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(queue.run)
        none = _silent(opened)
        contexts = {
            "none": none,
            "log": _logged(none),
            "metrics": _counted(none),
            "spans": _traced(none, queue),
            "all": _traced(_logged(_counted(none)), queue),
        }
        yield {way: partial(post_in_memory, application(context), body) for way, context in contexts.items()}
        nursery.cancel_scope.cancel()


def telemetry_parts() -> dict[str, Callable[[], Awaitable[object]]]:
    """Give what log, metrics and spans do for one request, each by itself."""
    logger, tally, kept = make_logger("json", "info"), tally_of(), KeptSpans()
    tracing, line = Tracing.of(kept, _RESOURCE, "upstream"), {**KNOWN, "outcome": "ok", "seconds": 2.0}

    async def log_line() -> None:
        RequestLog(logger, dict(KNOWN), outcome="ok", clock=time.monotonic).write()

    async def metrics() -> None:
        count_request(tally, line, "api.openai.com")

    async def two_spans() -> None:
        trace = tracing.begin("POST", [(b"host", b"here")], "openai")
        trace.ask(KNOWN)
        trace.answered(200, "")
        trace.hear(Fact("block_start", (("type", "text"),)), KNOWN)
        trace.hear(Fact("message_end"), KNOWN)
        trace.end(line)
        if len(kept) > SPANS_AT_A_STRETCH:
            kept.take()

    async def encoded_spans() -> None:
        await two_spans()
        if len(kept) == SPANS_AT_A_STRETCH:
            await encoded(kept.take())

    return {"log line": log_line, "metrics": metrics, "two spans": two_spans, "two spans, encoded": encoded_spans}


async def least_cpu(ways: Mapping[str, Callable[[], Awaitable[object]]], rounds: int) -> dict[str, float]:
    """Go all ways by turns; return the least CPU seconds that each has taken.  The first round warms up."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            began = time.process_time()
            for _ in range(REPEATS):
                await way()
            if number:
                took[name].append((time.process_time() - began) / REPEATS)
    return {name: min(seconds) for name, seconds in took.items()}


async def calls_a_request(ways: Mapping[str, Callable[[], Awaitable[object]]]) -> dict[str, float]:
    """Go all ways; return how many functions of Python and of C were called each time, by this task and all others."""
    counts: dict[str, float] = {}
    for name, way in ways.items():
        await way()  # warms up
        heard = _Heard()
        sys.setprofile(heard)
        try:
            for _ in range(REPEATS):
                await way()
        finally:
            sys.setprofile(None)
        counts[name] = heard.calls / REPEATS
    return counts


class _Heard:
    """Counts what a profiler is told."""

    calls = 0

    def __call__(self, _frame: FrameType, event: str, _argument: object) -> None:
        self.calls += event in _CALLS


_CALLS = ("call", "c_call")


async def _measure(rounds: int) -> None:
    async with whole_requests() as ways:
        called = await calls_a_request(ways)  # first: spans of requests that were timed would be sent meanwhile
        whole = await least_cpu(ways, rounds)
    for way, seconds in whole.items():
        ratios = f"{seconds / whole['none']:6.3f} {called[way] / called['none']:6.3f}"
        print(f"{way:<20} {ratios} {1e6 * seconds:8.0f} us, {called[way]:6.0f} calls a request")
    for part, seconds in (await least_cpu(telemetry_parts(), rounds)).items():
        print(f"{part:<20} {'':13} {1e6 * seconds:8.0f} us by itself")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=40, help="rounds, of which the least counts")
    trio.run(_measure, parser.parse_args().rounds)


if __name__ == "__main__":
    main()
