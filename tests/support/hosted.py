"""Rounds of an answer whose tools are run here, as a scripted upstream says them."""

from __future__ import annotations

from typing import Any

from stages.tools.hosted import advisor, verdicts
from tests.support.client import Reply
from tests.support.running import REQUEST
from tests.support.upstream import Script, events
from tests.support.upstream_events import CREATED, completed, text, thought

ADVISOR: dict[str, Any] = {"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-5-5"}
BASH: dict[str, Any] = {"name": "Bash", "input_schema": {"type": "object"}}
ASKED: dict[str, Any] = {**REQUEST, "tools": [BASH, ADVISOR]}
SAFEGUARDS = [{"type": "dangerous_tool_use", "classifier_context": {"paths": ["/home/mark"], "rules": ["be kind"]}}]

DECLINED = "I cannot help with that."
"""What a model says that declines."""

USAGE = {"input_tokens": 100, "output_tokens": 10, "input_tokens_details": {"cached_tokens": 40}}
"""What each round costs."""


def item(kind: str, at: int, **fields: Any) -> bytes:
    """A whole item."""
    whole = {"type": kind, "id": f"{kind}_{at}", **fields}
    return events(
        {"type": "response.output_item.added", "output_index": at, "item": whole},
        {"type": "response.output_item.done", "output_index": at, "item": whole},
    )


def calling(at: int, name: str, call_id: str, arguments: str = "{}") -> bytes:
    """A call."""
    return item("function_call", at, name=name, call_id=call_id, arguments=arguments)


def round_of(*pieces: bytes) -> Script:
    """One answer."""
    return Script([CREATED, *pieces, completed(usage=USAGE)])


def saying(words: str) -> Script:
    """An answer that is a text."""
    return round_of(text(words))


def is_aside(request: dict[str, Any]) -> bool:
    """Whether a request asks for advice, or for a verdict."""
    said = str(request["input"][0])
    return advisor.ADVISOR_INSTRUCTION[:40] in said or verdicts.JUDGE_INSTRUCTION[:40] in said


def declining(*before: bytes) -> Script:
    """A round that ends in a refusal of the model's own."""
    parts = [{"type": "refusal", "refusal": DECLINED}]
    return round_of(*before, item("message", len(before), role="assistant", content=parts))


def message_of(reply: Reply) -> dict[str, Any]:
    """The message that a stream adds up to, or that a whole answer is."""
    if reply.headers["content-type"].startswith("application/json"):
        whole: dict[str, Any] = reply.json()
        return whole
    content: list[dict[str, Any]] = []
    message: dict[str, Any] = {}
    for event in reply.events():
        match event["type"]:
            case "content_block_start":
                assert event["index"] == len(content)
                content.append(event["content_block"])
            case "content_block_delta" if event["delta"]["type"] == "compaction_delta":
                content[-1]["content"] = event["delta"]["content"]
            case "content_block_delta" if event["delta"]["type"] == "text_delta":
                content[-1]["text"] += event["delta"]["text"]
            case "message_delta":
                message = {**event["delta"], "usage": event["usage"]}
            case _:
                pass
    return {**message, "content": content}


def advised() -> Script:
    """A round that asks for advice."""
    return round_of(text("Let me ask."), calling(1, "advisor", "call_a"))


def compacting(*, value: int = 400, **edit: Any) -> dict[str, Any]:
    """The field that lets a conversation be summed up."""
    trigger = {"type": "input_tokens", "value": value}
    return {"context_management": {"edits": [{"type": "compact_20260112", "trigger": trigger, **edit}]}}


ADVISING = (advised(), saying("Look twice."), saying("I looked."))
"""An answer of two rounds, with the advice between them."""

FALLING: dict[str, Any] = {**REQUEST, "fallbacks": [{"model": "claude-haiku-5"}, {"model": "claude-opus-5-5"}]}
"""A request that names models to be asked after a refusal."""

FALLEN = (declining(thought("Hm.")), declining(), saying("Gladly."))
"""An answer of the third of them."""

COMPACTING: dict[str, Any] = {**REQUEST, "messages": [{"role": "user", "content": "hi " * 999}], **compacting()}
"""A conversation that is to be summed up before it is answered."""

COMPACTED = (saying("The user says hi."), saying("Hi."))
"""Its summary, and the answer."""
