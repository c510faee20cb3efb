"""How the tests of the emulator speak with it: requests in few words, answers as events, a fold that trusts deltas."""

from __future__ import annotations

from typing import Any

from pipeline.emulator.answer import EmulatedAnswer, answer
from stages.wire import json, sse

BASH = {
    "type": "function",
    "name": "Bash",
    "description": "Run a command",
    "strict": False,
    "parameters": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
}
READ = {**BASH, "name": "Read", "parameters": {"type": "object", "properties": {"file_path": {"type": "string"}}}}
AGENT = {
    **BASH,
    "name": "Agent",
    "parameters": {"type": "object", "properties": {"prompt": {"type": "string"}, "subagent_type": {"type": "string"}}},
}


def user(text: str) -> dict[str, Any]:
    """Make a user message of one part."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def assistant(text: str) -> dict[str, Any]:
    """Make an assistant message of one part."""
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def asked(prompt: str, **more: Any) -> dict[str, Any]:
    """Make a request whose prompt is given; tools are Bash, Read and Agent."""
    return {"model": "gpt-6.2-sol", "input": [user(prompt)], "tools": [BASH, READ, AGENT], "store": False, **more}


def events(told: EmulatedAnswer) -> list[dict[str, Any]]:
    """Decode the events of a streamed answer."""
    decoder = sse.Decoder()
    return [json.decode(payload) for frame in told.frames for payload in decoder.feed(frame.data)]


def streamed(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask for a stream, and decode it."""
    return events(answer({**request, "stream": True}))


def output(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask without a stream, and give the output items."""
    found: list[dict[str, Any]] = answer(request).body["output"]
    return found


def calls(request: dict[str, Any]) -> list[tuple[str, Any]]:
    """List the calls of an answer, with their arguments decoded."""
    return [
        (item["name"], json.decode(item["arguments"])) for item in output(request) if item["type"] == "function_call"
    ]


def said(request: dict[str, Any]) -> str:
    """Give the text of the last message of an answer."""
    message = [item for item in output(request) if item["type"] == "message"][-1]
    text: str = message["content"][0]["text"]
    return text


def refusal(**request: Any) -> dict[str, Any]:
    """Give the error for which a request is refused."""
    told = answer({"model": "gpt-6.2-sol", "input": "hi", **request})
    assert told.status == 400
    error: dict[str, Any] = told.body["error"]
    assert error["type"] == "invalid_request_error"
    return error


def refuses(request: dict[str, Any], message: str, param: str | None, code: str | None) -> None:
    """Assert that a request is refused with this message, for this parameter, and with this code."""
    assert refusal(**request) == {"message": message, "type": "invalid_request_error", "param": param, "code": code}


def sealed() -> list[dict[str, Any]]:
    """Play a turn that ends with a sealed reasoning item and a message."""
    return output(asked("[[think]]", include=["reasoning.encrypted_content"]))


def follow(request: dict[str, Any]) -> dict[str, Any]:
    """Make the next request of a tool loop: what was answered, and a result for each call."""
    said = output(request)
    results = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "ok"}
        for item in said
        if item["type"] == "function_call"
    ]
    return {**request, "input": [*request["input"], *said, *results]}


def folded(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fold a stream into output items, text and arguments from deltas alone, and status from the item's last event."""
    built: list[dict[str, Any]] = []
    for event in told:
        _fold(built, event)
    return built


def _fold(built: list[dict[str, Any]], event: dict[str, Any]) -> None:
    match event["type"].removeprefix("response."):
        case "output_item.added":
            built.append({**event["item"], **{key: list(event["item"][key]) for key in _LISTS if key in event["item"]}})
        case "content_part.added":
            built[event["output_index"]]["content"].append(dict(event["part"]))
        case "reasoning_summary_part.added":
            built[event["output_index"]]["summary"].append(dict(event["part"]))
        case "output_text.annotation.added":
            part = built[event["output_index"]]["content"][event["content_index"]]
            part["annotations"] = [*part["annotations"], event["annotation"]]
        case "output_text.delta":
            built[event["output_index"]]["content"][event["content_index"]]["text"] += event["delta"]
        case "refusal.delta":
            built[event["output_index"]]["content"][event["content_index"]]["refusal"] += event["delta"]
        case "reasoning_summary_text.delta":
            built[event["output_index"]]["summary"][event["summary_index"]]["text"] += event["delta"]
        case "function_call_arguments.delta":
            built[event["output_index"]]["arguments"] += event["delta"]
        case "output_item.done" if "status" in event["item"]:
            built[event["output_index"]]["status"] = event["item"]["status"]
            # No other event brings these.
            built[event["output_index"]] |= {key: event["item"][key] for key in ("action",) if key in event["item"]}
        case _:
            pass


_LISTS = ("content", "summary")


def unsealed(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what differs by design between the stages of an item."""
    return [{key: value for key, value in item.items() if key != "encrypted_content"} for item in items]
