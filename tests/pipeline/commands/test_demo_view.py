"""How `dragoman demo` shows an exchange."""

from __future__ import annotations

import io

from pipeline.commands.demo_conversation import first_request, next_request
from pipeline.commands.demo_view import View, show_request, show_upstream, show_usage
from pipeline.commands.screen import Screen
from tests.pipeline.commands.helpers import EVENTS, folded


def _shown() -> tuple[Screen, io.StringIO]:
    stream = io.StringIO()
    return Screen(stream), stream


def test_events_with_their_time() -> None:
    """Each event appears with the seconds since the request, and its content as it is."""
    out, stream = _shown()
    view = View(out, 10.0)
    for event in [*EVENTS, {"type": "error", "error": {"message": "at the end"}}]:
        view.show(event, 10.5)

    shown = stream.getvalue()
    for part in (
        "0.500 s   message_start model m",
        "block 0: thinking",
        "ab",
        "signature: 1 characters",
        "block 1: text",
        "hello",
        "Read",
        '{"a":1}',
        "ping",
    ):
        assert part in shown
    assert "stop_reason tool_use" in shown
    assert "at the end" in shown


def test_long_texts_break_at_spaces() -> None:
    """No line runs over the edge, and no word is cut."""
    out, stream = _shown()
    view = View(out, 0)
    view.show({"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}, 0)
    for number in range(60):
        view.show({"type": "content_block_delta", "delta": {"text": f" word{number}"}}, 0)

    lines = stream.getvalue().splitlines()[1:]
    assert len(lines) > 1
    assert all(len(line) <= 120 for line in lines)
    assert " ".join(stream.getvalue().split()).endswith(" ".join(f"word{number}" for number in range(60)))


def test_a_request_in_short() -> None:
    """One line a block, long ones cut."""
    out, stream = _shown()
    request = next_request(first_request(), folded())
    request["messages"].append({"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "x" * 500}]})

    show_request(out, request)

    shown = stream.getvalue()
    for part in (
        "POST /v1/messages",
        "thinking: ab",
        "tool_use: Read {'a': 1}",
        "tool_result: milk bread",
        "image",
        "x...",
    ):
        assert part in shown
    assert all(len(line) < 130 for line in shown.splitlines())


def test_what_went_upstream() -> None:
    """The items by kind, and the reasoning pointed out where it is back."""
    out, stream = _shown()
    body = {"model": "gpt", "store": False, "input": [{"role": "developer"}, {"type": "reasoning"}]}

    show_upstream(out, body)
    assert "input: developer, reasoning" in stream.getvalue()
    assert "back in its place" in stream.getvalue()

    out, stream = _shown()
    show_upstream(out, {**body, "input": [{"role": "user"}], "reasoning": {"effort": "low"}})
    assert "effort low" in stream.getvalue()
    assert "back in its place" not in stream.getvalue()


def test_usage_with_the_share_of_the_cache() -> None:
    """Read, written and fresh tokens together are what went in."""
    out, stream = _shown()
    usage = {"input_tokens": 10, "cache_read_input_tokens": 30, "output_tokens": 7, "cache_creation_input_tokens": None}

    show_usage(out, {**usage, "output_tokens_details": {"thinking_tokens": 5}})

    assert "40 tokens in: 30 read from the cache (75%), 0 written to it, 10 neither; 7 out, 5" in stream.getvalue()


def test_usage_of_nothing() -> None:
    """No division by zero where nothing is known."""
    out, stream = _shown()

    show_usage(out, {})

    assert "0 tokens in: 0 read from the cache (none)" in stream.getvalue()
