"""The names of spans, events, attributes and metrics, and what labels may say: OpenTelemetry's where it has one.

Source: OpenTelemetry's semantic conventions 1.44.0 for HTTP and for generative AI; the latter are still to be settled,
and have a repository of their own since. What begins with `dragoman.` has no name there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipeline.telemetry.tally import Form, Metric

VERSION: Final = "1.44.0"
"""Version of the semantic conventions that the names are from."""

SCHEMA_URL: Final = f"https://opentelemetry.io/schemas/{VERSION}"
"""The same, as exported data say it."""

REQUEST_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "method": "http.request.method",
        "route": "http.route",
        "status": "http.response.status_code",
        "error": "error.type",
        "request_id": "dragoman.request.id",
        "outcome": "dragoman.outcome",
        "client": "dragoman.client.name",
        "session": "dragoman.session.mark",
        "attempts": "dragoman.upstream.attempts",
        "mapping": "dragoman.mapping.outcome",
        "healed": "dragoman.healed",
        "first_byte_seconds": "dragoman.first_byte.duration",
        "cost_usd": "dragoman.cost",
        "cache_hit_rate": "dragoman.cache.hit_rate",
        "cache_miss": "dragoman.cache.miss",
    }
)
"""What the log says of a request -> the attribute of its span; what is not in here stands in no span."""

ATTEMPT_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "operation": "gen_ai.operation.name",
        "provider": "gen_ai.provider.name",
        "server": "server.address",
        "resend": "http.request.resend_count",
        "upstream_status": "http.response.status_code",
        "error": "error.type",
        "upstream_model": "gen_ai.request.model",
        "stream": "gen_ai.request.stream",
        "first_content_seconds": "gen_ai.response.time_to_first_chunk",
        "finish_reasons": "gen_ai.response.finish_reasons",
        "prompt_tokens": "gen_ai.usage.input_tokens",
        "cache_read_input_tokens": "gen_ai.usage.cache_read.input_tokens",
        "cache_creation_input_tokens": "gen_ai.usage.cache_creation.input_tokens",
        "output_tokens": "gen_ai.usage.output_tokens",
        "thinking_tokens": "gen_ai.usage.reasoning.output_tokens",
        "upstream_request_id": "dragoman.upstream.request.id",
    }
)
"""What is known of an attempt upstream -> the attribute of its span."""

EVENT_ATTRIBUTES: Mapping[str, str] = MappingProxyType({"tool_type": "gen_ai.tool.type"})
"""What is known of an event -> its attribute."""

FIRST_BYTE_EVENT: Final = "dragoman.first_byte"
"""The head of the upstream's answer has come."""
FIRST_CONTENT_EVENT: Final = "dragoman.first_content"
"""The first block of the answer begins."""
TOOL_EVENT: Final = "dragoman.tool_block"
"""A block that calls a tool begins."""

TOOL_TYPES: Mapping[str, str] = MappingProxyType({"tool_use": "function", "server_tool_use": "extension"})
"""The type of a block -> `gen_ai.tool.type`."""

PROVIDERS: Mapping[str, str] = MappingProxyType({"azure": "azure.ai.openai", "bedrock": "aws.bedrock"})
"""A profile -> `gen_ai.provider.name`, where the profile has another name."""

CHAT: Final = "chat"
"""`gen_ai.operation.name` of what is asked of the upstream."""

_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)

ROUTE, STATUS, OUTCOME = "http.route", "http.response.status_code", "dragoman.outcome"
"""Labels of requests."""

MODEL, TOKEN_TYPE, CACHE = "gen_ai.response.model", "gen_ai.token.type", "dragoman.cache.outcome"
"""Labels of answers."""

CLIENT, UPSTREAM_OUTCOME, SERVER = "dragoman.client.name", "dragoman.upstream.outcome", "server.address"
"""Labels of who asks, by the name of the key, of what the upstream said last, and of its host."""

WATCHING = frozenset({"/", "/healthz", "/readyz", "/metrics", "/dragoman", "/dragoman/events", "/dragoman/usage"})
"""Routes of whoever watches over the process or a session, every few seconds: they would bury all others."""

BATCHED: Final = "batch"
"""In place of a route: a request of a batch that runs here, each time that it is made."""

TOKEN_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "input": "input_tokens",
        "cache_read": "cache_read_input_tokens",
        "cache_write": "cache_creation_input_tokens",
        "output": "output_tokens",
    }
)
"""What a token is counted as, and the fact of a message's end that says how many."""

IN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "none": "nothing to read",
        "prefix_changed": "prompt changed",
        "cache_read": "from the cache",
        "cache_write": "into the cache",
        "input": "not cached",
    }
)
"""Values of labels as a page calls them."""

HIT, COLD, CHANGED, FORGOTTEN = "hit", "none", "prefix_changed", "forgotten"
"""What the upstream's cache did: it was read, there was nothing to read, or why less was read than was there."""

REQUESTS, DURATION, FIRST_BYTE = "dragoman.requests", "gen_ai.server.request.duration", "dragoman.first_byte.duration"
FIRST_CONTENT = "gen_ai.server.time_to_first_token"
TOKENS, COST, CACHED, RUNNING = "dragoman.tokens", "dragoman.cost", "dragoman.cache", "dragoman.requests.running"
UPSTREAM, STREAMS = "dragoman.upstream.answers", "dragoman.streams.running"
LAST_ANSWER, LAST_FAILURE = "dragoman.upstream.last_answer", "dragoman.upstream.last_failure"
SPANS_DROPPED, WORKERS = "dragoman.spans.dropped", "dragoman.workers"
WORKERS_DRAINING, WORKERS_SILENT = "dragoman.workers.draining", "dragoman.workers.silent"

_METRICS = (
    Metric(REQUESTS, Form.COUNTER, "", "Requests that are over, by how they ended", (ROUTE, STATUS, OUTCOME, CLIENT)),
    Metric(DURATION, Form.HISTOGRAM, "s", "Seconds from a message request to its end", (MODEL, OUTCOME), _SECONDS),
    Metric(FIRST_BYTE, Form.HISTOGRAM, "s", "Seconds until an answer to a message begins", (MODEL,), _SECONDS),
    Metric(FIRST_CONTENT, Form.HISTOGRAM, "s", "Seconds until the first content of an answer", (MODEL,), _SECONDS),
    Metric(TOKENS, Form.COUNTER, "{token}", "Tokens; input is what was not cached", (MODEL, CLIENT, TOKEN_TYPE)),
    Metric(COST, Form.COUNTER, "USD", "Cost of answers by list price, where it is known", (MODEL, CLIENT)),
    Metric(CACHED, Form.COUNTER, "", "Answers by what the upstream's cache did", (MODEL, CACHE)),
    Metric(
        UPSTREAM,
        Form.COUNTER,
        "",
        "The upstream's last word on each request: ok, a status, or why none came",
        (SERVER, UPSTREAM_OUTCOME),
    ),
    Metric(LAST_ANSWER, Form.MOMENT, "s", "When the upstream answered well for the last time, in Unix time", (SERVER,)),
    Metric(
        LAST_FAILURE,
        Form.MOMENT,
        "s",
        "When it failed for the last time, in Unix time, by what it said or why no answer came",
        (SERVER, UPSTREAM_OUTCOME),
    ),
    Metric(STREAMS, Form.GAUGE, "", "Streams that are open now"),
    Metric(RUNNING, Form.GAUGE, "", "Requests that have a place and run now; whoever merely looks needs none"),
    Metric(WORKERS, Form.GAUGE, "", "Processes that serve, and that these numbers are of"),
    Metric(WORKERS_DRAINING, Form.GAUGE, "", "Of those, how many begin nothing new and end with their last request"),
    Metric(WORKERS_SILENT, Form.GAUGE, "", "Of those, how many have said nothing for a while: their numbers are old"),
    Metric(SPANS_DROPPED, Form.COUNTER, "{span}", "Spans that found no room or no receiver"),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _METRICS})
"""All metrics, by name."""
