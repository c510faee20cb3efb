"""How `dragoman demo` shows an exchange: each event in the moment it arrives, in the form a person would want."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.commands.screen import Screen

_MARGIN = " " * 13
_WIDTH = 96


@attrs.define
class View:
    """Shows one answer while it streams.

    Args:
        out: The screen.
        started: When the request was sent, in seconds of the clock that `show` is given too.
    """

    out: Screen
    started: float
    _at: float = attrs.field(default=0.0, init=False)
    _events: int = attrs.field(default=0, init=False)
    _column: int = attrs.field(default=0, init=False)  # 0: nothing stands on this line yet, not even the margin

    def show(self, event: Mapping[str, Any], now: float) -> None:
        """Show one event that arrived at `now`."""
        self._at = now - self.started
        self._events += 1
        match event["type"]:
            case "content_block_delta":
                self._delta(event["delta"])
            case "content_block_start":
                self._start(event["index"], event["content_block"])
            case "content_block_stop":
                self._end_line()
            case "message_start":
                self._stamp("message_start", f"model {event['message']['model']}")
            case "message_delta":
                self._stamp("message_delta", f"stop_reason {self.out.bold(str(event['delta'].get('stop_reason')))}")
            case "message_stop":
                self._stamp("message_stop", f"{self._events} events")
            case "error":
                self._stamp("error", self.out.red(event["error"]["message"]))
            case other:
                self._stamp(str(other))

    def _stamp(self, name: str, rest: str = "") -> None:
        """Write a line of its own, with the time; a text that was being written goes on below it."""
        self._end_line()
        self.out.line(f"  {self.out.dim(f'{self._at:6.3f} s')}   {self.out.cyan(name)} {rest}".rstrip())

    def _start(self, index: int, block: Mapping[str, Any]) -> None:
        self._stamp(f"block {index}: {block['type']}", self.out.bold(block.get("name", "")))

    def _delta(self, delta: Mapping[str, Any]) -> None:
        if "signature" in delta:
            self._end_line()
            size = len(delta["signature"])
            self._write(self.out.dim(f"(signature: {size} characters, the reasoning itself travels in it)"))
        elif "thinking" in delta:
            self._flow(delta["thinking"], self.out.dim)
        else:
            self._flow(delta.get("text", delta.get("partial_json", "")), str)

    def _flow(self, text: str, style: Callable[[str], str]) -> None:
        """Write text where the last left off, and begin a new line at a space near the right edge."""
        first, *others = text.split("\n")
        if self._column + len(first) > _WIDTH and first.startswith(" "):
            self._end_line()
            first = first.lstrip()
        self._write(first, style)
        for line in others:
            self.out.line()
            self._column = 0
            self._write(line, style)

    def _write(self, text: str, style: Callable[[str], str] = str) -> None:
        if text:
            self.out.write((_MARGIN if self._column == 0 else "") + style(text))
            self._column += len(text)

    def _end_line(self) -> None:
        if self._column:
            self.out.line()
            self._column = 0


def show_request(out: Screen, body: Mapping[str, Any]) -> None:
    """Show what the client sends."""
    tools = ", ".join(tool["name"] for tool in body["tools"])
    out.line(f"{out.bold('client')}  POST /v1/messages   model {body['model']}, stream, tools: {tools}")
    for message in body["messages"]:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for block in blocks:
            out.line(f"{_MARGIN}{message['role']:<9}  {_in_short(block)}")


def show_upstream(out: Screen, body: Mapping[str, Any]) -> None:
    """Show what the proxy made of it."""
    items = ", ".join(_item(item) for item in body["input"])
    effort = (body.get("reasoning") or {}).get("effort", "the model's own")
    settings = f"model {body['model']}, effort {effort}, store {body.get('store')}"
    out.line(f"{out.bold('upstream')} POST /v1/responses  {settings}")
    out.line(f"{_MARGIN}input: {out.green(items)}")
    if any(item.get("type") == "reasoning" for item in body["input"]):
        out.line(f"{_MARGIN}{out.green('the reasoning of the turn before is back in its place')}")


def show_usage(out: Screen, usage: Mapping[str, Any]) -> None:
    """Show the cost of a turn in tokens, with the share that came from the prompt cache."""
    fresh, read, written = (
        int(usage.get(name) or 0) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    )
    whole = fresh + read + written
    share = f"{read / whole:.0%}" if whole else "none"
    thinking = (usage.get("output_tokens_details") or {}).get("thinking_tokens", 0)
    out.line(
        f"{out.bold('usage')}   {whole} tokens in: {read} read from the cache ({share}), {written} written to it, "
        f"{fresh} neither; {usage.get('output_tokens', 0)} out, {thinking} of them thinking"
    )


def _in_short(block: Mapping[str, Any]) -> str:
    match block["type"]:
        case "text" | "thinking":
            return f"{block['type']}: {_cut(block[block['type']])}"
        case "tool_use":
            return f"tool_use: {block['name']} {_cut(str(block['input']))}"
        case "tool_result":
            return f"tool_result: {_cut(str(block['content']))}"
        case other:
            return str(other)


def _item(item: Mapping[str, Any]) -> str:
    return str(item.get("role") or item.get("type"))


def _cut(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= _WIDTH else one_line[: _WIDTH - 3] + "..."
