"""Requests that are made for an answer, and of which its client sees nothing: advice, verdicts, summaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import trio

from pipeline.request.timers import Timers
from pipeline.request.upstream_call import RequestJob, UpstreamCall
from pipeline.settings import Limits
from pipeline.upstream.client import UpstreamClient
from stages.canonical.failure import Failure, Kind
from stages.collector import Collector

_LATE = Failure(Kind.TIMEOUT, "It took too long.", cause="hosted_tool")
_UNFINISHED = Failure(Kind.UPSTREAM, "The upstream's answer is not finished.")


def _unheard(_: Mapping[str, str]) -> None:
    """Take no note of an answer's headers."""


@attrs.frozen
class SideCall:
    """Makes such requests for one answer.

    Attributes:
        upstream: who is asked.
        limits: what an answer may cost in memory.
        timers: of the client's request; a request beside it has notes of its own, which nobody looks at.
    """

    upstream: UpstreamClient
    limits: Limits
    timers: Timers

    async def ask(
        self, job: RequestJob, seconds: float, inform: Callable[[Mapping[str, str]], None] = _unheard
    ) -> Collector | Failure:
        """Make a request, and read its answer to the end; a failure is one of that request alone.

        Waits so many seconds at most.  Cancelled, its connection is closed.

        Args:
            job: the request; what it has used is noted in the log.
            seconds: how long it may take.
            inform: takes note of the headers of its answer.
        """
        with trio.move_on_after(seconds):
            return await self._collected(job, inform)
        return _LATE

    async def _collected(self, job: RequestJob, inform: Callable[[Mapping[str, str]], None]) -> Collector | Failure:
        timers, collector = Timers(self.timers.timing, trio.current_time()), Collector(job.plan)
        apart = UpstreamCall(job, self.upstream, inform, self.limits, timers)
        async with apart as call, trio.open_nursery() as nursery:
            call.blocks = nursery
            try:
                while not collector.ended and (events := await call.receive()):
                    collector.collect(events)
            finally:
                call.close()  # before the nursery ends: it waits for writers, and they for a reader
            await call.drain()
        if collector.failure is not None or not collector.ended:
            return collector.failure or _UNFINISHED
        if job.billing is not None:
            job.log.spend(job.billing, collector.usage)
        return collector
