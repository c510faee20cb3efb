"""Recorded answers of the Responses API: how they are played again, and what a client must get to see of them.

The expectation is read from the recording's own last word, the whole response, by code that shares nothing with ours.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from tests.conftest import SHARED
from tests.support.upstream import Script

FOLDERS = ("openai", "openai_handmade")
"""Where answers of the Responses API lie, by topic."""


@attrs.frozen
class Seen:
    """What a client sees of an answer.

    Attributes:
        content: blocks in order: type, then text, or name and arguments; a thinking block with what it seals.
        stop_reason: why it ended.
        usage: the five counts, the cached and the written part taken out of the first one.
    """

    content: list[tuple[Any, ...]]
    stop_reason: str
    usage: dict[str, int | None]


def recordings() -> list[Path]:
    """List the recorded answers to `POST /v1/responses`, as paths below the recordings."""
    root = SHARED / "recordings"
    found = (path for folder in FOLDERS for path in sorted(root.glob(f"{folder}/*/*.json")))
    return [path.relative_to(root) for path in found if load(path)["endpoint"] == "POST /v1/responses"]


def load(path: Path) -> dict[str, Any]:
    """Read one recording, by its whole path or the one below the recordings."""
    record: dict[str, Any] = json.loads((SHARED / "recordings" / path).read_bytes())
    return record


def script(record: dict[str, Any]) -> Script:
    """Play a recorded answer again."""
    body = record["body"] if isinstance(record["body"], str) else json.dumps(record["body"])
    if record["stream"]:
        return Script([body.encode()], record["status"])
    return Script([body.encode()], record["status"], {"content-type": "application/json"})


def events(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Read the events of a recorded stream."""
    for line in record["body"].splitlines():
        if line.startswith("data:") and "[DONE]" not in line:
            yield json.loads(line[5:])


def whole_response(record: dict[str, Any]) -> dict[str, Any] | None:
    """Return the recording's own whole response; None for one that has none, because it failed or was cut."""
    if record["status"] >= 400:
        return None
    response = record["body"]
    if record["stream"]:
        kinds = ("response.completed", "response.incomplete")
        response = next((event["response"] for event in events(record) if event["type"] in kinds), None)
    unfinished = response is None or response["status"] in ("queued", "in_progress")
    return None if unfinished else response


def expected(record: dict[str, Any], response: dict[str, Any]) -> Seen:
    """What must be seen of a whole response.

    The seal of reasoning counts as of `output_item.done` where there is one: each event seals it anew.
    """
    done = {
        event.get("output_index"): event["item"]
        for event in (events(record) if record["stream"] else ())
        if event["type"] == "response.output_item.done"
    }
    content: list[tuple[Any, ...]] = []
    refused = False
    items = list(enumerate(response["output"]))
    last_word = max((at for at, item in items if _shows(item)), default=-1)
    first_word = min((at for at, item in items if _shows(item)), default=len(items))
    for at, item in items:
        if item["type"] == "message":
            refused = refused or any(part.get("refusal") for part in item["content"])
            texts = [part["text"] for part in item["content"] if part["type"] == "output_text"]
            content += [("text", text) for text in texts if text.strip()]
        elif item["type"] == "function_call":
            content.append(("tool_use", item["name"], _arguments(item["arguments"])))
        elif item["type"] == "custom_tool_call":
            content.append(("tool_use", item["name"], {"input": item["input"]}))
        elif item["type"] == "reasoning" and (at < last_word or at < first_word):
            content += _thinking(item, done.get(at, item))
    reason = _stop_reason(response, content, refused=refused)
    if reason == "end_turn" and all(block[0] == "thinking" for block in content):
        content += _notice(items)
    return Seen(content, reason, _usage(response.get("usage") or {}))


def _notice(items: list[tuple[int, dict[str, Any]]]) -> list[tuple[str, str]]:
    """What is said where nothing that came can be shown: the types of it, the commonest first."""
    kinds = Counter(item["type"] for _, item in items if item["type"] not in ("message", "reasoning")).most_common()
    names = ", ".join(f"{kind} ({count})" if count > 1 else kind for kind, count in kinds)
    return [("text", f"[The upstream's answer consists of what cannot be shown here: {names}.]")] if kinds else []


def seen(message: dict[str, Any], unseal: Any) -> Seen:
    """What a client sees of a message of ours; `unseal` reads what a thinking block's signature holds."""
    content: list[tuple[Any, ...]] = []
    for block in message["content"]:
        match block["type"]:
            case "text":
                content.append(("text", block["text"]))
            case "tool_use":
                content.append(("tool_use", block["name"], block["input"]))
            case "thinking":
                content.append(("thinking", block["thinking"], unseal(block["signature"])))
            case other:
                content.append((other,))
    usage = message["usage"]
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
    thinking = (usage.get("output_tokens_details") or {}).get("thinking_tokens")
    counts = {name: usage[name] for name in names} | {"thinking_tokens": thinking}
    return Seen(content, message["stop_reason"], counts)


def _shows(item: dict[str, Any]) -> bool:
    """Whether a client gets to see an item, reasoning apart."""
    if item["type"] in ("function_call", "custom_tool_call"):
        return True
    return item["type"] == "message" and any((part.get("text") or "").strip() for part in item["content"])


def _arguments(text: str) -> Any:
    """The arguments as an object; those that a limit has cut are none."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return {}


def _thinking(item: dict[str, Any], done: dict[str, Any]) -> list[tuple[Any, ...]]:
    texts = [part["text"] for part in [*(item.get("summary") or []), *(item.get("content") or [])] if part["text"]]
    sealed = done.get("encrypted_content") or ""
    return [("thinking", "\n\n".join(texts), sealed)] if texts or sealed else []


def _stop_reason(response: dict[str, Any], content: list[tuple[Any, ...]], *, refused: bool) -> str:
    if refused:
        return "refusal"
    reason = (response.get("incomplete_details") or {}).get("reason")
    if response["status"] == "incomplete" and reason is None:
        return "max_tokens"  # some stand-ins do not say why; it is the one common reason
    if reason in ("max_output_tokens", "content_filter"):
        return {"max_output_tokens": "max_tokens", "content_filter": "refusal"}[reason]
    return "tool_use" if any(block[0] == "tool_use" for block in content) else "end_turn"


def _usage(usage: dict[str, Any]) -> dict[str, int | None]:
    details = usage.get("input_tokens_details") or {}
    read, written = details.get("cached_tokens") or 0, details.get("cache_write_tokens") or 0
    return {
        "input_tokens": usage.get("input_tokens", 0) - read - written,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": usage.get("output_tokens", 0),
        "thinking_tokens": (usage.get("output_tokens_details") or {}).get("reasoning_tokens"),
    }
