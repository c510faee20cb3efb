"""One request is one nursery: which stages run, what joins them, and how it ends.

    upstream reader + correlator ──▶ blocks ──▶ responder             (the request's own task)
                └ json buffer of each call ┘          └ tee ──▶ redacting logger
    watcher: waits for the client to leave            timers: wait for time to pass

Where an answer takes other requests (`hosted_loop`), the loop stands in the place of the first two, and runs them.

Whoever ends first ends all: the writer because the message is whole, the watcher because nobody reads it any more.
Cancelling the nursery closes the upstream's connection at once; nothing here survives its request (law 5).
"""

from __future__ import annotations

from typing import Any

import trio

from pipeline.request.hosted_loop import HostedLoop
from pipeline.request.responder import Client, sink_for
from pipeline.request.timers import Timers, watch_timers
from pipeline.request.upstream_call import RequestJob, UpstreamCall
from pipeline.settings import Limits, Timing
from pipeline.telemetry.request_log import keep_log
from pipeline.upstream.client import UpstreamClient
from stages.actor import Batch, Tee
from stages.block import Block, BlockReader
from stages.canonical.events import MessageEnd

DRAIN_TIMEOUT = 0.5
"""Seconds that an upstream has to end its body after its last event, so that the connection can be used again."""


async def run(job: RequestJob, upstream: UpstreamClient, client: Client, limits: Limits, timing: Timing) -> None:
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
    outbox, inbox = trio.open_memory_channel[Batch[Block | MessageEnd]](limits.channel_batches)
    facts, heard = trio.open_memory_channel[Any](256)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_log, job.log, heard)
        # Closed before the nursery waits for its tasks: the logger is shielded, and ends by that alone.
        with facts:
            nursery.start_soon(_watch, client, nursery.cancel_scope)
            asking = UpstreamCall if job.sideline is None else HostedLoop
            nursery.start_soon(asking(job, upstream, client.inform, outbox, limits, timers).run)
            reader = BlockReader(inbox)
            sink = sink_for(job, reader, client, timers, Tee(facts))
            client.endable(sink.end)
            nursery.start_soon(watch_timers, timers, sink.wake)
            try:
                if await sink.run():
                    with trio.move_on_after(DRAIN_TIMEOUT):
                        await timers.over.wait()
            finally:
                reader.close()  # writers that wait for room learn that nobody reads any more
            nursery.cancel_scope.cancel()  # watcher and timers never end by themselves


async def _watch(client: Client, scope: trio.CancelScope) -> None:
    """Wait until the client has left, then cancel all of the request; cancelled itself when that is over first."""
    await client.left()
    scope.cancel()
