"""Upstream events for the tests of the correlator, short enough to read as a conversation."""

from __future__ import annotations

from typing import Any

from stages.canonical.events import (
    ArgumentsCut,
    ArgumentsDelta,
    ArgumentsDone,
    BlockStop,
    CitationsDelta,
    CompactionDelta,
    CompactionStart,
    FallbackStart,
    JsonDelta,
    MessageEnd,
    ResultStart,
    ServerToolUseStart,
    SignatureDelta,
    TextDelta,
    TextStart,
    ThinkingDelta,
    ThinkingStart,
    ToolUseStart,
)
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.correlator.ledger import Ledger, Part
from stages.correlator.pause import Pause
from stages.wire import carrier, responses_stream
from stages.wire.responses_stream import StreamEvent

PLAN = AnswerPlan("msg_1", "claude-x", "gpt-x", account="acc", server_tools={"web_search": "web_search"})
"""A plan that shows everything."""

HOT = {
    "text": "response.output_text.delta",
    "text_done": "response.output_text.done",
    "refusal": "response.refusal.delta",
    "refusal_done": "response.refusal.done",
    "arguments": "response.function_call_arguments.delta",
    "arguments_done": "response.function_call_arguments.done",
    "summary": "response.reasoning_summary_text.delta",
    "summary_done": "response.reasoning_summary_text.done",
    "raw": "response.reasoning_text.delta",
    "raw_done": "response.reasoning_text.done",
}
"""Short names of the events about an item's content."""

_TEXTS = {"text_done", "summary_done", "raw_done"}


def say(kind: str, text: str = "", **fields: Any) -> StreamEvent:
    """More content of one item, or all of it for the `_done` kinds."""
    field = "text" if kind in _TEXTS else kind.removesuffix("_done") if kind.endswith("_done") else "delta"
    content: dict[str, Any] = {field: text}
    return StreamEvent(HOT[kind], **content, **fields)


def added(kind: str, index: int | None = None, **item: Any) -> StreamEvent:
    """An item is announced."""
    value = responses_stream.dump({"type": kind, **item})
    return StreamEvent("response.output_item.added", output_index=index, item=value)


def done(item: dict[str, Any], index: int | None = None) -> StreamEvent:
    """An item is whole."""
    return StreamEvent("response.output_item.done", output_index=index, item=responses_stream.dump(item))


def ended(status: str = "completed", output: list[Any] | None = None, **response: Any) -> StreamEvent:
    """The answer is over."""
    value = {"status": status, **({"output": output} if output is not None else {}), **response}
    return StreamEvent(f"response.{status}", response=responses_stream.dump(value))


def message(*texts: str, ident: str = "msg_u", **fields: Any) -> dict[str, Any]:
    """A whole message item."""
    content = [{"type": "output_text", "text": text} for text in texts]
    return {"type": "message", "id": ident, "content": content, **fields}


def call(
    arguments: str = "{}", name: str = "f", call_id: str = "call_1", ident: str = "fc_1", **fields: Any
) -> dict[str, Any]:
    """A whole function call item."""
    return {"type": "function_call", "id": ident, "call_id": call_id, "name": name, "arguments": arguments, **fields}


def reasoning(*texts: str, ident: str = "rs_1", sealed: str = "sealed") -> dict[str, Any]:
    """A whole reasoning item."""
    summary = [{"type": "summary_text", "text": text} for text in texts]
    return {"type": "reasoning", "id": ident, "summary": summary, "encrypted_content": sealed}


def parts(*events: StreamEvent, plan: AnswerPlan = PLAN, waiting: int = 2**20) -> list[Part]:
    """All that a ledger makes of these events, and of the stream's end if they hold that of the answer."""
    ledger = Ledger(plan, waiting=waiting)
    made = [part for event in events for part in ledger.feed(event)]
    waits = ledger.ended and not any(isinstance(part, MessageEnd | Failure) for part in made)
    return [*made, *ledger.cut()] if waits else made


def told(made: list[Part]) -> list[str]:
    """Say parts in short: `text: ab.`, `thinking: t (sealed phase).`, `call f toolu_call_1: {}.`, and the ending.

    What continues a block that began in an earlier list stands in a line of its own.
    """
    lines: list[str] = []
    for part in made:
        line = _line(part)
        if line[:1].isalpha():
            lines.append(line)
        else:
            lines[-1:] = [(lines[-1] if lines else "") + line[1:]]
    return lines


def _line(part: Part) -> str:  # noqa: C901, PLR0911, PLR0912 - one case for each class
    """Put one part in words; what continues a line begins with `+`."""
    match part:
        case Pause():
            return "+"
        case FallbackStart(declined, model):
            return f"fallback from {declined} to {model}."
        case TextStart():
            return "text: "
        case ThinkingStart():
            return "thinking: "
        case ToolUseStart(ident, name) | ServerToolUseStart(ident, name):
            return f"call {name} {ident}: "
        case ResultStart():
            return "result"
        case TextDelta(text) | ThinkingDelta(text) | ArgumentsDelta(text) | JsonDelta(text):
            return f"+{text}"
        case CitationsDelta():
            return "+ (cited) "
        case ArgumentsDone(text):
            return f"+ = {text}"
        case ArgumentsCut():
            return "+ cut"
        case SignatureDelta(signature):
            sealed = carrier.decode(signature)
            return f"+ ({sealed.encrypted_content} {sealed.phase})" if sealed else "+ (foreign)"
        case CompactionStart():
            return "summary: "
        case CompactionDelta(text):
            return f"+{text}"
        case BlockStop():
            return "+."
        case MessageEnd(reason):
            return reason
        case Failure():
            return f"failure {part.cause}"
