"""The upstream's side of one request: it is asked, its answer is correlated, and it is asked again where that heals.

A request may be refused for something that can be left out of it: reasoning that it gives back, a field that the server
does not know. That comes with a status, or in the first event of a stream that says anything. As long as nothing was
told to the client, the request is made once more, in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import attrs

from pipeline.request.look_ahead import LookAhead
from pipeline.request.timers import Timers
from pipeline.settings import Limits
from pipeline.telemetry.request_log import RequestLog
from pipeline.upstream.client import UpstreamClient, UpstreamResponse
from stages.actor import Inbox, Outbox, Transducer
from stages.block import Block
from stages.canonical.events import MessageEnd
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.correlator import Ledger, correlate
from stages.counter import count_pieces
from stages.filters.answer_format import AnswerFormat
from stages.filters.stop_scanner import StopScanner
from stages.filters.summariser import Summariser
from stages.filters.token_limit import TokenLimit
from stages.upstream_reader import Framing, UpstreamReader
from stages.wire.responses_stream import StreamEvent

RESPONSES = "/responses"
"""What follows the base URL of every upstream."""

Again = tuple[bytes, AnswerPlan] | None
"""A request to be made next, and how to read its answer; None where nothing is to be healed."""


class Healing(Protocol):
    """Knows how a refused request can be made in another way."""

    @property
    def careful(self) -> bool:
        """Whether the refusal may come in the first event, so that the answer must be read ahead."""

    async def again(self, failure: Failure) -> Again:
        """Make the request in another way, after this refusal of the latest; None if there is none.

        Waits where the request is large; cancelled, nothing was made.
        """

    def worked(self) -> None:
        """Take note that the latest request was taken."""


@attrs.frozen
class RequestJob:
    """One request on its way.

    Attributes:
        plan: how to read the answer.
        body: the upstream request, as bytes.
        healing: makes it in other ways.
        stream: whether the client wants a stream.
        request_id: what the client may quote.
        log: hears what happens.
    """

    plan: AnswerPlan
    body: bytes = attrs.field(repr=False)
    healing: Healing
    stream: bool
    request_id: str
    log: RequestLog


@attrs.frozen
class UpstreamCall:
    """Asks the upstream and correlates its answer: two stages in one task, because nothing between them must wait.

    Attributes:
        job: the request.
        upstream: who is asked.
        inform: takes note of the upstream's headers, before anything is sent.
        outbox: gets the blocks and the ending, or a failure; closed at the end.
        limits: what the answer may cost in memory.
        timers: hears when the upstream has answered, and when it is done.
    """

    job: RequestJob
    upstream: UpstreamClient
    inform: Callable[[Mapping[str, str]], None]
    outbox: Outbox[Block | MessageEnd]
    limits: Limits
    timers: Timers

    async def run(self) -> None:
        """Pass on the message, or say why there is none.

        Waits for the upstream, and for room in the outbox. Cancelled, it closes the upstream's connection, so that the
        model stops, and the outbox.
        """
        job = self.job
        with self.outbox:
            again = await self._attempt(job.body, job.plan)
            while again is not None:
                again = await self._attempt(*again, retries=0)

    async def _attempt(self, body: bytes, plan: AnswerPlan, retries: int | None = None) -> Again:
        """Send one request and pass on what comes of it; waits and is cancelled as `run` is.

        Args:
            body: the request.
            plan: how to read its answer.
            retries: new attempts after a connection that failed; None is the upstream's setting.

        Returns:
            The request that heals a refusal of this one; nothing was passed on then.
        """
        # Without a stream, the first byte comes when all is done.
        first_byte_timeout = None if self.job.stream else self.upstream.timing.total
        answer = await self.upstream.post(
            RESPONSES,
            body,
            plan,
            first_byte_timeout=first_byte_timeout,
            retries=retries,
            attempts=self.job.log,
        )
        if not isinstance(answer, Failure):
            return await self._read(answer, plan)
        again = await self.job.healing.again(answer)
        if again is None:
            await self.outbox.send((answer,))
        return again

    async def _read(self, answer: UpstreamResponse, plan: AnswerPlan) -> Again:
        """Correlate an answer to its end; its body is closed then. What heals it, if it refuses the request."""
        job, limits = self.job, self.limits
        async with answer:
            if not self.timers.healthy.is_set():  # once: after a refusal inside a 200, the head may be out
                self.inform(answer.headers)
            self.timers.answered(lambda: answer.last_read)
            piece = limits.event_bytes if job.stream else limits.response_bytes
            framing = Framing(plan, limit=piece, total=limits.response_bytes)
            inbox: Inbox[StreamEvent] = UpstreamReader(answer, framing)
            if job.healing.careful:
                inbox = opening = LookAhead(inbox)
                refusal = await opening.refusal(plan, limits.waiting_bytes)
                if refusal is not None and (again := await job.healing.again(refusal)) is not None:
                    return again
                if refusal is None:
                    job.healing.worked()
            ledger = Ledger(plan, waiting=limits.waiting_bytes)
            filters = filters_of(plan)
            if await correlate(ledger, inbox, self.outbox, capacity=limits.channel_batches, filters=filters):
                await answer.drain()
        self.timers.over.set()
        return None


def filters_of(plan: AnswerPlan) -> list[Transducer[Any, Any]]:
    """The stages that a message passes only when its request asks for them; none waits for a vocabulary to count."""
    filters = list[Transducer[Any, Any]]()
    if plan.cut_at is not None:
        filters.append(TokenLimit(plan.cut_at, count_pieces))
    if plan.structure is not None:
        filters.append(AnswerFormat(plan.structure))
    if plan.summarises:
        filters.append(Summariser(plan.tool_changes))
    if plan.stop_sequences:
        filters.append(StopScanner(plan.stop_sequences, plan.input_tokens, count_pieces))
    return filters
