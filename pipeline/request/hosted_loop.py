"""Answers that take more than one request: tools that are run here, and verdicts on the calls that a client would run.

    upstream call ──▶ keep ──▶ sink                    one round; the calls of our tools are held back
          ▲            └ told │
          └ continued ◀─ run ◀┘                        until an answer has none of them
                          └ verdicts ──▶ end

It stands between the upstream call and the sink, in the request's own task, and only where a request needs it: any
other pays nothing.  What was told is translated like the turn of a client that sends it back, so the next round asks
the bytes that the next turn will begin with (law 9).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import attrs

from pipeline.request.fallback_call import FallbackCall
from pipeline.request.side_call import SideCall
from pipeline.request.timers import nobody_heard
from pipeline.request.upstream_call import AnswerCall, RequestJob, Told
from stages.block import AnswerEvent
from stages.canonical.events import (
    BLOCK_STOP,
    BlockStop,
    CompactionDelta,
    CompactionStart,
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
from stages.canonical.plan import Compacting
from stages.collector import Collector
from stages.tools.hosted import BY_NAME, verdicts
from stages.tools.hosted.pages import FetchError, Page, PageFetch
from stages.tools.hosted.row import Denied, HostedCall, HostedToolRow
from stages.wire import json
from stages.wire.messages_stream import content_block, iteration

MAX_ROUNDS = 10
"""Requests of one answer; then it is paused, as Anthropic's servers pause theirs."""

ADVICE_TIMEOUT = 300.0
"""Seconds that a tool of ours has for one call."""

SUMMARY_TIMEOUT = 600.0
"""Seconds that a summary has, in the middle of an answer."""

PAUSED = "[This answer has called its tools ten times, and pauses here. Say so if it is to go on.]"
"""What is said where a pause would stand behind a result: clients take a pause behind a text alone."""

_NO_ENDING = Failure(Kind.INTERNAL, "Internal server error", cause="no_ending")


@attrs.define(eq=False)
class HostedLoop(AnswerCall):
    """Reads the rounds of one answer as one; what it is made of is what an `UpstreamCall` is, whose place it takes.

    `_told` is what the client was shown, `_kept` folds the round that is being read, `_end` is how that has ended,
    `_left` are the calls of ours in it that were not run yet, and `_ready` is what the client is to be shown next.
    `_uses` counts those calls, `_ran` what the upstream ran by itself, `_read` the characters of pages.
    """

    _call: FallbackCall = attrs.field(init=False)
    _kept: Collector = attrs.field(init=False)
    _told: Told = attrs.field(factory=list, init=False)
    _left: Told = attrs.field(factory=list, init=False)
    _ready: list[AnswerEvent | Failure] = attrs.field(factory=list, init=False)
    _end: MessageEnd | None = attrs.field(default=None, init=False)
    _last: bool = attrs.field(default=False, init=False)
    _held: bool = attrs.field(default=False, init=False)
    _rounds: list[Usage] = attrs.field(factory=list, init=False)
    _spent: list[dict[str, Any]] = attrs.field(factory=list, init=False)
    _compacting: Compacting | None = attrs.field(default=None, init=False)
    _uses: Counter[str] = attrs.field(factory=Counter, init=False)
    _ran: Counter[str] = attrs.field(factory=Counter, init=False)
    _read: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        """Prepare the first round."""
        self._prepare(self.job)

    async def __aexit__(self, *reason: object) -> None:
        """Close what is open; never cancelled half-way."""
        await self._call.__aexit__(*reason)

    async def receive(self) -> list[AnswerEvent | Failure]:
        """Return the next events of the answer, at least one.

        Waits for the upstream, and for those who are asked beside it. Cancelled, there is no going on.
        """
        while not self._ready:
            if (compacting := self._compacting) is not None:
                self._compacting = None
                await self._compact(compacting)
            elif self._end is None:
                self._call.blocks = self.blocks
                self._keep(await self._call.receive())
            else:
                await self._go_on(self._end)
        ready, self._ready = self._ready, []
        return ready

    async def drain(self) -> None:
        """Read to its end what the last round's upstream says after its answer; waits as `UpstreamCall.drain` does."""
        await self._call.drain()

    def close(self) -> None:
        """Tell those who still write blocks that nobody reads any more."""
        self._call.close()

    @property
    def _side(self) -> SideCall:
        return SideCall(self.upstream, self.limits, self.timers)

    # -- one round ---------------------------------------------------------------------------------

    def _prepare(self, job: RequestJob) -> None:
        self._call = FallbackCall(job, self.upstream, self.inform, self.limits, self.timers, self._told)
        self._kept, self._end, self._last = Collector(job.plan), None, False
        self._compacting = job.plan.compacting

    def _keep(self, events: list[AnswerEvent | Failure]) -> None:
        """Keep what a round says, and let all pass but the calls of our tools and the end."""
        if not events:
            self._ready.append(_NO_ENDING)  # law 1; and a round without an end would be read for ever
        for event in events:
            if isinstance(event, MessageEnd):
                self._close_round(event)
            elif isinstance(event, Failure):
                self._ready.append(event)
            else:
                self._kept.collect((event,))
                self._held = self._held or (isinstance(event, ToolUseStart) and event.name in self.job.plan.hosted)
                if not self._held:
                    self._ready.append(event)
                elif isinstance(event, BlockStop):
                    self._held = False

    def _close_round(self, end: MessageEnd) -> None:
        """Take note of a round's end: what of ours is to be run, and whether the answer ends with it."""
        hosted = self.job.plan.hosted
        ours = [block for block in self._kept.blocks if block["type"] == "tool_use" and block["name"] in hosted]
        others = [block for block in self._kept.blocks if block not in ours]
        self._told += others
        self._rounds.append(end.usage)
        self._ran.update(dict(end.server_tools))
        self._spent += end.iterations or (iteration(end.usage, "message"),)
        self._left = ours if end.stop_reason == "tool_use" else []  # what was cut may be half a call
        self._last = not self._left or bool(verdicts.calls_in(others))
        self._end = end

    async def _go_on(self, end: MessageEnd) -> None:
        """Do what follows from a round: run a call of ours, end the answer, or ask again."""
        self.timers.last_read = nobody_heard  # this round is over: others may take longer than its silence might
        if self._left:
            await self._serve(self._left.pop(0))
        elif self._last:
            self._ready.append(attrs.evolve(self._summed_up(end), verdicts=await self._verdicts(end)))
        elif len(self._rounds) == MAX_ROUNDS:
            paused = attrs.evolve(self._summed_up(end), stop_reason="pause_turn")
            self._ready += [TextStart(), TextDelta(PAUSED), BLOCK_STOP, paused]
        else:
            await self._ask_again()

    async def _ask_again(self) -> None:
        following = await self._sideline.continued(self._told)
        if isinstance(following, Failure):
            self._ready.append(following)
            return
        # Drained first: the connection is in the pool again when the next round asks for one.
        await self._call.drain()
        await self._call.__aexit__()
        self._prepare(following)

    async def _compact(self, compacting: Compacting) -> None:
        """Have the conversation summed up, show that, and answer from it; without a summary, from the whole of it."""
        block = await self._summary(compacting.instructions)
        self._told.append(block)
        self._ready += _compaction_events(block)
        if block["content"] is None:
            return
        self.job.log.fields["compactions"] = self.job.log.fields.get("compactions", 0) + 1
        if compacting.pauses:
            self._ready.append(MessageEnd("compaction", iterations=tuple(self._spent)))
        else:
            await self._ask_again()

    def _summed_up(self, end: MessageEnd) -> MessageEnd:
        """The end of all rounds: the prompt is the first one's, what was written is everybody's."""
        spent, served = self._spent, self._call.job.plan.model
        ran = self._ran + Counter({name: uses for name, uses in self._uses.items() if not BY_NAME[name].iteration})
        end = attrs.evolve(end, server_tools=tuple(sorted(ran.items())))
        if served != self.job.plan.model and end.stop_reason != "refusal":
            spent = _served_by(served, spent)
        elif len(spent) == 1:
            return end
        output = sum(usage.output_tokens for usage in self._rounds)
        return attrs.evolve(end, usage=attrs.evolve(self._rounds[0], output_tokens=output), iterations=tuple(spent))

    # -- requests beside it --------------------------------------------------------------------------

    async def _serve(self, call: dict[str, Any]) -> None:
        """Run a call of ours, and show it with what came of it."""
        row = BY_NAME[call["name"]]
        shown, result = row.blocks(call, await self._result(row, call))
        arguments = JsonDelta(json.encode(shown["input"]).decode())
        self._ready += [ServerToolUseStart(shown["id"], shown["name"]), JsonDelta(""), arguments, BLOCK_STOP]
        self._ready += [ResultStart(result), BLOCK_STOP]
        self._told += [shown, result]

    async def _result(self, row: HostedToolRow, call: dict[str, Any]) -> dict[str, Any]:
        """What came of a call of ours: the content of its result."""
        declared = self.job.plan.hosted[row.name]
        self._uses[row.name] += 1
        limit = declared.get("max_uses")
        if isinstance(limit, int) and self._uses[row.name] > limit:
            return row.refused
        asked = row.ask(HostedCall(declared, call["input"], self._sideline.body, self._told))
        if isinstance(asked, Denied):
            return asked.content
        if isinstance(asked, PageFetch):
            return row.result(declared, await self._page(asked))
        answer = await self._asked(asked, ADVICE_TIMEOUT)
        if isinstance(answer, Failure):
            return row.result(declared, answer)
        self._spent.append(iteration(answer.usage, row.iteration, str(declared.get("model"))))
        return row.result(declared, answer.message())

    async def _page(self, fetch: PageFetch) -> Page | FetchError:
        """Read a page; all of an answer may be as large as an answer may (law 6)."""
        page = await self._sideline.fetched(fetch)
        if isinstance(page, Page):
            self._read += len(page.text) + len(page.pdf)
        return page if self._read <= self.limits.response_bytes else "content_too_large"

    async def _summary(self, instructions: str) -> dict[str, Any]:
        """The block of a summary; one without content where none came about.  The client gets signs of life."""
        self.timers.answered(nobody_heard)  # a summary takes minutes: the 200 is due soon, though nobody has answered
        job = await self._sideline.summed_up(self._told, instructions)
        answer = job if isinstance(job, Failure) else await self._side.ask(job, SUMMARY_TIMEOUT, self.inform)
        if isinstance(answer, Failure):
            return content_block(CompactionStart())
        self._spent.append(iteration(answer.usage, "compaction"))
        return answer.blocks[-1]

    async def _verdicts(self, end: MessageEnd) -> tuple[dict[str, Any], ...] | None:
        """Have the client's calls judged; None where there is nothing to judge, or nobody who does."""
        calls, side = verdicts.calls_in(self._told), self._sideline
        if not (calls and side.judge and end.stop_reason == "tool_use" and verdicts.asked(side.body)):
            return None
        question = verdicts.verdict_request(side.judge, side.body, self._told)
        if question is None:
            return tuple(verdicts.safeguard_results(calls, verdicts.TOO_LONG))
        answer = await self._asked(question, side.patience)
        return tuple(verdicts.safeguard_results(calls, answer if isinstance(answer, Failure) else answer.message()))

    async def _asked(self, body: Mapping[str, Any], seconds: float) -> Collector | Failure:
        """Make a request that the client sees nothing of; a failure is one of that request alone."""
        job = await self._sideline.apart(body)
        if isinstance(job, Failure):
            return job
        return await self._side.ask(job, seconds)


def _served_by(model: str, spent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mark the last round as that of a model which was asked after a refusal: by that, clients know whose it is."""
    last = max(index for index, each in enumerate(spent) if each["type"] == "message")
    marked = {**spent[last], "type": "fallback_message", "model": model}
    return [*spent[:last], marked, *spent[last + 1 :]]


def _compaction_events(block: dict[str, Any]) -> list[AnswerEvent]:
    """How a whole block of a summary is told."""
    changes = block.get("tool_changes")
    start = CompactionStart(block["signature"], None if changes is None else tuple(changes))
    told: list[AnswerEvent] = [start]
    if block["content"] is not None:
        told.append(CompactionDelta(block["content"]))
    return [*told, BLOCK_STOP]
