"""Server-sent events: bytes to `data` payloads, and one event to bytes.

Both APIs repeat the event's name as `type` inside the payload, and servers that disagree with themselves exist,
so the payload is what counts.  Names are told on request, for payloads that say nothing of the kind.
Source: WHATWG HTML, section 9.2 (event stream interpretation).
"""

from __future__ import annotations

import re

# Atomic groups, or a lone "\r\n" would be taken apart into two line ends.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_LINES_OF_ONE = 2
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Decoder:
    """Incremental decoder: however the bytes are cut, the same payloads come out (law 4).

    Keeps only the unfinished event, and remembers how far it has been searched, so that a payload of
    many reads is not searched from its beginning at each of them.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._searched = 0
        self._begun = False
        self._finished = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes; return the payloads of the events they finish, in order."""
        buffer = self._buffer + chunk if self._buffer else chunk
        if not self._begun and buffer:
            if len(buffer) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(buffer):
                self._buffer = buffer
                return []
            self._begun = True
            buffer = buffer.removeprefix(_BYTE_ORDER_MARK)
        if b"\r" in buffer:
            return self._feed_any_line_end(buffer)
        last = buffer.rfind(b"\n\n", self._searched)
        if last < 0:
            self._keep(buffer)
            return []
        self._keep(buffer[last + 2 :])
        self._finished = buffer[:last]
        return _payloads(self._finished)

    def finish(self) -> list[bytes]:
        """Return the payload of an event that lacks only its blank line, if there is one.

        The standard drops such an event; a server that closes right after its last line is common, though,
        and a payload that was really cut is no JSON, which the next stage notices.
        """
        payload, self._finished, self._buffer = _payload(self._buffer), self._buffer, b""
        return [] if payload is None else [payload]

    def names(self) -> list[bytes]:
        """The names of the events whose payloads were returned last, one for each; empty for those without."""
        events = _BLANK_LINE.split(self._finished)
        return [_name(event) for event in events if _payload(event) is not None]

    @property
    def pending(self) -> int:
        """Bytes held back until their event is whole."""
        return len(self._buffer)

    def _keep(self, rest: bytes) -> None:
        self._buffer = rest
        self._searched = max(0, len(rest) - 3)

    def _feed_any_line_end(self, buffer: bytes) -> list[bytes]:
        # A carriage return at the very end may be the first half of a line end: it waits for the other half.
        held = b"\r" if buffer.endswith(b"\r") else b""
        body = buffer[: len(buffer) - len(held)]
        payloads: list[bytes] = []
        begin = 0
        for blank in _BLANK_LINE.finditer(body):
            payload = _payload(body[begin : blank.start()])
            begin = blank.end()
            if payload is not None:
                payloads.append(payload)
        self._finished = body[:begin]
        self._buffer = body[begin:] + held
        self._searched = 0
        return payloads


def _payloads(events: bytes) -> list[bytes]:
    """Take apart whole events whose lines end in line feeds.

    Nearly always each is a line with its name, a line of data and a blank one; then slices of the lines do, at a third
    of the cost.
    """
    lines = events.split(b"\n")
    if len(lines) > _LINES_OF_ONE:
        names, data = lines[0::3], lines[1::3]
        if len(names) == len(data) and not any(lines[2::3]) and {line[:6] for line in names} == {b"event:"}:
            payloads = [line[5:].strip() for line in data if line.startswith(b"data:")]
            if len(payloads) == len(data):
                return payloads
    return [payload for event in events.split(b"\n\n") if (payload := _payload(event)) is not None]


def _payload(event: bytes) -> bytes | None:
    """Join the `data` lines of one event; None when it has none (a comment, or empty)."""
    if event.startswith(b"data:") and b"\n" not in event and b"\r" not in event:
        return event[5:].strip()
    if event.startswith(b"event:") and b"\r" not in event:
        rest = event.partition(b"\n")[2]
        if rest.startswith(b"data:") and b"\n" not in rest:
            return rest[5:].strip()
    lines = [line[5:].removeprefix(b" ") for line in _LINE_END.split(event) if line.startswith(b"data:")]
    return b"\n".join(lines).strip() if lines else None


def _name(event: bytes) -> bytes:
    """The name of one event: its last `event` line counts."""
    lines = [line[6:].strip() for line in _LINE_END.split(event) if line.startswith(b"event:")]
    return lines[-1] if lines else b""


def encode(name: str, data: bytes) -> bytes:
    """Frame one event: `event`, one line of `data`, and the blank line that dispatches it."""
    return b"event: %b\ndata: %b\n\n" % (name.encode("ascii"), data)
