"""One request is one nursery: which stages run, what joins them, and how it ends.

    upstream reader + correlator + sink: the request's own task
          └ from the first call on: correlator ──▶ json buffer of each call ──▶ blocks ──▶ sink
    watch: waits for the client to leave, and for time to pass

Where an answer takes other requests, `hosted_loop` stands in the place of the upstream call, and makes them.

Whoever ends first ends all: the sink because the message is whole, the watch because nobody reads it any more, or
because time has ended it.  Cancelling the nursery closes the upstream's connection at once; nothing here survives its
request (law 5).
"""

from __future__ import annotations

import attrs
import trio

from pipeline.request.hosted_loop import HostedLoop
from pipeline.request.responder import Client, Sink, sink_for
from pipeline.request.timers import Timers, watch
from pipeline.request.upstream_call import RequestJob, UpstreamCall
from pipeline.settings import Limits, Timing
from pipeline.upstream.client import UpstreamClient
from stages.canonical.failure import Failure


async def run_request(
    job: RequestJob, upstream: UpstreamClient, client: Client, limits: Limits, timing: Timing
) -> None:
    """Run one request from here to its end: answered, failed, or left by its client.

    Waits for all of that.  Cancelled from outside it ends at once, as it does when the client leaves: every task is in
    its nursery, and the upstream's connection is closed.

    Args:
        job: what to ask, and how to read the answer.
        upstream: whom to ask.
        client: whom to answer.
        limits: sizes of what may be held.
        timing: how long things may take.
    """
    timers = Timers(timing, trio.current_time())
    client.endable(timers.stop)
    asking = UpstreamCall if job.sideline is None else HostedLoop
    # The call is the outer one: its connection is closed when no task is left that reads from it.
    async with asking(job, upstream, client.inform, limits, timers) as call, trio.open_nursery() as nursery:
        call.blocks = nursery
        sink = sink_for(job, call, client, timers)
        nursery.start_soon(_watch, client, timers, sink, nursery)
        try:
            if await sink.run():
                await call.drain()  # the client has all: it may leave meanwhile, and the watch ends this
        finally:
            call.close()  # writers that wait for room learn that nobody reads any more
        nursery.cancel_scope.cancel()  # the watch never ends by itself


async def _watch(client: Client, timers: Timers, sink: Sink, nursery: trio.Nursery) -> None:
    """Wait until the client has left, then cancel all of the request; cancelled itself when that is over first."""
    await watch(client.left, timers, _Voice(sink, nursery))
    nursery.cancel_scope.cancel()


@attrs.frozen
class _Voice:
    """Says what time has brought in a task of its own: a client that does not read must not hold up the watch."""

    _sink: Sink
    _nursery: trio.Nursery

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._sink.busy

    def sign_of_life(self) -> None:
        """Have a ping, or whatever the time asks for, written; does not wait for it."""
        self._nursery.start_soon(self._sink.pass_time)

    def fail(self, failure: Failure) -> None:
        """Have the answer ended with a failure, and the request with it; does not wait for it."""
        self._nursery.start_soon(self._end, failure)

    async def _end(self, failure: Failure) -> None:
        if await self._sink.end(failure):
            self._nursery.cancel_scope.cancel()
