"""What one stream of a run is to say, and how it is to go wrong: both ends know it from the prompt alone."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import attrs

from pipeline.bench.http import chunk
from stages.wire import json, sse

WORDS = (
    "lorem ",
    "ipsum\n",
    "日本 ",
    '"quoted" ',
    "back\\slash ",
    "😀",
    "é ",
    "</script>",
    "\u2028",
    "data: x\n\n",
    "{}",
)
"""What texts are made of: whatever means something to a framing, a parser or a page."""

_SOLID = tuple(word for word in WORDS if word.strip())
_WORDS = "chaos seed={} deltas={} gap={} width={} fault={} at={} over"
_FOUND = re.compile(rb"chaos seed=(\d+) deltas=(\d+) gap=([\d.]+) width=(\d+) fault=(\w+) at=(\d+) over")
_WHERE = {"item_id": "msg_chaos", "output_index": 0, "content_index": 0}


@attrs.frozen
class Plan:
    """One stream.

    Attributes:
        seed: chooses its words.
        deltas: how many it has.
        gap: seconds between two of them.
        width: how often each repeats its word.
        fault: what happens to it upstream, one of `upstream.FAULTS`.
        at: before which of its deltas.
    """

    seed: int
    deltas: int
    gap: float = 0.0
    width: int = 1
    fault: str = "none"
    at: int = 0

    @property
    def prompt(self) -> str:
        """The plan as a client says it."""
        return _WORDS.format(self.seed, self.deltas, self.gap, self.width, self.fault, self.at)

    @classmethod
    def found_in(cls, body: bytes) -> Plan | None:
        """Read the plan out of a request, whatever stands around it."""
        found = _FOUND.search(body)
        if found is None:
            return None
        seed, deltas, gap, width, fault, at = found.groups()
        return cls(int(seed), int(deltas), float(gap), int(width), fault.decode(), int(at))

    def request(self, *, stream: bool = True) -> bytes:
        """The whole request of a client, head and body."""
        said = [{"role": "user", "content": self.prompt}]
        body = json.encode({"model": "claude-opus-5-5", "max_tokens": 1000, "stream": stream, "messages": said})
        return b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)

    def said(self) -> Iterator[str]:
        """Its deltas; the first is no white space, since a text of nothing else is told as none."""
        chance = random.Random(self.seed)
        return (chance.choice(WORDS if at else _SOLID) * self.width for at in range(self.deltas))

    def begin(self) -> bytes:
        """What the upstream says before the first delta."""
        return _framed({"type": "response.created", "response": self._response("in_progress", [])}) + _framed(
            {"type": "response.output_item.added", "output_index": 0, "item": _message("", "in_progress")}
        )

    def events(self) -> Iterator[bytes]:
        """What it says for each delta."""
        for delta in self.said():
            yield _framed({"type": "response.output_text.delta", **_WHERE, "delta": delta})

    def end(self) -> bytes:
        """What it says after the last."""
        item = _message("".join(self.said()), "completed")
        return _framed({"type": "response.output_item.done", "output_index": 0, "item": item}) + _framed(
            {"type": "response.completed", "response": self._response("completed", [item])}
        )

    def _response(self, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        usage = {"input_tokens": 50, "output_tokens": self.deltas, "total_tokens": 50 + self.deltas}
        return {"id": f"resp_{self.seed}", "object": "response", "status": status, "output": output, "usage": usage}


def _framed(event: dict[str, Any]) -> bytes:
    return chunk(sse.encode(event["type"], json.encode(event)))


def _message(text: str, status: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}] if text else []
    return {"id": "msg_chaos", "type": "message", "role": "assistant", "status": status, "content": content}
