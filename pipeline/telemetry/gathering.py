"""Several workers answer as one: each tells its supervisor what it has counted, and hands on what it is asked.

A worker sends lines of JSON over a socket of its own: what was counted since the last one, what is true now, and
questions. The supervisor adds up what comes, so what a worker has told outlives it; what was true of it ends with it.
It never waits for a worker: one that is busy, or hangs, is counted with what it told last.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from itertools import count
from typing import Any

import attrs
import trio
from structlog.typing import FilteringBoundLogger

from pipeline.telemetry import names, semantics
from pipeline.telemetry.counted import Counted, CountQuestion
from pipeline.telemetry.logs import fault_site
from pipeline.telemetry.recent import Recent
from pipeline.telemetry.semantics import METRICS
from pipeline.telemetry.sums import add_to, difference, growing, latest, merged
from pipeline.telemetry.tally import Form, Labels, Number, Snapshot
from pipeline.telemetry.usage_by_session import UsageBySession, plain_usage, usage_read
from stages.wire import json

EVERY = 0.25
"""Seconds between two reports of a worker that counts; so much is lost of one that is killed."""

HEARTBEAT = 5.0
"""Seconds between two reports of a worker that has nothing new."""

SILENT_AFTER = 3 * HEARTBEAT
"""Seconds without a word after which a worker is said to be silent."""

ANSWER_WITHIN = 2.0
"""Seconds that a supervisor has for an answer."""

LAST_REPORT_WITHIN = 1.0
"""Seconds that the last report of a worker may take."""

_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)
_READ = 2**16
_MOST = 2**26  # bytes of a line: a hundred times those of the largest


@attrs.define(eq=False)
class _Told:
    """What one worker has told.

    Attributes:
        heard: when it spoke last.
        state: its gauges then.
        turn: whose answer is on its way to it.
    """

    heard: float
    state: Snapshot = attrs.field(factory=dict)
    turn: trio.Lock = attrs.field(factory=trio.Lock)


@attrs.define(eq=False)
class Gathering:
    """The supervisor's side.

    Args:
        answer: answers questions about what all workers have counted.
        log: returns the logger of this moment.
    """

    _answer: Callable[[Counted, CountQuestion], Awaitable[str]]
    _log: Callable[[], FilteringBoundLogger]
    _sum: dict[str, dict[Labels, Number]] = attrs.field(factory=dict, init=False)
    _moments: Snapshot = attrs.field(factory=dict, init=False)
    _workers: set[_Told] = attrs.field(factory=set, init=False)
    counted: Counted = attrs.field(
        default=attrs.Factory(lambda own: Counted(own.numbers, Recent(own.numbers), UsageBySession()), takes_self=True),
        init=False,
    )

    def numbers(self) -> Snapshot:
        """Put together what all workers have counted, also those that have ended, and what is true of the others."""
        now = trio.current_time()
        silent = sum(now - worker.heard > SILENT_AFTER for worker in self._workers)
        own: Snapshot = {semantics.WORKERS_SILENT: {(): float(silent)}}
        return merged([self._sum, self._moments, own, *(worker.state for worker in self._workers)])

    async def hear(self, stream: trio.abc.Stream) -> None:
        """Listen to one worker, and answer it, until it has ended; waits for it, and no bug here is anybody's end."""
        worker = _Told(trio.current_time())
        self._workers.add(worker)
        try:
            async with stream, trio.open_nursery() as nursery:
                async for line in lines(stream):
                    report = json.decode(line)
                    self._take(worker, report)
                    for number, question in report["asked"]:
                        nursery.start_soon(self._tell, worker, stream, number, question)
                nursery.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001 - whatever a worker says, the others go on
            self._log().error(names.FAULT, site=fault_site(error))
        finally:
            self._workers.discard(worker)

    def _take(self, worker: _Told, report: Mapping[str, Any]) -> None:
        worker.heard = trio.current_time()
        add_to(self._sum, read_snapshot(report["counted"]))
        state = read_snapshot(report["state"])
        worker.state = _of_form(state, Form.GAUGE)
        self._moments = latest([self._moments, _of_form(state, Form.MOMENT)])
        for client, session, models in report["used"]:
            self.counted.usage.join((client, session), usage_read(models))

    async def _tell(self, worker: _Told, stream: trio.abc.Stream, number: int, question: CountQuestion) -> None:
        try:
            text = await self._answer(self.counted, question)
        except Exception as error:  # noqa: BLE001 - an answer that is none
            self._log().error(names.FAULT, site=fault_site(error))
            text = None
        with contextlib.suppress(*_GONE):  # it was killed meanwhile
            async with worker.turn:
                await _send(stream, [number, text])


@attrs.define(eq=False)
class Reporting:
    """A worker's side.

    Args:
        stream: leads to the supervisor.
        usage: what sessions have used here since the last report.
    """

    _stream: trio.abc.Stream
    usage: UsageBySession = attrs.field(factory=UsageBySession)
    _asked: dict[int, CountQuestion] = attrs.field(factory=dict, init=False)
    _waiting: dict[int, _Answer] = attrs.field(factory=dict, init=False)
    _ids: count[int] = attrs.field(factory=count, init=False)
    _wake: trio.Event = attrs.field(factory=trio.Event, init=False)
    _counted: Snapshot = attrs.field(factory=dict, init=False)
    _state: Snapshot = attrs.field(factory=dict, init=False)
    _spoke: float = attrs.field(default=-HEARTBEAT, init=False)
    _whole: bool = attrs.field(default=True, init=False)

    async def ask(self, question: CountQuestion) -> str | None:
        """Ask the supervisor; waits for it, `ANSWER_WITHIN` seconds at most; None where no answer has come by then."""
        number, answer = next(self._ids), _Answer()
        self._asked[number], self._waiting[number] = question, answer
        self._wake.set()
        try:
            with trio.move_on_after(ANSWER_WITHIN):
                await answer.here.wait()
            return answer.text
        finally:
            self._asked.pop(number, None)
            del self._waiting[number]

    async def run(self, numbers: Callable[[], Snapshot]) -> None:
        """Report what was counted until cancelled, and then once more; waits, shielded then, for the supervisor.

        Args:
            numbers: tells what was counted here.
        """
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._hear, nursery.cancel_scope)
                while True:
                    await self._report(numbers())
                    with trio.move_on_after(EVERY):
                        await self._wake.wait()
                    self._wake = trio.Event()
        finally:
            with trio.move_on_after(LAST_REPORT_WITHIN, shield=True):
                await self._report(numbers())

    async def _report(self, now: Snapshot) -> None:
        """Tell what is new, if anything is, or it was long enough."""
        counted, state = difference(growing(now), self._counted), _state(now)
        used = [[*key, plain_usage(models)] for key, models in self.usage.take()]
        asked = list(self._asked.items())
        silence = trio.current_time() - self._spoke
        if not self._whole or not (counted or used or asked or state != self._state or silence >= HEARTBEAT):
            return
        self._counted, self._state, self._spoke = growing(now), state, trio.current_time()
        self._asked.clear()
        self._whole = False  # half a line cannot be taken back
        with contextlib.suppress(*_GONE):  # nobody is left to be told: `_hear` notices, and ends this
            await _send(
                self._stream,
                {"counted": plain_snapshot(counted), "state": plain_snapshot(state), "used": used, "asked": asked},
            )
            self._whole = True

    async def _hear(self, scope: trio.CancelScope) -> None:
        async for line in lines(self._stream):
            number, text = json.decode(line)
            if number in self._waiting:  # else it was asked for too long ago
                self._waiting[number].text = text
                self._waiting[number].here.set()
        scope.cancel()


@attrs.define(eq=False)
class _Answer:
    """An answer that is waited for.

    Attributes:
        here: set when it has come.
        text: what it says.
    """

    here: trio.Event = attrs.field(factory=trio.Event)
    text: str | None = None


async def lines(stream: trio.abc.Stream) -> AsyncIterator[bytes]:
    """Read lines until the stream ends, however it does; half a one at its end is none.

    Raises:
        ValueError: a line is longer than any of ours.
    """
    read = bytearray()
    while len(read) <= _MOST:
        try:
            piece = await stream.receive_some(_READ)
        except _GONE:
            return
        if not piece:
            return
        *whole, rest = (bytes(read) + piece).split(b"\n") if b"\n" in piece else (read + piece,)
        for line in whole:
            yield line
        read = bytearray(rest)
    raise ValueError(len(read))


async def _send(stream: trio.abc.Stream, said: Any) -> None:
    await stream.send_all(json.encode(said) + b"\n")


def _state(now: Snapshot) -> Snapshot:
    return {**_of_form(now, Form.GAUGE), **_of_form(now, Form.MOMENT)}


def _of_form(snapshot: Snapshot, form: Form) -> Snapshot:
    return {name: series for name, series in snapshot.items() if METRICS[name].form is form}


def plain_snapshot(snapshot: Snapshot) -> dict[str, list[tuple[Labels, Number]]]:
    """Turn a snapshot into what JSON can say: pairs of labels and number."""
    return {name: list(series.items()) for name, series in snapshot.items()}


def read_snapshot(told: Mapping[str, Any]) -> Snapshot:
    """Read what `plain_snapshot` made."""
    return {name: {tuple(labels): number for labels, number in series} for name, series in told.items()}
