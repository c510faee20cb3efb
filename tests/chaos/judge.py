"""Reads an answer as it comes, compares every text with its plan, and says what became of it in one word."""

from __future__ import annotations

import json
from typing import Any

import httptools

from tests.chaos.plans import Plan


class Judge:
    """The judge of one answer; it keeps no more of it than an event.

    Attributes:
        plan: what was to be said.
        status: the HTTP status; 0 before it came.
        complete: whether the HTTP message has ended.
        wrong: what no answer may be; empty while nothing is.
        headers: the answer's headers.
        events: how many events came.
    """

    def __init__(self, plan: Plan, *, stream: bool = True) -> None:
        self.plan = plan
        self.status = 0
        self.complete = False
        self.wrong = ""
        self.headers: dict[str, str] = {}
        self.events = 0
        self._stream = stream
        self._parser = httptools.HttpResponseParser(self)
        self._said = plan.said()
        self._ahead = ""
        self._kept = b""
        self._last = ""

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.wrong = self.wrong or f"framing: {type(error).__name__}"

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header."""
        self.headers[name.decode().lower()] = value.decode()

    def on_headers_complete(self) -> None:
        """Note the status."""
        self.status = self._parser.get_status_code()

    def on_message_complete(self) -> None:
        """Note the end; an interim response has none that counts."""
        self.complete = self.status >= 200

    def on_body(self, data: bytes) -> None:
        """Read events; what is no stream is kept until its end."""
        if not self._stream or self.status != 200:
            self._kept += data
            return
        *events, self._kept = (self._kept + data).split(b"\n\n")
        for event in events:
            self._take(event)

    def _take(self, event: bytes) -> None:
        name, _, said = event.partition(b"\ndata: ")
        self._last, before = name.removeprefix(b"event: ").decode(), self._last
        self.events += 1
        if (self._last == "message_start") != (not before) or before in ("message_stop", "error"):
            self.wrong = self.wrong or f"{self._last} after {before or 'nothing'}"
        value = json.loads(said)
        if value.get("type") != self._last:
            self.wrong = self.wrong or "an event under another name"
        if value.get("delta", {}).get("type") == "text_delta":
            self._compare(value["delta"]["text"])

    def _compare(self, text: str) -> None:
        while len(self._ahead) < len(text) and (delta := next(self._said, None)) is not None:
            self._ahead += delta
        if not self._ahead.startswith(text):
            self.wrong = self.wrong or "another text"
        self._ahead = self._ahead[len(text) :]

    def outcome(self) -> str:
        """Say what became of it: `whole`, `error`, a status, `cut`, `nothing`, or what is wrong with it."""
        if self.wrong:
            return f"wrong: {self.wrong}"
        if not self.complete:
            return "cut" if self.status else "nothing"
        if self.status != 200:
            return str(self.status) if self._envelope() else f"wrong: the body of a {self.status}"
        if not self._stream:
            self._whole()
        elif self._last == "error":
            return "error"
        elif self._last != "message_stop":
            self.wrong = "it has no ending"
        if not self.wrong and (self._ahead or next(self._said, None) is not None):
            self.wrong = "part of a text"
        return f"wrong: {self.wrong}" if self.wrong else "whole"

    def _envelope(self) -> bool:
        value = _read(self._kept)
        return isinstance(value, dict) and value.get("type") == "error" and bool(value.get("request_id"))

    def _whole(self) -> None:
        value = _read(self._kept)
        for block in value["content"]:
            self._compare(block["text"])


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
