"""Answers that stopped before they were whole, as the upstream itself says so."""

from __future__ import annotations

import pytest

from tests.support.running import answer
from tests.support.upstream import events

CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "Write"}
CUT = '{"path": "/tmp/a'


@pytest.mark.parametrize("stream", [True, False])
async def test_a_call_that_a_limit_has_cut(*, stream: bool) -> None:
    """Arguments may stop anywhere when their item says that it is incomplete: no error, and `max_tokens`."""
    reply = await answer(
        events(
            {"type": "response.output_item.added", "output_index": 0, "item": {**CALL, "arguments": ""}},
            {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 0, "delta": CUT},
            {
                "type": "response.output_item.done",
                "output_index": 0,
                "item": {**CALL, "arguments": CUT, "status": "incomplete"},
            },
            {
                "type": "response.incomplete",
                "response": {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            },
        ),
        stream=stream,
    )

    assert reply.status == 200
    if stream:
        pieces = [event["delta"].get("partial_json", "") for event in reply.events() if "delta" in event]
        assert "".join(pieces) == CUT
        assert reply.events()[-2]["delta"]["stop_reason"] == "max_tokens"
    else:
        assert reply.json()["stop_reason"] == "max_tokens"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("status", ["queued", "in_progress"])
async def test_a_whole_body_that_is_no_answer_yet(status: str, *, stream: bool) -> None:
    """A response that only waits to be made is no message without content, but an error."""
    reply = await answer(
        b'{"id": "resp_1", "object": "response", "status": "%b", "output": []}' % status.encode(), stream=stream
    )

    assert reply.status == 500
    assert reply.json()["error"]["type"] == "api_error"
