"""The upstream's side of one request: it is asked, its answer is correlated, and it is asked again where that heals.

A request that gives reasoning back may be refused for it, with a status, or in the first event of a stream that says
anything. As long as nothing was told to the client, it is made once more without.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

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
from stages.filters.answer_format import AnswerFormat
from stages.filters.stop_scanner import StopScanner
from stages.filters.token_limit import TokenLimit
from stages.tables.errors import refuses_reasoning
from stages.upstream_reader import Framing, UpstreamReader
from stages.wire.responses_stream import StreamEvent

RESPONSES = "/responses"
"""What follows the base URL of every upstream."""


@attrs.frozen
class RequestJob:
    """One request on its way.

    Attributes:
        plan: how to read the answer.
        body: the upstream request, as bytes.
        without_reasoning: makes the same request without earlier reasoning; None when it carries none.
        stream: whether the client wants a stream.
        request_id: what the client may quote.
        log: hears what happens.
        tokens: counts the tokens of a text.
    """

    plan: AnswerPlan
    body: bytes = attrs.field(repr=False)
    without_reasoning: Callable[[], Awaitable[bytes]] | None
    stream: bool
    request_id: str
    log: RequestLog
    tokens: Callable[[str], int] = len


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
            if job.without_reasoning is None:
                await self._attempt(job.body)
            elif await self._attempt(job.body, careful=True):
                job.log.fields["healed"] = "reasoning"
                await self._attempt(await job.without_reasoning(), retries=0)

    async def _attempt(self, body: bytes, *, careful: bool = False, retries: int | None = None) -> bool:
        """Send one request and pass on what comes of it; waits and is cancelled as `run` is.

        Args:
            body: the request.
            careful: whether a refusal of its reasoning is not passed on.
            retries: new attempts after a connection that failed; None is the upstream's setting.

        Returns:
            Whether it was refused because of its reasoning; nothing was passed on then.
        """
        # Without a stream, the first byte comes when all is done.
        first_byte_timeout = None if self.job.stream else self.upstream.timing.total
        answer = await self.upstream.post(
            RESPONSES, body, self.job.plan, first_byte_timeout=first_byte_timeout, retries=retries
        )
        if not isinstance(answer, Failure):
            return await self._read(answer, careful=careful)
        if careful and refuses_reasoning(answer):
            return True
        await self.outbox.send((answer,))
        return False

    async def _read(self, answer: UpstreamResponse, *, careful: bool) -> bool:
        """Correlate an answer to its end; True if it refuses the request's reasoning. Its body is closed at the end."""
        job, limits = self.job, self.limits
        async with answer:
            if not self.timers.healthy.is_set():  # once: after a refusal inside a 200, the head may be out
                self.inform(answer.headers)
            self.timers.answered(lambda: answer.last_read)
            piece = limits.event_bytes if job.stream else limits.response_bytes
            framing = Framing(job.plan, limit=piece, total=limits.response_bytes)
            inbox: Inbox[StreamEvent] = UpstreamReader(answer, framing)
            if careful:
                inbox = opening = LookAhead(inbox)
                if await opening.refuses(job.plan, limits.waiting_bytes):
                    return True
            ledger = Ledger(job.plan, waiting=limits.waiting_bytes)
            filters = _filters(job)
            if await correlate(ledger, inbox, self.outbox, capacity=limits.channel_batches, filters=filters):
                await answer.drain()
        self.timers.over.set()
        return False


def _filters(job: RequestJob) -> list[Transducer[Any, Any]]:
    """The stages that a message passes only when its request asks for them."""
    plan, filters = job.plan, list[Transducer[Any, Any]]()
    if plan.cut_at is not None:
        filters.append(TokenLimit(plan.cut_at, job.tokens))
    if plan.structure is not None:
        filters.append(AnswerFormat(plan.structure))
    if plan.stop_sequences:
        filters.append(StopScanner(plan.stop_sequences, plan.input_tokens, job.tokens))
    return filters
