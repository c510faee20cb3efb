"""What the client gets of one answer: who reads the blocks, waits for them, and writes.

A sink runs in the request's own task and does one of three things at any moment:

    waiting ──events──▶ handling ──▶ waiting …            until the message has ended
       └──── woken ───▶ passing time ──▶ waiting …        a sign of life; or a deadline, which ends the message

Handling includes every write, so a client that does not read holds its sink there, and through the channels the
upstream as well.

*Who may cancel what.*  The timers' task may end a wait, by `wake`, and nothing else: a write that is cut in half
would leave the client with half an event.  So `wake` does nothing unless the sink is waiting, and says so; whoever
finds it busy knows that the client is the slow one, and that nobody upstream is late.  All else that can end a sink
ends the whole request: its nursery is cancelled when the client has left, and then nothing more is to be written.

*Why a scope is kept over many waits.*  A cancel scope costs more than the translation of an event, so one is entered
for all waits until `wake` uses it up, and handling happens inside of it.  That is safe while it is not cancelled, and
it can only be cancelled while the sink waits.

*Why some events are handled outside.*  Between `wake` and the moment in which the sink runs again, events may have
arrived, and then the wait returns with them although its scope is cancelled.  Their write would be cut at its first
checkpoint.  So they are taken out of the scope, handled, and the reason of the waking is forgotten: events have come,
which is better than any sign of life, and a deadline that still stands will be noticed at the timers' next look.

*What is not forgotten.*  That the server ends is said once, by `end`.  So the sink remembers it, and says it as soon as
nothing else is being written: behind events that came in the same moment, and behind a write that was under way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import trio

from pipeline.request.timers import Timers
from pipeline.request.upstream_call import RequestJob
from stages.actor import Tee
from stages.block import AnswerEvent, BlockReader
from stages.canonical.events import MessageEnd
from stages.canonical.failure import Failure, Kind
from stages.collector import Collector
from stages.encoder import Encoder
from stages.redactor import SIZE_ONLY, redact

_NO_ENDING = Failure(Kind.INTERNAL, "Internal server error", cause="no_ending")
# What a reader would have to say if the correlator ended without an ending; law 1 holds even then.


class Client(Protocol):
    """The client's side of a request, whatever server it came through.

    Each method that sends waits while the client does not read. Cancelled meanwhile, the client has left or is about to
    be left, and what it has got so far is all that it gets.
    """

    def inform(self, headers: Mapping[str, str]) -> None:
        """Take note of the upstream's headers, before anything is sent."""
        ...

    async def begin_stream(self) -> None:
        """Send the 200 of a stream, whole or not at all; nothing can be said with a status after this."""
        ...

    async def write(self, data: bytes) -> None:
        """Send a piece of the stream; waits while the client does not read."""
        ...

    async def end_stream(self) -> None:
        """Send the stream's end."""
        ...

    async def answer(self, message: dict[str, Any]) -> None:
        """Send a whole message."""
        ...

    async def fail(self, failure: Failure) -> None:
        """Send a failure with its own status."""
        ...

    async def left(self) -> None:
        """Wait until the client has closed its connection; cancelled when the request is over before that."""
        ...

    def endable(self, end: Callable[[Failure], None]) -> None:
        """Take note of how the request ends by itself when the server must."""
        ...


class Sink:
    """What reads the blocks: waits for them, and can be woken when time has passed instead.

    `_idle` says whether it waits, `_late` which deadline it was woken for, `_stop` why the server ends it, `_whole`
    whether the message itself has ended, so that its upstream has nothing more to say.
    """

    def __init__(self, job: RequestJob, reader: BlockReader, client: Client, timers: Timers, tee: Tee) -> None:
        self.job = job
        self.client = client
        self.timers = timers
        self._reader = reader
        self._tee = tee
        self._waiting = trio.CancelScope()
        self._idle = False
        self._late: Failure | None = None
        self._stop: Failure | None = None
        self._whole = False

    def wake(self, failure: Failure | None) -> bool:
        """End the wait for the upstream, if there is one.

        Args:
            failure: the deadline that has passed; None when only a sign of life is due.

        Returns:
            Whether the sink was waiting.  If not, it is busy with the client, and nothing was done.
        """
        idle, self._idle = self._idle, False
        if idle:
            self._late = failure
            self._waiting.cancel()
        return idle

    def end(self, failure: Failure) -> None:
        """End the message with a failure, as soon as nothing is being written."""
        self._stop = failure
        self.wake(failure)

    async def receive(self) -> list[AnswerEvent | Failure]:
        """Wait for the next events, and let the logger, which is never waited for, hear of them."""
        self._idle = True
        events = await self._reader.receive()
        self._idle = False
        for event in events:
            if type(event) not in SIZE_ONLY:
                self._tee.offer(redact(event))
                self._whole = isinstance(event, MessageEnd)
        return events

    async def run(self) -> bool:
        """Read the message to its end, whatever that is.

        Waits for the upstream and for the client by turns.  Cancelled, it stops where it stands, in a write as well:
        only the end of the whole request may do that.

        Returns:
            Whether it was the message's own end, so that the upstream has nothing more to say.
        """
        done = False
        while not done:
            unhandled: list[AnswerEvent | Failure] | None = None
            # Entered once for many waits: it is left only when `wake` has used it.
            with trio.CancelScope() as self._waiting:
                while not done and unhandled is None and self._stop is None:
                    events = await self.receive() or [_NO_ENDING]
                    if self._waiting.cancel_called:
                        unhandled = events  # they came in the moment of waking; a write in here would be cut
                    else:
                        done = await self.take(events)
            if unhandled is not None:
                done = await self.take(unhandled)
            elif not done and self._stop is None:
                done = await self._pass_time()
            if not done and self._stop is not None:
                done = await self._fail(self._stop)
        return self._whole

    async def _pass_time(self) -> bool:
        """Say what time has brought, and wait until it is written: a deadline's failure, or a sign of life."""
        if self._late is not None:
            return await self._fail(self._late)
        await self.sign_of_life()
        return False

    async def _fail(self, failure: Failure) -> bool:
        """End the message with a failure of our own, and wait until it is written."""
        self._tee.offer(redact(failure))
        return await self.take([failure])

    async def take(self, events: list[AnswerEvent | Failure]) -> bool:
        """Handle the next events; True once the message has ended.  Waits while the client does not read."""
        raise NotImplementedError

    async def sign_of_life(self) -> None:
        """Tell the client that somebody is still there.  Waits while the client does not read."""
        raise NotImplementedError


class StreamSink(Sink):
    """Writes a stream: the first event decides between a 200 and an error's own status (law 8)."""

    def __init__(self, job: RequestJob, reader: BlockReader, client: Client, timers: Timers, tee: Tee) -> None:
        super().__init__(job, reader, client, timers, tee)
        self._encoder = Encoder(job.plan, job.request_id)
        self._committed = False

    async def take(self, events: list[AnswerEvent | Failure]) -> bool:
        """Encode and write events; one write for all that came together. Waits while the client does not read."""
        if not self._committed and isinstance(events[0], Failure):
            await self.client.fail(events[0])
            return True
        await self._commit()
        await self.client.write(self._encoder.encode(events))
        self.timers.written(content=True)
        if self._encoder.ended:
            await self.client.end_stream()
        return self._encoder.ended

    async def sign_of_life(self) -> None:
        """Commit to a stream if that is due, else ping, or grow the open block by nothing; waits for the write."""
        now = trio.current_time()
        if not self._committed:
            await self._commit()
            data, content = self._encoder.begin(), True
        elif self.timers.progress_due(now):
            data, content = self._encoder.progress_delta(), True
        else:
            data, content = self._encoder.ping(), False
        await self.client.write(data)
        self.timers.written(content=content)

    async def _commit(self) -> None:
        """Send the 200, once, and wait for it; noted before, so that a cancelled one is not sent twice."""
        if not self._committed:
            self._committed = True
            await self.client.begin_stream()


class WholeSink(Sink):
    """Folds the message and answers once."""

    def __init__(self, job: RequestJob, reader: BlockReader, client: Client, timers: Timers, tee: Tee) -> None:
        super().__init__(job, reader, client, timers, tee)
        self._collector = Collector(job.plan)

    async def take(self, events: list[AnswerEvent | Failure]) -> bool:
        """Fold events, without waiting; answer when the message has ended, and wait for that."""
        self._collector.collect(events)
        if not self._collector.ended:
            return False
        if self._collector.failure is not None:
            await self.client.fail(self._collector.failure)
        else:
            await self.client.answer(self._collector.message())
        return True

    async def sign_of_life(self) -> None:
        """Note that one would have been due, and wait for nothing: without a stream, nothing is sent before the end."""
        self.timers.written(content=False)


def sink_for(job: RequestJob, reader: BlockReader, client: Client, timers: Timers, tee: Tee) -> Sink:
    """Choose how an answer is written, by what the client has asked for.

    Args:
        job: the request.
        reader: where the message comes from.
        client: where it goes.
        timers: get a note of each write.
        tee: hears of each event, for the log.
    """
    return (StreamSink if job.stream else WholeSink)(job, reader, client, timers, tee)
