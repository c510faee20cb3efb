"""The emulator against recordings: what the real API took it takes, and what it tells has the recorded shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.emulator.answer import answer
from pipeline.emulator.ids import seal_reasoning
from stages.wire import json, sse
from tests.pipeline.emulator.talk import asked, streamed

_NEWEST = "openai/encrypted_reasoning/pydantic-ai__test_openai_responses_phase_streamed_on_part_start__0__stream.json"


def _requests(shared: Path) -> dict[str, dict[str, Any]]:
    """Load the recorded requests that were answered and that need nothing the API has stored."""
    files = [*shared.glob("recordings/openai/*/*.json"), *shared.glob("recordings/openai_requests/*.json")]
    found = {file.name: json.decode(file.read_bytes()) for file in files}
    return {
        name: _resealed(record["request"])
        for name, record in found.items()
        if record.get("status") == 200
        and record.get("endpoint", "POST /v1/responses") == "POST /v1/responses"
        and isinstance(record.get("request"), dict)
        and "model" in record["request"]
        and not record["request"].keys() & {"previous_response_id", "conversation", "prompt"}
    }


def _resealed(request: dict[str, Any]) -> dict[str, Any]:
    """Put our own seal where OpenAI's was, which nobody else can read."""
    if isinstance(request.get("input"), str):
        return request
    sent = [
        {**item, "encrypted_content": seal_reasoning(item.get("id") or "rs_1", "done", 1)}
        if item.get("type") == "reasoning"
        else item
        for item in request["input"]
    ]
    return {**request, "input": sent}


def test_requests_that_were_answered_are_answered(shared: Path) -> None:
    """No check refuses what the API has taken."""
    requests = _requests(shared)
    refused = {name: told.body["error"]["message"] for name, told in _answers(requests).items() if told.status != 200}

    assert len(requests) > 300
    assert refused == {}


def _answers(requests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: answer({**request, "stream": False}) for name, request in requests.items()}


def test_events_have_the_shape_of_recorded_ones(shared: Path) -> None:
    """Reasoning, text and a call: same kinds of events in the same order, and the same keys in the same places."""
    record = json.decode((shared / "recordings" / _NEWEST).read_bytes())
    real = [json.decode(payload) for payload in sse.Decoder().feed(record["body"].encode())]
    ours = streamed(asked("[[text]]+[[call]]", reasoning={"effort": "low"}, include=["reasoning.encrypted_content"]))

    assert _shapes(ours) == _shapes(real)


def _shapes(told: list[dict[str, Any]]) -> list[Any]:
    """Reduce events to their keys, and runs of deltas to one."""
    shapes: list[Any] = []
    for event in told:
        shape = _shape({name: value for name, value in event.items() if name != "response"})
        if "response" in event:
            shape["response"] = list(event["response"])
            shape["output"] = _shape(event["response"]["output"])
            shape["usage"] = _shape(event["response"]["usage"])
        if not shapes or shapes[-1] != {**shape, "type": event["type"]}:
            shapes.append({**shape, "type": event["type"]})
    return shapes


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: value[name] if name in ("phase", "role", "type", "status") else _shape(value[name]) for name in value
        }
    if isinstance(value, list):
        return [_shape(one) for one in value]
    return type(value).__name__
