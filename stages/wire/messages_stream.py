"""Anthropic's answers on the wire: frames of a stream, and the parts that a whole message shares with them.

Hot frames are byte templates in which only a number and one quoted string vary; rare ones are built as values.  A test
proves that both ways write the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.canonical.events import (
    BlockStart,
    CompactionStart,
    FallbackStart,
    MessageEnd,
    ResultStart,
    ServerToolUseStart,
    TextStart,
    ThinkingStart,
    ToolUseStart,
    Usage,
)
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.wire import json, sse

PING = sse.encode("ping", b'{"type":"ping"}')
"""Keeps a silent stream alive."""

MESSAGE_STOP = sse.encode("message_stop", b'{"type":"message_stop"}')
"""The end of a message that did not fail."""


def _template(kind: str, field: str) -> tuple[bytes, bytes]:
    data = b'{"type":"content_block_delta","index":%%d,"delta":{"type":"%b","%b":' % (kind.encode(), field.encode())
    return b"event: content_block_delta\ndata: " + data, b"}}\n\n"


TEXT_DELTA = _template("text_delta", "text")
"""Head, with the block's index to fill in, and tail of a frame around a quoted text."""
THINKING_DELTA = _template("thinking_delta", "thinking")
"""The same for reasoning."""
SIGNATURE_DELTA = _template("signature_delta", "signature")
"""The same for a carrier."""
JSON_DELTA = _template("input_json_delta", "partial_json")
"""The same for a call's arguments."""


def frame(data: dict[str, Any]) -> bytes:
    """Frame one event; its name is its `type`."""
    return sse.encode(data["type"], json.encode(data))


def block_stop(index: int) -> bytes:
    """Frame the end of a block."""
    return b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % index


def citations_delta(index: int, citation: dict[str, Any]) -> bytes:
    """Frame one source of the text that follows in this block."""
    delta = {"type": "citations_delta", "citation": citation}
    return frame({"type": "content_block_delta", "index": index, "delta": delta})


def compaction_delta(index: int, summary: str) -> bytes:
    """Frame a whole summary."""
    delta = {"type": "compaction_delta", "content": summary}
    return frame({"type": "content_block_delta", "index": index, "delta": delta})


def content_block(start: BlockStart) -> dict[str, Any]:  # noqa: PLR0911 - one case for each class, by intention
    """The `content_block` a block starts with."""
    match start:
        case TextStart(cited):
            return {"citations": [], "type": "text", "text": ""} if cited else {"type": "text", "text": ""}
        case ThinkingStart():
            return {"type": "thinking", "thinking": "", "signature": ""}
        case ToolUseStart(id, name, toolset):
            call = {"type": "tool_use", "id": id, "name": name, "input": {}, "caller": {"type": "direct"}}
            return {**call, "toolset_name": toolset} if toolset else call
        case ServerToolUseStart(id, name, None):
            return {"type": "server_tool_use", "id": id, "name": name, "input": {}, "caller": {"type": "direct"}}
        case ServerToolUseStart(id, name, server):
            return {"type": "mcp_tool_use", "id": id, "name": name, "input": {}, "server_name": server}
        case ResultStart(body):
            return body
        case CompactionStart(signature, changes):
            block = {"type": "compaction", "content": None, "signature": signature}
            return block if changes is None else {**block, "tool_changes": list(changes)}
        case FallbackStart(declined, model, category):
            models = {"from": {"model": declined}, "to": {"model": model}}
            return {"type": "fallback", **models, "trigger": {"type": "refusal", "category": category}}


def message_head(ident: str, model: str, usage: dict[str, Any]) -> dict[str, Any]:
    """A message before anything has come: what `message_start` carries."""
    return {
        "model": model,
        "id": ident,
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": usage,
    }


def start_usage(usage: Usage) -> dict[str, Any]:
    """Usage as `message_start` and whole messages have it, with the split of what was written to the cache."""
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_creation_input_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_creation_input_tokens - usage.long_lived_tokens,
            "ephemeral_1h_input_tokens": usage.long_lived_tokens,
        },
        "output_tokens": usage.output_tokens,
        "service_tier": "standard",
    }


def iteration(usage: Usage, kind: str, model: str | None = None) -> dict[str, Any]:
    """What one of several requests cost, as `usage.iterations` has it."""
    counts = {name: count for name, count in start_usage(usage).items() if name != "service_tier"}
    return {"type": kind, **({"model": model} if model else {}), **counts, "output_tokens": usage.output_tokens}


def read_usage(usage: Mapping[str, Any]) -> Usage:
    """Read the usage of a whole message, as `start_usage` and `end_usage` have written it."""
    lasting = (usage.get("cache_creation") or {}).get("ephemeral_1h_input_tokens", 0)
    counts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    return Usage(**{name: usage[name] for name in counts}, long_lived_tokens=lasting)


def end_usage(end: MessageEnd) -> dict[str, Any]:
    """Usage as `message_delta` has it."""
    usage = end.usage
    body: dict[str, Any] = {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_creation_input_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "output_tokens": usage.output_tokens,
    }
    if usage.thinking_tokens is not None:
        body["output_tokens_details"] = {"thinking_tokens": usage.thinking_tokens}
    if end.iterations is not None:
        body["iterations"] = list(end.iterations)
    searches, fetches = (dict(end.server_tools).get(name, 0) for name in ("web_search", "web_fetch"))
    if searches or fetches:
        body["server_tool_use"] = {"web_search_requests": searches, "web_fetch_requests": fetches}
    return body


def ending_fields(end: MessageEnd) -> dict[str, Any]:
    """The three fields that say why a message ended, and the container if there was one."""
    fields = {"stop_reason": end.stop_reason, "stop_sequence": end.stop_sequence, "stop_details": end.stop_details}
    fields |= {"container": end.container} if end.container else {}
    return fields if end.verdicts is None else {**fields, "safeguard_results": list(end.verdicts)}


def edits_field(plan: AnswerPlan) -> dict[str, Any]:
    """The field that says what was taken out of the conversation, for clients that asked for edits."""
    return {} if plan.applied_edits is None else {"context_management": {"applied_edits": list(plan.applied_edits)}}


def transformations_field(end: MessageEnd) -> dict[str, Any]:
    """The field that says which thinking blocks the model was not shown, for clients that bind them."""
    return {} if end.transformations is None else {"input_transformations": list(end.transformations)}


def error(failure: Failure, request_id: str) -> dict[str, Any]:
    """The error envelope, the same in an HTTP body and in an `error` event; an upstream may say half a character."""
    details = {"error_code": failure.error_code} if failure.error_code else None
    body = {"type": failure.kind.error_type, "message": json.mended(failure.message), "details": details}
    return {"type": "error", "error": body, "request_id": request_id}


def errored(failure: Failure, request_id: str) -> dict[str, Any]:
    """The result of a request of a batch that has failed; its error has no details, whatever the failure has."""
    told = error(failure, request_id)
    told["error"].pop("details")
    return {"type": "errored", "error": told}
