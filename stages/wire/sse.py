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
# An event of one line of data, behind a blank line or nothing. Nothing in it can be tried in two ways (`++`), so that
# it costs what it is long, whatever stands there.
_PLAIN = re.compile(rb"(?:\A|(?<=\n\n))(?:event:[^\n]*+\n)?data:[ \t]*+([^\n]++)(?<!\s)(?:\n\n|\Z)")
_LONGEST_BLANK = 3
# Bytes of a blank line, which two line ends make, that may have come before its last one.
_LONG = 2**16
# Bytes of an event whose lines are read before it is whole.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Decoder:
    """Incremental decoder: however the bytes are cut, the same payloads come out (law 4).

    Keeps only the unfinished event, in the pieces in which it came. Of what was read, only the last bytes are looked at
    again, so that an event of many reads costs what its bytes cost, whatever its lines end in.

    Attributes:
        pending: bytes held back until their event is whole.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._lines: list[bytes] = []
        self._name = b""  # of a long event whose lines are read already
        self._first: bytes | None = None  # the name of the first event that was finished last, if it was a long one
        self._tail = b""
        self.pending = 0
        self._returns = False
        self._begun = False
        self._finished = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes; return the payloads of the events they finish, in order."""
        # `find`, because `in` first takes the line end for a number, and makes an exception of that.
        if self._begun and not self._pieces and chunk.endswith(b"\n\n") and chunk.find(b"\r") < 0:
            self._finished, self._first = chunk[:-2], None  # whole events, as nearly every read brings
            return _payloads(self._finished)
        if not self._begun:
            begun = self._begin(chunk)
            if begun is None:
                return []
            chunk = begun
        seen = self._tail + chunk if self._tail else chunk
        any_line_end = b"\r" in seen or self._returns
        if not (_BLANK_LINE.search(_settled(seen)) if any_line_end else b"\n\n" in seen):
            self._wait(chunk, seen)
            return []
        buffer = b"".join((*self._pieces, chunk)) if self._pieces else chunk
        self._pieces = []
        if any_line_end or self._lines:
            return self._feed_any_line_end(buffer)
        last = buffer.rfind(b"\n\n")
        self._keep(buffer[last + 2 :])
        self._finished, self._first = buffer[:last], None
        return _payloads(self._finished)

    def finish(self) -> list[bytes]:
        """Return the payload of an event that lacks only its blank line, if there is one.

        The standard drops such an event; a server that closes right after its last line is common, though,
        and a payload that was really cut is no JSON, which the next stage notices.
        """
        rest = b"".join(self._pieces)
        self._finished, self._first = rest, None
        payload = self._whole(rest)
        self._keep(b"")
        return [] if payload is None else [payload]

    def names(self) -> list[bytes]:
        """The names of the events whose payloads were returned last, one for each; empty for those without."""
        events = _BLANK_LINE.split(self._finished)
        if self._first is not None:
            return [self._first, *(_name(event) for event in events[1:] if _payload(event) is not None)]
        return [_name(event) for event in events if _payload(event) is not None]

    def _begin(self, chunk: bytes) -> bytes | None:
        """Pass over a byte order mark; None as long as there may be half of one."""
        begun = b"".join((*self._pieces, chunk))
        self._keep(b"")
        if len(begun) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(begun):
            self._keep(begun)
            return None
        self._begun = True
        return begun.removeprefix(_BYTE_ORDER_MARK)

    def _keep(self, rest: bytes) -> None:
        """Hold what is left behind the last event that is whole."""
        self._pieces = [rest] if rest else []
        self.pending = len(rest)
        self._tail = rest[-_LONGEST_BLANK:]
        self._returns = b"\r" in rest

    def _wait(self, chunk: bytes, seen: bytes) -> None:
        """Hold one more piece of an event; `seen` is the piece with the end of the one before."""
        self._pieces.append(chunk)
        self.pending += len(chunk)
        self._tail = seen[-_LONGEST_BLANK:]
        self._returns = self._returns or b"\r" in chunk
        if self.pending > _LONG and (b"\n" in chunk or b"\r" in chunk):
            self._read_lines()

    def _read_lines(self) -> None:
        """Read the whole lines of a long event already, so that its end does not have to read all of them at once.

        The last line end stays: with another one behind it, it is the blank line that ends the event.
        """
        held = b"".join(self._pieces)
        settled = _settled(held)
        last = max(settled.rfind(b"\n"), settled.rfind(b"\r"))
        if last < 0:
            return
        last -= settled[last - 1 : last + 1] == b"\r\n"
        self._lines += _data(held[:last])
        self._name = _name(held[:last]) or self._name
        self._pieces = [held[last:]]

    def _whole(self, rest: bytes) -> bytes | None:
        """Give the payload of an event whose rest this is; None when it has none."""
        if not self._lines:
            return _payload(rest)
        lines, self._lines = self._lines, []
        self._first, self._name = _name(rest) or self._name, b""
        return b"\n".join(lines + _data(rest)).strip()

    def _feed_any_line_end(self, buffer: bytes) -> list[bytes]:
        body = _settled(buffer)
        self._first = None
        payloads: list[bytes] = []
        begin = 0
        for blank in _BLANK_LINE.finditer(body):
            payload = self._whole(body[begin : blank.start()])
            begin = blank.end()
            if payload is not None:
                payloads.append(payload)
        self._finished = body[:begin]
        self._keep(buffer[begin:])
        return payloads


def _settled(seen: bytes) -> bytes:
    """Leave out a carriage return at the very end: it may be half of a line end, and waits for the other half."""
    return seen[:-1] if seen.endswith(b"\r") else seen


def _payloads(events: bytes) -> list[bytes]:
    """Take apart whole events whose lines end in line feeds; nearly always all of them are plain."""
    payloads: list[bytes] = _PLAIN.findall(events)
    if len(payloads) == events.count(b"\n\n") + 1:
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
    lines = _data(event)
    return b"\n".join(lines).strip() if lines else None


def _data(lines: bytes) -> list[bytes]:
    """Read the `data` of lines, whatever they end in."""
    return [line[5:].removeprefix(b" ") for line in _LINE_END.split(lines) if line.startswith(b"data:")]


def _name(event: bytes) -> bytes:
    """The name of one event: its last `event` line counts."""
    lines = [line[6:].strip() for line in _LINE_END.split(event) if line.startswith(b"event:")]
    return lines[-1] if lines else b""


def encode(name: str, data: bytes) -> bytes:
    """Frame one event: `event`, one line of `data`, and the blank line that dispatches it."""
    return b"event: %b\ndata: %b\n\n" % (name.encode("ascii"), data)
