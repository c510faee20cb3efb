"""The names of metrics and what their labels may say: OpenTelemetry's where it has one, else our own.

Source: OpenTelemetry's semantic conventions 1.44.0 for generative AI and HTTP, both still to be settled there. What
begins with `dragoman.` has no name there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipeline.telemetry.tally import Form, Metric

VERSION: Final = "1.44.0"
"""Version of the semantic conventions that the names are from."""

_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)

ROUTE, STATUS, OUTCOME = "http.route", "http.response.status_code", "dragoman.outcome"
"""Labels of requests."""

MODEL, TOKEN_TYPE, CACHE = "gen_ai.response.model", "gen_ai.token.type", "dragoman.cache.outcome"
"""Labels of answers."""

TOKEN_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "input": "input_tokens",
        "cache_read": "cache_read_input_tokens",
        "cache_write": "cache_creation_input_tokens",
        "output": "output_tokens",
    }
)
"""What a token is counted as, and the fact of a message's end that says how many."""

HIT, COLD, CHANGED, FORGOTTEN = "hit", "none", "prefix_changed", "forgotten"
"""What the upstream's cache did: it was read, there was nothing to read, or why less was read than was there."""

REQUESTS, DURATION, FIRST_BYTE = "dragoman.requests", "gen_ai.server.request.duration", "dragoman.first_byte.duration"
TOKENS, COST, CACHED, RUNNING = "dragoman.tokens", "dragoman.cost", "dragoman.cache", "dragoman.requests.running"

_METRICS = (
    Metric(REQUESTS, Form.COUNTER, "", "Requests that are over, by how they ended", (ROUTE, STATUS, OUTCOME)),
    Metric(DURATION, Form.HISTOGRAM, "s", "Seconds from a message request to its end", (MODEL, OUTCOME), _SECONDS),
    Metric(FIRST_BYTE, Form.HISTOGRAM, "s", "Seconds until an answer to a message begins", (MODEL,), _SECONDS),
    Metric(TOKENS, Form.COUNTER, "{token}", "Tokens; input is what was not cached", (MODEL, TOKEN_TYPE)),
    Metric(COST, Form.COUNTER, "USD", "Cost of answers by list price, where it is known", (MODEL,)),
    Metric(CACHED, Form.COUNTER, "", "Answers by what the upstream's cache did", (MODEL, CACHE)),
    Metric(RUNNING, Form.GAUGE, "", "Requests that run now"),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _METRICS})
"""All metrics, by name."""
