"""Frames of a stream: templates write what the general way would, and shapes are the documented ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import (
    MessageEnd,
    ResultStart,
    ServerToolUseStart,
    TextStart,
    ThinkingStart,
    ToolUseStart,
    Usage,
)
from stages.canonical.failure import Failure, Kind
from stages.wire import json, messages_stream
from tests.stages.strategies import TEXTS
from tests.support.cases import cases

TEMPLATES = {
    ("text_delta", "text"): messages_stream.TEXT_DELTA,
    ("thinking_delta", "thinking"): messages_stream.THINKING_DELTA,
    ("signature_delta", "signature"): messages_stream.SIGNATURE_DELTA,
    ("input_json_delta", "partial_json"): messages_stream.JSON_DELTA,
}


@pytest.mark.parametrize(("kind", "field"), TEMPLATES)
@given(text=TEXTS, index=st.integers(min_value=0, max_value=10_000))
def test_templates_write_what_the_general_way_writes(kind: str, field: str, text: str, index: int) -> None:
    """Byte for byte, for every string: surrogates, line separators, NUL, emoji."""
    head, tail = TEMPLATES[kind, field]
    built = messages_stream.frame({"type": "content_block_delta", "index": index, "delta": {"type": kind, field: text}})

    assert head % index + json.quote(text) + tail == built


@given(st.integers(min_value=0, max_value=10_000))
def test_a_block_stop_is_a_frame_like_any_other(index: int) -> None:
    """The other frame that is written without a converter."""
    assert messages_stream.block_stop(index) == messages_stream.frame({"type": "content_block_stop", "index": index})


@pytest.mark.parametrize(
    ("frame", "kind"), [(messages_stream.PING, "ping"), (messages_stream.MESSAGE_STOP, "message_stop")]
)
def test_fixed_frames(frame: bytes, kind: str) -> None:
    """Frames in which nothing varies."""
    assert frame == messages_stream.frame({"type": kind})


@pytest.mark.parametrize(
    ("start", "block"),
    [
        (TextStart(), {"type": "text", "text": ""}),
        (TextStart(cited=True), {"citations": [], "type": "text", "text": ""}),
        (ThinkingStart(), {"type": "thinking", "thinking": "", "signature": ""}),
        (
            ToolUseStart("toolu_1", "f"),
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}, "caller": {"type": "direct"}},
        ),
        (
            ToolUseStart("toolu_1", "key", "browser"),
            {
                "type": "tool_use",
                "id": "toolu_1",
                "name": "key",
                "input": {},
                "caller": {"type": "direct"},
                "toolset_name": "browser",
            },
        ),
        (
            ServerToolUseStart("srvtoolu_1", "web_search"),
            {
                "type": "server_tool_use",
                "id": "srvtoolu_1",
                "name": "web_search",
                "input": {},
                "caller": {"type": "direct"},
            },
        ),
        (ResultStart({"type": "web_search_tool_result"}), {"type": "web_search_tool_result"}),
    ],
)
def test_how_blocks_start(start: Any, block: dict[str, Any]) -> None:
    """Every kind of block starts empty, but for a result, which is whole."""
    assert messages_stream.content_block(start) == block


def test_a_message_starts_empty() -> None:
    """What `message_start` carries has no content and no reason to stop."""
    message = messages_stream.message_head("msg_1", "claude-x", {})

    assert (message["id"], message["model"], message["content"]) == ("msg_1", "claude-x", [])
    assert [message[key] for key in ("stop_reason", "stop_sequence", "stop_details")] == [None] * 3


def test_usage_at_the_start_splits_what_was_written() -> None:
    """Short-lived and long-lived cache writes add up to all writes."""
    usage = messages_stream.start_usage(Usage(5, 6, 7, 8, long_lived_tokens=3))

    assert usage["cache_creation"] == {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 3}
    assert usage["cache_creation_input_tokens"] == 7
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (5, 6, 8)


def test_usage_at_the_end_tells_of_thinking_if_it_is_known() -> None:
    """Zero thinking tokens are a fact, None is none."""
    assert messages_stream.end_usage(MessageEnd("end_turn", Usage(thinking_tokens=0)))["output_tokens_details"] == {
        "thinking_tokens": 0
    }
    assert "output_tokens_details" not in messages_stream.end_usage(MessageEnd("end_turn"))


def test_usage_at_the_end_counts_searches_if_there_were_any() -> None:
    """What the upstream ran for the client is billed apart."""
    usage = messages_stream.end_usage(MessageEnd("end_turn", server_tools=(("mcp", 1), ("web_search", 2))))

    assert usage["server_tool_use"] == {
        "web_search_requests": 2,
        "web_fetch_requests": 0,
    }
    assert "server_tool_use" not in messages_stream.end_usage(MessageEnd("end_turn"))


def test_an_ending_has_three_fields() -> None:
    """Reason, sequence and details, null where there is nothing to say."""
    details = {"type": "refusal", "category": None, "explanation": "no"}

    assert messages_stream.ending_fields(MessageEnd("refusal", stop_details=details)) == {
        "stop_reason": "refusal",
        "stop_sequence": None,
        "stop_details": details,
    }


@cases("kind", Kind)
def test_errors_have_one_envelope(kind: Kind) -> None:
    """Every kind of failure is written with its type, and details only where there is a code."""
    plain = messages_stream.error(Failure(kind, "why"), "req_1")
    coded = messages_stream.error(Failure(kind, "why", error_code="code"), "req_1")
    halved = messages_stream.error(Failure(kind, "why \ud83d"), "req_1")

    assert plain == {
        "type": "error",
        "error": {"type": kind.error_type, "message": "why", "details": None},
        "request_id": "req_1",
    }
    assert coded["error"]["details"] == {"error_code": "code"}
    assert halved["error"]["message"] == "why \ufffd"
