"""Requests and answers with one marker in every text that they can have, for tests of what may leave the process."""

from __future__ import annotations

from typing import Any

import httpx

from pipeline.settings import Secret
from pipeline.upstream.client import fingerprint
from stages.wire import carrier
from stages.wire.carrier import Carrier
from tests.support.upstream import Script, events, json_script

MARK = "Quetzalcoatl"
"""Stands for whatever nobody else may read."""

OURS = Carrier(
    id=MARK,
    encrypted_content=MARK,
    texts=(MARK,),
    phase=MARK,
    model="gpt-6.2-sol",
    account=fingerprint("http://upstream/v1", Secret(MARK)),
)

TEXT: dict[str, Any] = {"type": "text", "text": MARK}

REQUEST: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 1000,
    "system": [TEXT],
    "metadata": {"user_id": MARK},
    "stop_sequences": [MARK * 3],
    "tools": [
        {
            "name": MARK,
            "description": MARK,
            "input_schema": {"type": "object", "properties": {MARK: {"description": MARK}}},
        },
        {"type": f"{MARK}_20260101", "name": f"{MARK}2"},
    ],
    "service_tier": MARK,
    MARK: MARK,
    "messages": [
        {
            "role": "user",
            "content": [
                TEXT,
                {"type": "image", "source": {"type": "url", "url": f"https://{MARK}"}},
                {
                    "type": "document",
                    "title": MARK,
                    "context": MARK,
                    "source": {"type": "text", "media_type": "text/plain", "data": MARK},
                },
                {"type": MARK, MARK: MARK},
            ],
        },
        {"role": "system", "content": MARK},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": MARK, "signature": carrier.encode(OURS)},
                {"type": "thinking", "thinking": MARK, "signature": MARK},
                {"type": "tool_use", "id": MARK, "name": MARK, "input": {MARK: MARK}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": MARK, "is_error": True, "content": [TEXT]}],
        },
    ],
}
"""A request with the marker in every text it can have."""

HEADERS = dict.fromkeys(
    (
        "x-api-key",
        "authorization",
        "anthropic-beta",
        "x-claude-code-session-id",
        "x-claude-code-agent-id",
        "user-agent",
    ),
    MARK,
)

ITEMS: list[dict[str, Any]] = [
    {
        "type": "reasoning",
        "id": MARK,
        "summary": [{"type": "summary_text", "text": MARK}],
        "encrypted_content": MARK,
    },
    {"type": "message", "id": f"m{MARK}", "phase": MARK, "content": [{"type": "output_text", "text": MARK}]},
    {"type": "message", "id": f"r{MARK}", "content": [{"type": "refusal", "refusal": MARK}]},
    {"type": "function_call", "id": f"c{MARK}", "call_id": MARK, "name": MARK, "arguments": f'{{"{MARK}": "{MARK}"}}'},
    {"type": MARK, "id": f"u{MARK}", MARK: MARK},
]
DONE = [{"type": "response.output_item.done", "output_index": at, "item": item} for at, item in enumerate(ITEMS)]
ERROR = {"type": MARK, "code": MARK, "message": MARK, "param": MARK}
WHOLE = {"id": MARK, "status": "completed", "output": ITEMS, "usage": {"input_tokens": 1}}
SAID = events(*DONE)


def _ended(status: str, **fields: Any) -> bytes:
    return events({"type": f"response.{status}", "response": {"id": MARK, "status": status, **fields}})


REFUSED = {"error": {**ERROR, "message": f"The encrypted content {MARK} could not be verified"}}

UPSTREAMS: dict[str, tuple[Script | Exception, ...]] = {
    "an answer": (Script([SAID, _ended("completed", output=ITEMS)]),),
    "a whole answer": (json_script(WHOLE),),
    "a refusal to take reasoning back": (json_script(REFUSED, 400), json_script(WHOLE)),
    "an unknown ending": (Script([SAID, _ended("incomplete", incomplete_details={"reason": MARK})]),),
    "an unknown status": (json_script({**WHOLE, "status": MARK}),),
    "unknown events": (Script([events({"type": MARK, "delta": MARK}), SAID, _ended("completed")]),),
    "a cut answer": (Script([SAID]),),
    "a failure": (Script([SAID, _ended("failed", error=ERROR)]),),
    "an early failure": (Script([_ended("failed", error=ERROR)]),),
    "an error event": (Script([SAID, events({"type": "error", "error": ERROR})]),),
    "a flat error event": (Script([SAID, events({"type": "error", "code": MARK, "message": MARK})]),),
    "no JSON": (Script([f"data: {MARK}\n\n".encode()]),),
    "a page": (Script([f"<html>{MARK}".encode()], 502, {"content-type": "text/html"}),),
    "arguments that are none": (Script([events({**DONE[3], "item": {**ITEMS[3], "arguments": MARK}})]),),
    "a broken connection": (Script([SAID, httpx.ReadError(MARK)]),),
    "no connection": (httpx.ConnectError(MARK),),
    "a crash": (RuntimeError(MARK),),
    "a crash in the middle": (Script([SAID, RuntimeError(MARK)]),),
    **{f"status {status}": (json_script({"error": ERROR}, status),) for status in (400, 401, 403, 404, 413, 429, 500)},
}
"""What an upstream may do, with the marker wherever it can put it."""
