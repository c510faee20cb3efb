"""What the translation alone costs: the stages in this process, without sockets and tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import attrs

from pipeline.bench import canned
from pipeline.bench.conversations import conversation
from stages import counter
from stages.canonical.events import ArgumentsCut, ArgumentsDelta, ArgumentsDone, BlockStop, ToolUseStart
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.canonical.request import Caller, Request
from stages.correlator import Ledger
from stages.decoder import decode_request
from stages.encoder import Encoder
from stages.json_buffer import JsonBuffer
from stages.mapper import Target, map_request
from stages.upstream_reader import Framing
from stages.wire import json

SIZES = (20_000, 150_000, 1_000_000)
"""Bytes of the requests that are translated."""

DELTAS = 2_000
"""Deltas of the streams that are translated."""

BURST_READ = 65_536
"""Bytes of one read of a stream that comes as fast as possible."""

_SECONDS = 0.4  # of each measurement
_TIMES = 400


@attrs.frozen
class RequestCpu:
    """CPU time of one request, in microseconds, by step; `size` is bytes of the body."""

    size: int
    decode: float
    map: float
    encode: float
    estimate: float

    @property
    def total(self) -> float:
        """All steps together."""
        return self.decode + self.map + self.encode + self.estimate


@attrs.frozen
class StreamCpu:
    """CPU time of one delta, in microseconds: when each comes in a read of its own, and when many come in one."""

    kind: str
    single: float
    burst: float


def request_cpu(size: int, seconds: float = _SECONDS) -> RequestCpu:
    """Measure the way of a request through decoder and mapper. Schemas are cached by then, as in every second turn.

    Raises:
        TypeError: The decoder refuses what the bench has made.
    """
    body = conversation(size)
    request = decode_request(body)
    if not isinstance(request, Request):
        raise TypeError("the bench's conversation is no valid request")
    mapped = _mapped(request)
    return RequestCpu(
        size=len(body),
        decode=_microseconds(lambda: decode_request(body), seconds),
        map=_microseconds(lambda: _mapped(request), seconds),
        encode=_microseconds(lambda: json.encode(mapped), seconds),
        estimate=_microseconds(lambda: counter.estimate_request(request), seconds),
    )


def stream_cpu(kind: str, deltas: int = DELTAS, seconds: float = _SECONDS) -> StreamCpu:
    """Measure the way of a delta through framing, ledger and encoder; `kind` is `text` or `arguments`."""
    script = (canned.text_script if kind == "text" else canned.call_script)(deltas)
    whole = b"".join(script.pieces)
    reads = [whole[begin : begin + BURST_READ] for begin in range(0, len(whole), BURST_READ)]
    return StreamCpu(
        kind,
        single=_microseconds(lambda: translate_reads(script.pieces), seconds) / deltas,
        burst=_microseconds(lambda: translate_reads(reads), seconds) / deltas,
    )


def translate_reads(reads: list[bytes] | tuple[bytes, ...]) -> bytes:
    """Translate an upstream body, read by read, into the client's bytes, as one request's stages do."""
    plan = AnswerPlan("msg_bench", "claude", "gpt")
    framing, ledger, encoder, calls = Framing(plan), Ledger(plan), Encoder(plan, "req_bench"), _Calls()
    written: list[bytes] = []
    for read in reads:
        batch = framing.feed(read)
        events = [event for part in ledger.read(tuple(batch)) for event in calls.pass_on(part)]
        if events:
            written.append(encoder.encode(events))
    return b"".join(written)


class _Calls:
    """The JSON buffers of a message, in line with everything else instead of in tasks of their own."""

    def __init__(self) -> None:
        self._buffer: JsonBuffer | None = None

    def pass_on(self, part: Any) -> Iterator[Any]:
        """Yield what an encoder gets for a part of the message: arguments as their buffer has read them."""
        if isinstance(part, (ArgumentsDelta, ArgumentsDone, ArgumentsCut)):
            if self._buffer is not None:
                yield from self._buffer.feed(part)
            return
        if isinstance(part, ToolUseStart):
            self._buffer = JsonBuffer()
        elif isinstance(part, (BlockStop, Failure)) and self._buffer is not None:
            yield from self._buffer.finish()
            self._buffer = None
        yield part


def _mapped(request: Request) -> dict[str, Any]:
    return map_request(request, Caller(), Target(), message_id="msg_bench").body


def _microseconds(work: Callable[[], object], seconds: float) -> float:
    """Repeat `work` for so many seconds of CPU time, at least three times; return the median of one."""
    work()
    took: list[int] = []
    spent, limit = 0, int(seconds * 1e9)
    while len(took) < 3 or (spent < limit and len(took) < _TIMES):  # noqa: PLR2004 - the least that has a median
        before = time.process_time_ns()
        work()
        took.append(time.process_time_ns() - before)
        spent += took[-1]
    return median(took) / 1000
