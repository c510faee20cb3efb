"""What the client gets of one answer: who reads the events, and writes.

A sink reads the upstream and writes to the client by turns, in the request's own task: a client that does not read
holds it in a write, and with it the upstream.  While it waits for the upstream, time may pass: a sign of life is due,
or a deadline ends the message.  Then another task writes that, so that no wait for the upstream has to be cut, and no
write of anybody.

*Who may write.*  One at a time.  `busy` says that somebody does; who has time's word to say looks at it first, and
says nothing while the client is the slow one.  The own task never gives way: it waits for the other's write to end,
which is no longer than its own would have taken.  (`trio.Lock` would do the same for a checkpoint an event, which
costs as much as the translation.)

*What ends it.*  The message's own end, which the own task writes; a failure that time has brought, behind which the
whole request is cancelled before anybody else can write; or the client has left, and nothing more is to be written.

*What is not forgotten.*  That the server ends is said once.  The timers keep it, and who has written looks there: it
is said behind the write that was under way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import trio

from pipeline.request.counted import AnswerReader
from pipeline.request.timers import Timers
from pipeline.request.upstream_call import RequestJob
from stages.block import AnswerEvent
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

    def write(self, data: bytes) -> Awaitable[None]:
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
    """What reads the answer and writes to the client.

    `_writing` says whether the own task writes, or has written the end, `_other` whether time's task does, and when it
    has, `_whole` whether the message itself has ended, so that its upstream has nothing more to say.
    """

    def __init__(self, job: RequestJob, reader: AnswerReader, client: Client, timers: Timers) -> None:
        self.job = job
        self.client = client
        self.timers = timers
        self._reader = reader
        self._writing = False
        self._other: trio.Event | None = None
        self._whole = False

    @property
    def busy(self) -> bool:
        """Whether something is being written, or nothing may be any more."""
        return self._writing or self._other is not None

    async def run(self) -> bool:
        """Read the message to its end, whatever that is.

        Waits for the upstream and for the client by turns.  Cancelled, it stops where it stands, in a write as well:
        only the end of the whole request may do that.

        Returns:
            Whether it was the message's own end, so that the upstream has nothing more to say.
        """
        done = False
        while not done:
            events = await self._reader.receive() or [_NO_ENDING]
            self._writing = True  # before the wait: time's task begins nothing more meanwhile
            if self._other is not None:
                await self._other.wait()  # a failure never sets it: then the request is cancelled here
            self._hear(events)
            done = await self.take(events)
            if not done and self.timers.stopped is not None:
                done = await self._fail(self.timers.stopped)
            self._writing = done  # the end is the last word: a deadline may fall into the same moment
        return self._whole

    async def end(self, failure: Failure) -> bool:
        """End the message with a failure, from another task, and wait until it is written.

        Returns:
            Whether that was done. If so, nobody may write any more: the request is to be cancelled without a wait. If
            not, the own task was faster.
        """
        if self.busy:
            return False
        self._other = trio.Event()
        return await self._fail(failure)

    async def pass_time(self) -> None:
        """Give a sign of life, from another task, and wait until it is written; none where the own task was faster."""
        if not self.busy:
            self._other = trio.Event()
            await self.sign_of_life()
            self._other.set()
            self._other = None

    async def _fail(self, failure: Failure) -> bool:
        self._hear([failure])
        return await self.take([failure])

    def _hear(self, events: list[AnswerEvent | Failure]) -> None:
        """Let the log hear of events, before they are written."""
        for event in events:
            if type(event) not in SIZE_ONLY:
                self.job.log.hear(redact(event))
                self._whole = isinstance(event, MessageEnd)  # nothing follows an end, so the last one counts

    async def take(self, events: list[AnswerEvent | Failure]) -> bool:
        """Handle the next events; True once the message has ended.  Waits while the client does not read."""
        raise NotImplementedError

    async def sign_of_life(self) -> None:
        """Tell the client that somebody is still there.  Waits while the client does not read."""
        raise NotImplementedError


class StreamSink(Sink):
    """Writes a stream: the first event decides between a 200 and an error's own status (law 8)."""

    def __init__(self, job: RequestJob, reader: AnswerReader, client: Client, timers: Timers) -> None:
        super().__init__(job, reader, client, timers)
        self._encoder = Encoder(job.plan, job.request_id)
        self._committed = False

    async def take(self, events: list[AnswerEvent | Failure]) -> bool:
        """Encode and write events; one write for all that came together. Waits while the client does not read."""
        if not self._committed:
            if isinstance(events[0], Failure):
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
        """Send the 200, and wait for it; noted before, so that a cancelled one is not sent twice."""
        self._committed = True
        await self.client.begin_stream()


class WholeSink(Sink):
    """Folds the message and answers once."""

    def __init__(self, job: RequestJob, reader: AnswerReader, client: Client, timers: Timers) -> None:
        super().__init__(job, reader, client, timers)
        self._collector = Collector(job.plan, to_write=True)

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
        """Wait for nothing: without a stream, nothing is sent before the end."""


def sink_for(job: RequestJob, reader: AnswerReader, client: Client, timers: Timers) -> Sink:
    """Choose how an answer is written, by what the client has asked for.

    Args:
        job: the request.
        reader: where the message comes from.
        client: where it goes.
        timers: get a note of each write.
    """
    return (StreamSink if job.stream else WholeSink)(job, reader, client, timers)
