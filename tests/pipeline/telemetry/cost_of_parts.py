"""What one request's line, numbers and spans cost by themselves: `python -m tests.pipeline.telemetry.cost_of_parts`.

The least CPU time of many rounds, in which all parts take turns. Beside `cost.py`, which measures whole requests and on
a busy machine cannot tell the small ones from nothing. The line is written to standard error: send that elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource

from pipeline.telemetry.logs import make_logger
from pipeline.telemetry.otlp.span_queue import SPANS_AT_A_STRETCH
from pipeline.telemetry.otlp.spans import Tracing
from pipeline.telemetry.request_log import RequestLog
from pipeline.telemetry.request_metrics import count_request, tally_of
from stages.redactor import Fact
from tests.support.tracing import Kept

ROUNDS, TIMES = 60, 100
"""Rounds, and how often each part is done in one."""

FIELDS: dict[str, Any] = {
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


def parts() -> dict[str, Callable[[], object]]:
    """Make what is measured, each for one request."""
    logger, tally, kept = make_logger("json", "info"), tally_of(), Kept()
    tracing, line = Tracing.of(kept, Resource({}), "upstream"), {**FIELDS, "outcome": "ok", "seconds": 2.0}

    def spans() -> None:
        trace = tracing.begin("POST", [(b"host", b"here")], "openai")
        trace.ask(FIELDS)
        trace.answered(200, "")
        trace.hear(Fact("block_start", (("type", "text"),)), FIELDS)
        trace.hear(Fact("message_end"), FIELDS)
        trace.end(line)

    def made() -> None:
        spans()
        kept.spans.clear()

    def encoded() -> None:
        spans()
        if len(kept.spans) >= SPANS_AT_A_STRETCH:
            encode_spans(kept.spans).SerializeToString()
            kept.spans.clear()

    return {
        "log line": lambda: RequestLog(logger, dict(FIELDS), outcome="ok", clock=time.monotonic).write(),
        "metrics": lambda: count_request(tally, line, "api.openai.com"),
        "two spans": made,
        "the same, encoded": encoded,
    }


def main() -> None:
    """Print microseconds a request."""
    least: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, part in parts().items():
            began = time.process_time()
            for _ in range(TIMES):
                part()
            least[name] = min(least.get(name, 1.0), (time.process_time() - began) / TIMES)
    for name, seconds in least.items():
        print(f"{name:<18} {1e6 * seconds:.0f} us")


if __name__ == "__main__":
    main()
