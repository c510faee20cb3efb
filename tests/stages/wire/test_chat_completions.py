"""Chat Completions, read as responses."""

from __future__ import annotations

from typing import Any

import pytest

from stages.wire import responses_stream
from stages.wire.chat_completions import Chunks, error_in, is_chat, response_of


def _chunk(delta: dict[str, Any], reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"delta": delta, "finish_reason": reason}], **fields}


def _call(index: int, arguments: str, **fields: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "function": {"arguments": arguments, **fields}, "id": f"call_{index}"}]}


def test_what_is_one() -> None:
    """Whatever has choices, and no output."""
    assert is_chat({"choices": []})
    assert not is_chat({"choices": [], "output": []})
    assert not is_chat({"choices": 5})
    assert not is_chat(None)


def test_a_whole_one() -> None:
    """Its message is an item, why it ended the reason."""
    body = {"choices": [{"message": {"role": "assistant", "content": "Aye."}, "finish_reason": "length"}], "usage": 1}

    assert response_of(body) == {
        "object": "response",
        "output": [{"role": "assistant", "content": "Aye.", "type": "message"}],
        "finish_reason": "length",
        "usage": 1,
        "error": None,
    }
    assert response_of({"choices": []})["output"] == []


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"error": {"message": "m"}}, {"message": "m"}),
        ({"choices": [{"error": "m"}]}, "m"),
        ({"choices": [{"finish_reason": "error"}]}, {"error": {"code": "server_error"}}),
        ({"choices": [{"finish_reason": "stop"}], "error": None}, None),
    ],
)
def test_where_an_error_stands(fields: dict[str, Any], error: Any) -> None:
    """Beside the choices, in one of them, or only in why it ended."""
    assert error_in(fields) == error
    assert response_of(fields)["error"] == error


def test_chunks() -> None:
    """Thoughts, text and calls become deltas of items of their own; the end waits for the stream's, and for usage."""
    chunks = Chunks()
    told = [
        _chunk({"role": "assistant", "content": "", "reasoning_content": "Hm."}),
        _chunk({"content": [{"type": "text", "text": "Aye."}]}),
        _chunk(_call(0, "", name="f")),
        _chunk(_call(0, '{"a":') | {"content": None}),
        _chunk(_call(1, "{}", name="g"), "tool_calls"),
        {"choices": [], "usage": {"prompt_tokens": 7}},
    ]
    events = [event for chunk in told for event in chunks.feed(chunk)]
    said = [(event.type, event.item_id, event.delta) for event in events if event.delta]
    begun = [responses_stream.object_in(event.item) for event in events if not event.delta]

    assert said == [
        ("response.reasoning_text.delta", "chat_reasoning", "Hm."),
        ("response.output_text.delta", "chat_message", "Aye."),
        ("response.function_call_arguments.delta", "chat_call_0", '{"a":'),
        ("response.function_call_arguments.delta", "chat_call_1", "{}"),
    ]
    assert [(item["name"], item["call_id"]) for item in begun] == [("f", "call_0"), ("g", "call_1")]
    [end] = chunks.finish()
    assert responses_stream.object_in(end.response) == {"finish_reason": "tool_calls", "usage": {"prompt_tokens": 7}}
    assert list(chunks.finish()) == []


def test_a_stream_that_says_no_reason_was_cut() -> None:
    """So it has no end."""
    chunks = Chunks()

    assert list(chunks.feed(_chunk({"content": "Ay"})))
    assert list(chunks.finish()) == []
