"""The upstream's side of one request: it is asked, its answer is correlated, and it is asked again where that heals.

A request may be refused for something that can be left out of it: reasoning that it gives back, a field that the server
does not know. That comes with a status, or in the first event of a stream that says anything. As long as nothing was
told to the client, the request is made once more, in another way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, Self

import attrs
import trio

from pipeline.request.counted import AnswerReader, Counting, Events, prepare, with_counts
from pipeline.request.timers import Timers
from pipeline.request.turns import Turns
from pipeline.settings import Limits
from pipeline.telemetry.request_log import RequestLog
from pipeline.telemetry.spending import Billing
from pipeline.upstream.client import UpstreamClient
from pipeline.upstream.response import UpstreamResponse
from stages.actor import Inbox, Transducer
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.correlator import Ledger, MessageReader
from stages.filters.answer_format import AnswerFormat
from stages.filters.stop_scanner import StopScanner
from stages.filters.summariser import Summariser
from stages.tools.hosted.pages import FetchError, Page, PageFetch
from stages.upstream_reader import Framing, UpstreamReader
from stages.wire.responses_stream import StreamEvent

RESPONSES = "/responses"
"""What follows the base URL of every upstream."""

DRAIN_TIMEOUT = 0.5
"""Seconds that an upstream has to end its body after its last event, so that the connection can be used again."""

Again = tuple[bytes, AnswerPlan] | None
"""A request to be made next, and how to read its answer; None where nothing is to be healed."""


class Healing(Protocol):
    """Knows how a refused request can be made in another way."""

    async def again(self, failure: Failure) -> Again:
        """Make the request in another way, after this refusal of the latest; None if there is none.

        Waits where the request is large; cancelled, nothing was made.
        """

    def worked(self) -> None:
        """Take note that the latest request was taken, and forget it: no other will be asked for."""


Told = list[dict[str, Any]]
"""The blocks of an answer, as the client was told them."""


class Sideline(Protocol):
    """Makes the other requests that an answer takes."""

    @property
    def body(self) -> Mapping[str, Any]:
        """The client's request."""

    @property
    def judge(self) -> str:
        """The model that judges calls; empty where nobody does."""

    @property
    def patience(self) -> float:
        """Seconds that a judge has."""

    async def fallen_back(self, told: Told) -> RequestJob | Failure | None:
        """Make the same of the next model that may be asked after a refusal; None where there is no more of them.

        Waits where the request is large.
        """

    async def summed_up(self, told: Told, instructions: str) -> RequestJob | Failure:
        """Make a request for a summary of the conversation and these blocks; waits where it is large."""

    async def continued(self, told: Told) -> RequestJob | Failure:
        """Make the request that goes on behind these blocks; waits where it is large."""

    async def fetched(self, fetch: PageFetch) -> Page | FetchError:
        """Read a page, or say why there is none; waits for the web, and a while at most."""

    async def apart(self, body: Mapping[str, Any]) -> RequestJob | Failure:
        """Make a request that has nothing to do with the conversation; waits where it is large."""


@attrs.define
class RequestJob:
    """One request on its way.

    Attributes:
        plan: how to read the answer.
        body: the upstream request, as bytes; empty once it was taken.
        healing: makes it in other ways.
        stream: whether the client wants a stream.
        request_id: what the client may quote.
        log: hears what happens.
        counting: counts what the upstream does not.
        billing: by what its tokens are accounted for, where the answer may take other requests; else None.
        sideline: makes the other requests that the answer takes; None where it takes none.
        turns: to whom an answer that is being read gives way.
    """

    plan: AnswerPlan
    body: bytes = attrs.field(repr=False)
    healing: Healing
    stream: bool
    request_id: str
    log: RequestLog
    counting: Counting
    billing: Billing | None = None
    sideline: Sideline | None = None
    turns: Turns = attrs.field(factory=Turns, repr=False)

    def taken(self) -> None:
        """Note that the upstream has taken the request: its bytes need not be held for as long as the answer lasts."""
        self.body = b""
        self.healing.worked()


@attrs.define(eq=False)
class AnswerCall:
    """What asks for one answer and reads it, by itself or through others of its kind.

    Use it as an async context manager around the nursery of its blocks: at its end the upstream's connection is
    closed, or given back if its body was read to the end.

    Attributes:
        job: the request.
        upstream: who is asked.
        inform: takes note of the upstream's headers, before anything is sent.
        limits: what the answer may cost in memory.
        timers: hears when the upstream has answered.
        blocks: where the blocks of the answer live, if it has any; set before anything is received.
    """

    job: RequestJob
    upstream: UpstreamClient
    inform: Callable[[Mapping[str, str]], None]
    limits: Limits
    timers: Timers
    blocks: trio.Nursery = attrs.field(init=False)

    async def __aenter__(self) -> Self:
        """Return itself; nothing is asked yet."""
        return self

    @property
    def _sideline(self) -> Sideline:
        sideline = self.job.sideline
        if sideline is None:
            raise RuntimeError("an answer of several requests needs somebody who makes them")
        return sideline


@attrs.define(eq=False)
class UpstreamCall(AnswerCall):
    """Asks the upstream and reads its answer, in the task of whoever wants the events: nothing between must wait."""

    _answer: UpstreamResponse | None = attrs.field(default=None, init=False)
    _message: MessageReader | None = attrs.field(default=None, init=False)
    _events: AnswerReader | None = attrs.field(default=None, init=False)

    async def __aexit__(self, *_: object) -> None:
        """Close what is open; never cancelled half-way."""
        await self._close()

    def receive(self) -> Coroutine[Any, Any, Events]:
        """Return the next events of the answer, at least one; an empty list means that it has ended.

        Asks first, and again where that heals; then waits for the answer as `MessageReader.receive` does, for counts,
        and where it is crowded for requests that have heard nothing yet. Why there is no answer is the one event then.
        Cancelled, there is no going on.

        It hands over who waits instead of waiting itself: that would be one more to wake for each event.
        """
        if self._events is None:
            return self._first()
        return self._after_others(self._events) if self.job.turns.crowded else self._events.receive()

    async def _after_others(self, events: AnswerReader) -> Events:
        await self.job.turns.give_way()
        return await events.receive()

    async def _first(self) -> Events:
        """Ask until nothing heals any more what refuses; return how the answer begins. Waits as `receive` does."""
        made = await self._attempt(self.job.body, self.job.plan)
        while True:
            while isinstance(made, tuple):
                # Healing is an attempt of its own: retries on top of it would multiply what one request may cost.
                made = await self._attempt(*made, retries=0)
            if made is not None:
                return [made]
            assert self._events is not None  # noqa: S101 - nothing was refused
            events = await self._events.receive()
            if not events or not isinstance(events[0], Failure):
                self.job.taken()
                return events
            made = await self.job.healing.again(events[0])  # a refusal behind a good status; nothing was told yet
            if made is None:
                return events
            await self._close()  # its rest is of no use, and one request has one connection

    async def drain(self) -> None:
        """Read what an upstream that has said all says after it, so that its connection can be used again.

        Mostly its end came with its last event, and there is nothing to wait for; else `DRAIN_TIMEOUT` is the most.
        """
        if self._message is not None and self._message.ended and self._answer is not None and not self._answer.over:
            with trio.move_on_after(DRAIN_TIMEOUT):
                await self._answer.drain()

    def close(self) -> None:
        """Tell those who still write blocks that nobody reads any more."""
        if self._message is not None:
            self._message.close()

    async def _attempt(
        self, body: bytes, plan: AnswerPlan, retries: int | None = None
    ) -> tuple[bytes, AnswerPlan] | Failure | None:
        """Send one request, and begin to read its answer; waits for the upstream.

        Args:
            body: the request.
            plan: how to read its answer.
            retries: new attempts after a connection that failed; None is the upstream's setting.

        Returns:
            None when there is an answer to read; the request that heals a refusal of this one; or the refusal.
        """
        job, limits = self.job, self.limits
        prepare(plan, job.counting)
        in_pieces = job.stream and plan.streamed
        # Without a stream, the first byte comes when all is done.
        first_byte_timeout = None if in_pieces else self.upstream.timing.total
        answer = await self.upstream.post(
            RESPONSES,
            body,
            plan,
            first_byte_timeout=first_byte_timeout,
            retries=retries,
            attempts=job.log,
        )
        if isinstance(answer, Failure):
            return await job.healing.again(answer) or answer
        self._answer = answer  # before anything waits: whatever is cancelled below, `__aexit__` closes it
        self._note_head(answer)
        piece = limits.event_bytes if in_pieces else limits.response_bytes
        framing = Framing(plan, limit=piece, total=limits.response_bytes)
        inbox: Inbox[StreamEvent] = UpstreamReader(answer, framing)
        ledger = Ledger(plan, waiting=limits.waiting_bytes)
        capacity = limits.channel_batches
        self._message = MessageReader(ledger, inbox, self.blocks, capacity=capacity, filters=filters_of(plan))
        self._events = with_counts(self._message, plan, job.counting)
        return None

    def _note_head(self, answer: UpstreamResponse) -> None:
        if self.timers.answered_at == math.inf:  # once: after a refusal inside a 200, the head may be out
            self.inform(answer.headers)
        self.timers.answered(lambda: answer.last_read)

    async def _close(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            await answer.aclose()


def filters_of(plan: AnswerPlan) -> list[Transducer[Any, Any]]:
    """The stages that a message passes only when its request asks for them.

    The order is part of what they mean: a stop sequence ends the text that the client would see, so it is looked for
    last.
    """
    filters = list[Transducer[Any, Any]]()
    if plan.structure is not None:
        filters.append(AnswerFormat(plan.structure))
    if plan.summarises:
        filters.append(Summariser(plan.tool_changes))
    if plan.stop_sequences:
        filters.append(StopScanner(plan.stop_sequences, plan.input_tokens))
    return filters
