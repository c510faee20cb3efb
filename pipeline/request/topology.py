"""One request is one nursery: which stages run, what joins them, and how it ends.

    upstream reader + correlator ──▶ blocks ──▶ encoder + writer      (the request's own task)
                └ json buffer of each call ┘          └ tee ──▶ redacting logger
    watcher: waits for the client to leave            pulse: waits for time to pass

Whoever ends first ends all: the writer because the message is whole, the watcher because nobody reads it any more.
Cancelling the nursery closes the upstream's connection at once; nothing here survives its request (law 5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import trio

from pipeline.request.timers import Timers, watch_timers
from pipeline.request.upstream_call import RequestJob, UpstreamCall
from pipeline.settings import Limits, Timing
from pipeline.telemetry.request_log import keep_log
from pipeline.upstream.client import UpstreamClient
from stages.actor import Batch, Tee
from stages.block import AnswerEvent, Block, BlockReader
from stages.canonical.events import MessageEnd
from stages.canonical.failure import Failure, Kind
from stages.collector import Collector
from stages.encoder import Encoder
from stages.redactor import SIZE_ONLY, redact

DRAIN_TIMEOUT = 0.5
"""Seconds that an upstream has to end its body after its last event, so that the connection can be used again."""

_NO_ENDING = Failure(Kind.INTERNAL, "Internal server error", cause="no_ending")
# What a reader would have to say if the correlator ended without an ending; law 1 holds even then.


class Client(Protocol):
    """The client's side of a request, whatever server it came through."""

    def inform(self, headers: Mapping[str, str]) -> None:
        """Take note of the upstream's headers, before anything is sent."""
        ...

    async def begin_stream(self) -> None:
        """Send the 200 of a stream; nothing can be said with a status after this."""
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
        """Return once the client has closed its connection."""
        ...

    def endable(self, end: Callable[[Failure], bool]) -> None:
        """Take note of how the request ends by itself when the server must; `end` tells whether it will."""
        ...


async def run(job: RequestJob, upstream: UpstreamClient, client: Client, limits: Limits, timing: Timing) -> None:
    """Run one request from here to its end: answered, failed, or left by its client."""
    timers = Timers(timing, trio.current_time())
    outbox, inbox = trio.open_memory_channel[Batch[Block | MessageEnd]](limits.channel_batches)
    facts, heard = trio.open_memory_channel[Any](256)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_log, job.log, heard)
        with facts:
            nursery.start_soon(_watch, client, nursery.cancel_scope)
            nursery.start_soon(UpstreamCall(job, upstream, client.inform, outbox, limits, timers).run)
            reader = BlockReader(inbox)
            sink = (_Stream if job.stream else _Whole)(job, reader, client, timers, Tee(facts))
            client.endable(sink.wake)
            nursery.start_soon(watch_timers, timers, sink.wake)
            try:
                if await sink.run():
                    with trio.move_on_after(DRAIN_TIMEOUT):
                        await timers.over.wait()
            finally:
                reader.close()
            nursery.cancel_scope.cancel()


async def _watch(client: Client, scope: trio.CancelScope) -> None:
    """End the request when its client has left."""
    await client.left()
    scope.cancel()


class _Sink:
    """What reads the blocks: waits for them, and can be woken when time has passed instead."""

    def __init__(self, job: RequestJob, reader: BlockReader, client: Client, timers: Timers, tee: Tee) -> None:
        self.job = job
        self.client = client
        self.timers = timers
        self._reader = reader
        self._tee = tee
        self._waiting = trio.CancelScope()
        self._idle = False
        self._late: Failure | None = None
        self._whole = False

    def wake(self, failure: Failure | None) -> bool:
        """Interrupt the wait for the upstream, if there is one; `failure` is the deadline that passed."""
        idle, self._idle = self._idle, False
        if idle:
            self._late = failure
            self._waiting.cancel()
        return idle

    async def receive(self) -> list[AnswerEvent | Failure]:
        """Wait for the next events, and let the logger hear of them."""
        self._idle = True
        events = await self._reader.receive()
        self._idle = False
        for event in events:
            if type(event) not in SIZE_ONLY:
                self._tee.offer(redact(event))
                self._whole = isinstance(event, MessageEnd)
        return events

    async def run(self) -> bool:
        """Read the message to its end; True if that was its own end, so that the upstream has nothing more to say."""
        done = False
        while not done:
            unhandled: list[AnswerEvent | Failure] | None = None
            # Entered once for many waits: it is left only when `wake` has used it.
            with trio.CancelScope() as self._waiting:
                while not done and unhandled is None:
                    events = await self.receive() or [_NO_ENDING]
                    if self._waiting.cancel_called:
                        unhandled = events  # they came in the moment of waking; a write in here would be cut
                    else:
                        done = await self.take(events)
            if unhandled is not None:
                done = await self.take(unhandled)
            elif not done:
                done = await self._pass_time()
        return self._whole

    async def _pass_time(self) -> bool:
        if self._late is not None:
            self._tee.offer(redact(self._late))
            return await self.take([self._late])
        await self.sign_of_life()
        return False

    async def take(self, events: list[AnswerEvent | Failure]) -> bool:
        """Handle the next events; True once the message has ended."""
        raise NotImplementedError

    async def sign_of_life(self) -> None:
        """Tell the client that somebody is still there."""
        raise NotImplementedError


class _Stream(_Sink):
    """Writes a stream: the first event decides between a 200 and an error's own status (law 8)."""

    def __init__(self, job: RequestJob, reader: BlockReader, client: Client, timers: Timers, tee: Tee) -> None:
        super().__init__(job, reader, client, timers, tee)
        self._encoder = Encoder(job.plan, job.request_id)
        self._committed = False

    async def take(self, events: list[AnswerEvent | Failure]) -> bool:
        """Encode and write events; one write for all that came together."""
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
        """Commit to a stream if that is due, else ping, or grow the open block by nothing."""
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
        if not self._committed:
            self._committed = True
            await self.client.begin_stream()


class _Whole(_Sink):
    """Folds the message and answers once."""

    def __init__(self, job: RequestJob, reader: BlockReader, client: Client, timers: Timers, tee: Tee) -> None:
        super().__init__(job, reader, client, timers, tee)
        self._collector = Collector(job.plan)

    async def take(self, events: list[AnswerEvent | Failure]) -> bool:
        """Fold events; answer when the message has ended."""
        self._collector.collect(events)
        if not self._collector.ended:
            return False
        if self._collector.failure is not None:
            await self.client.fail(self._collector.failure)
        else:
            await self.client.answer(self._collector.message())
        return True

    async def sign_of_life(self) -> None:
        """Note that one would have been due; a client that does not stream hears nothing before the end."""
        self.timers.written(content=False)
