"""Answers that take more than one request: tools that are run here, and verdicts on the calls that a client would run.

    upstream call ──▶ relay ──▶ blocks                 one round; the calls of our tools are held back
          ▲             └ told │
          └ continued ◀─ run ◀─┘                       until an answer has none of them
                                 verdicts ──▶ end

It stands between the correlator and the responder, in the request's own nursery, and only where a request needs it: any
other pays nothing.  What was told is translated like the turn of a client that sends it back, so the next round asks
the bytes that the next turn will begin with (law 9).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import attrs
import trio

from pipeline.request.timers import Timers
from pipeline.request.upstream_call import RequestJob, Sideline, Told, UpstreamCall
from pipeline.settings import Limits
from pipeline.upstream.client import UpstreamClient
from stages.actor import Batch, Inbox, Outbox
from stages.block import Block, BlockReader
from stages.canonical.events import (
    JsonDelta,
    MessageEnd,
    ResultStart,
    ServerToolUseStart,
    TextDelta,
    TextStart,
    ToolUseStart,
    Usage,
)
from stages.canonical.failure import Failure, Kind
from stages.collector import Collector
from stages.tools.hosted import BY_NAME, verdicts
from stages.wire import json
from stages.wire.messages_stream import iteration

MAX_ROUNDS = 10
"""Requests of one answer; then it is paused, as Anthropic's servers pause theirs."""

ADVICE_TIMEOUT = 300.0
"""Seconds that a tool of ours has for one call."""

PAUSED = "[This answer has asked for advice ten times, and pauses here. Say so if it is to go on.]"
"""What is said where a pause would stand behind a result: clients take a pause behind a text alone."""

_LATE = Failure(Kind.TIMEOUT, "It took too long.", cause="hosted_tool")


@attrs.frozen
class HostedLoop:
    """Runs the rounds of one answer; its attributes are those of `UpstreamCall`, whose place it takes."""

    job: RequestJob
    upstream: UpstreamClient
    inform: Callable[[Mapping[str, str]], None]
    outbox: Outbox[Block | MessageEnd]
    limits: Limits
    timers: Timers
    _spent: list[dict[str, Any]] = attrs.field(factory=list, init=False)
    _uses: Counter[str] = attrs.field(factory=Counter, init=False)

    async def run(self) -> None:
        """Pass on the message, or say why there is none.

        Waits for the upstream, for our tools, and for room in the outbox. Cancelled, all requests end, and the outbox.
        """
        with self.outbox:
            try:
                await self._answer()
            except* trio.BrokenResourceError:
                pass  # nobody reads any more

    @property
    def _sideline(self) -> Sideline:
        sideline = self.job.sideline
        if sideline is None:
            raise RuntimeError("a loop needs somebody who makes its requests")
        return sideline

    async def _answer(self) -> None:
        told: Told = []
        first, output, job, number = None, 0, self.job, 0
        while True:
            number += 1
            end, said = await self._round(job)
            if end is None:
                return None
            self._spent.append(iteration(end.usage, "message"))
            first, output = first or end.usage, output + end.usage.output_tokens
            ours, others = self._apart(said)
            told += others
            for call in ours if end.stop_reason == "tool_use" else ():
                told += await self._served(call, told)
            if not ours or end.stop_reason != "tool_use" or verdicts.calls_in(others):
                return await self._end(end, told, attrs.evolve(first, output_tokens=output))
            if number == MAX_ROUNDS:
                await self._put(TextStart(), TextDelta(PAUSED))
                end = attrs.evolve(end, stop_reason="pause_turn")
                return await self._end(end, told, attrs.evolve(first, output_tokens=output))
            following = await self._sideline.continued(told)
            if isinstance(following, Failure):
                return await self.outbox.send((following,))
            job = following

    async def _end(self, end: MessageEnd, told: Told, usage: Usage) -> None:
        """Send the end: what the client sees of the prompt is what the first round was asked."""
        if len(self._spent) > 1:
            end = attrs.evolve(end, usage=usage, iterations=tuple(self._spent))
        await self.outbox.send((attrs.evolve(end, verdicts=await self._verdicts(end, told)),))

    def _apart(self, said: Told) -> tuple[Told, Told]:
        """Part the calls of our tools from all other blocks."""
        hosted = self.job.plan.hosted
        ours = [block for block in said if block["type"] == "tool_use" and block["name"] in hosted]
        return ours, [block for block in said if block not in ours]

    # -- one round ---------------------------------------------------------------------------------

    async def _round(self, job: RequestJob) -> tuple[MessageEnd | None, Told]:
        """Ask the upstream once, and pass on all but the calls of our tools; no end where there was a failure."""
        collector = Collector(job.plan)
        outbox, inbox = trio.open_memory_channel[Batch[Block | MessageEnd]](self.limits.channel_batches)
        call = UpstreamCall(job, self.upstream, self.inform, outbox, self.limits, self.timers)
        end: MessageEnd | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call.run)
            with inbox:
                end = await self._relay(inbox, collector)
        self.timers.last_read = _never
        return end, collector.blocks

    async def _relay(self, inbox: Inbox[Block | MessageEnd], collector: Collector) -> MessageEnd | None:
        async for batch in inbox:
            for item in batch:
                if isinstance(item, MessageEnd):
                    return item
                if isinstance(item, Failure):
                    await self.outbox.send((item,))
                    return None
                if not await self._pass(item, collector):
                    return None
        return None

    async def _pass(self, block: Block, collector: Collector) -> bool:
        """Pass on a block and keep what it says, or only keep it; False where it failed, which was passed on."""
        collector.collect((block.start,))
        held = isinstance(block.start, ToolUseStart) and block.start.name in self.job.plan.hosted
        send, receive = trio.open_memory_channel[Any](math.inf if held else self.limits.channel_batches)
        if not held:
            await self.outbox.send((Block(block.start, receive),))
        with send:
            async for batch in block.content:
                collector.collect(batch)
                if not held:
                    await send.send(batch)
                elif collector.failure is not None:
                    await self.outbox.send((collector.failure,))
        if collector.failure is not None:
            return False
        collector.close_block()
        return True

    async def _put(self, start: Any, *deltas: Any) -> None:
        send, receive = trio.open_memory_channel[Any](1)
        with send:
            if deltas:
                send.send_nowait(deltas)
            await self.outbox.send((Block(start, receive),))

    # -- requests beside it --------------------------------------------------------------------------

    async def _served(self, call: dict[str, Any], told: Told) -> Told:
        """Run a call of ours, show it with what came of it, and return the two blocks."""
        name = call["name"]
        row, declared = BY_NAME[name], self.job.plan.hosted[name]
        self._uses[name] += 1
        limit = declared.get("max_uses")
        if isinstance(limit, int) and self._uses[name] > limit:
            content = row.refused
        else:
            answer = await self._asked(row.ask(declared, self._sideline.body, told), ADVICE_TIMEOUT)
            if isinstance(answer, Collector):
                self._spent.append(iteration(answer.usage, row.iteration, str(declared.get("model"))))
            content = row.result(answer if isinstance(answer, Failure) else answer.message())
        shown, result = row.blocks(call, content)
        arguments = json.encode(shown["input"]).decode()
        await self._put(ServerToolUseStart(shown["id"], shown["name"]), JsonDelta(""), JsonDelta(arguments))
        await self._put(ResultStart(result))
        return [shown, result]

    async def _verdicts(self, end: MessageEnd, told: Told) -> tuple[dict[str, Any], ...] | None:
        """Have the client's calls judged; None where there is nothing to judge, or nobody who does."""
        calls, side = verdicts.calls_in(told), self._sideline
        if not (calls and side.judge and end.stop_reason == "tool_use" and verdicts.asked(side.body)):
            return None
        question = verdicts.ask(side.judge, side.body, told)
        if question is None:
            return tuple(verdicts.results(calls, verdicts.TOO_LONG))
        answer = await self._asked(question, side.patience)
        return tuple(verdicts.results(calls, answer if isinstance(answer, Failure) else answer.message()))

    async def _asked(self, body: Mapping[str, Any], seconds: float) -> Collector | Failure:
        """Make a request that the client sees nothing of; a failure is one of that request alone."""
        job = await self._sideline.apart(body)
        if isinstance(job, Failure):
            return job
        with trio.move_on_after(seconds):
            return await self._collected(job)
        return _LATE

    async def _collected(self, job: RequestJob) -> Collector | Failure:
        outbox, inbox = trio.open_memory_channel[Batch[Block | MessageEnd]](self.limits.channel_batches)
        timers = Timers(self.timers.timing, trio.current_time())
        call = UpstreamCall(job, self.upstream, _unheard, outbox, self.limits, timers)
        reader, collector = BlockReader(inbox), Collector(job.plan)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(call.run))
            try:
                while not collector.ended and (batch := await reader.receive()):
                    collector.collect(batch)
            finally:
                reader.close()
        if collector.failure is not None or not collector.ended:
            return collector.failure or Failure(Kind.UPSTREAM, "The upstream's answer is not finished.")
        return collector


def _never() -> float:
    """The time at which nobody listens to the upstream, so that it cannot be late."""
    return math.inf


def _unheard(_: Mapping[str, str]) -> None:
    """Take no note of the headers of a request beside the answer."""
