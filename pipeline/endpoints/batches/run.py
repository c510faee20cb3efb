"""A request of a batch that this machine runs: the pipeline of every other request, with nobody on the line.

What comes of it is the line of the output, with Anthropic's result.  An upstream that is away, or has no room, is asked
again for as long as the batch runs, or for a few times, since nothing was paid for that.  Each time counts as a request
of whoever made the batch; its line in the log is for whoever debugs, since a batch has many and tells its sum itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import trio

from pipeline.endpoints.context import Context
from pipeline.endpoints.inlined_files import inlined
from pipeline.endpoints.messages import answer_request
from pipeline.endpoints.owners import Owner
from pipeline.endpoints.translation import Question
from pipeline.storage.runner import LineAnswer
from pipeline.telemetry import names, semantics
from pipeline.telemetry.logs import fault_site
from pipeline.telemetry.request_log import RequestLog
from stages.canonical.failure import Failure, Kind
from stages.canonical.request import Caller
from stages.redactor import redact
from stages.wire import json
from stages.wire.messages_stream import errored

MAX_ATTEMPTS = {Kind.RATE_LIMIT: 8, Kind.OVERLOADED: 8, Kind.UNAVAILABLE: 10**9}
"""How often a request is made at most that fails in this way; in any other, once.

Whatever fails otherwise may have been computed, and paid for.
"""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before the second attempt, doubled for each further one, and at most."""

_INTERNAL = Failure(Kind.INTERNAL, "Internal server error")
_NO_ANSWER = Failure(Kind.UPSTREAM, "The upstream has no answer to this request.")


class Nobody:
    """The client of a request that nobody waits for: keeps the message, or why there is none.

    Attributes:
        request_id: as an answer's headers would have it.
        log: what is known of the request.
        answer_headers: what nobody reads.
        outcome: what it came to.
    """

    def __init__(self, log: RequestLog) -> None:
        """Begin a request; `log` knows its id."""
        self.request_id: str = log.fields["request_id"]
        self.log = log
        self.answer_headers: list[tuple[bytes, bytes]] = []
        self.outcome: dict[str, Any] | Failure = _NO_ANSWER

    def inform(self, headers: Mapping[str, str]) -> None:
        """Need no rate limits."""

    async def begin_stream(self) -> None:
        """Raise: no stream was asked for."""
        raise NotImplementedError

    async def write(self, data: bytes) -> None:
        """Raise: no stream was asked for."""
        raise NotImplementedError

    async def end_stream(self) -> None:
        """Raise: no stream was asked for."""
        raise NotImplementedError

    async def answer(self, message: dict[str, Any]) -> None:
        """Keep the message; waits for nothing."""
        self.outcome = message

    async def fail(self, failure: Failure) -> None:
        """Keep the failure; waits for nothing."""
        self.outcome = failure

    async def left(self) -> None:
        """Wait for ever: whoever made the batch may come back any time."""
        await trio.sleep_forever()

    def endable(self, end: Callable[[Failure], None]) -> None:
        """Need no end: who stops the runner cancels it."""


@attrs.frozen
class BatchRun:
    """Runs requests of batches; the `Perform` of the store's runner."""

    context: Context

    async def __call__(self, metadata: Mapping[str, str], line: bytes) -> LineAnswer:
        """Run one request; waits for the upstream, perhaps for as long as it is away, and may be cancelled."""
        asked = json.decode(line)
        request_id, attempt = f"req_{os.urandom(12).hex()}", 1
        owner = Owner.marked(self.context.settings, metadata.get("owner", ""))
        while True:
            log = self._begin(owner, request_id)
            outcome = await self._once(owner, asked, log)
            if not isinstance(outcome, Failure) or attempt >= MAX_ATTEMPTS.get(outcome.kind, 1):
                return _answered(asked["custom_id"], outcome, log)
            told = outcome.retry_after or FIRST_PAUSE * 2 ** min(attempt - 1, 10)
            await trio.sleep(min(told, LONGEST_PAUSE))
            attempt += 1

    def _begin(self, owner: Owner, request_id: str) -> RequestLog:
        """Begin what is known of the request: until another end is known, the end of the process has cut it."""
        context = self.context
        log = RequestLog(context.log, {"request_id": request_id, "route": semantics.BATCHED}, names.SERVER_STOPPED)
        if key := owner.key(context.settings.client_keys):
            log.fields["client"] = key.name
        if context.tracing is not None:
            log.trace = context.tracing.begin(semantics.BATCHED, None, context.profile)
        return log

    async def _once(self, owner: Owner, asked: Mapping[str, Any], log: RequestLog) -> dict[str, Any] | Failure:
        """Make the request once, and account for it."""
        try:
            outcome = await self._sound(owner, asked, log)
            if isinstance(outcome, Failure):
                log.fields["status"] = outcome.kind.status
                log.hear(redact(outcome))
            else:
                log.fields["status"], log.outcome = 200, names.OK
            return outcome
        finally:
            self.context.account(log)

    async def _sound(self, owner: Owner, asked: Mapping[str, Any], log: RequestLog) -> dict[str, Any] | Failure:
        """Make the request; a bug is its failure, and nobody else's."""
        try:
            return await self._asked(owner, asked, log)
        except RecursionError:
            return Failure(Kind.INVALID_REQUEST, "The request is nested too deeply")
        except Exception as fault:  # noqa: BLE001 - here a bug becomes a failure, as at the edge of the server
            self.context.log.error(names.FAULT, request_id=log.fields["request_id"], site=fault_site(fault))  # noqa: TRY400 - a traceback quotes content
            return _INTERNAL

    async def _asked(self, owner: Owner, asked: Mapping[str, Any], log: RequestLog) -> dict[str, Any] | Failure:
        context, head = await self.context.informed(), asked["head"]
        body = await inlined(context, owner, json.encode(asked["body"]))
        if isinstance(body, Failure):
            return body
        caller = Caller(version=head["version"], betas=tuple(head["betas"]))
        question = Question(
            caller,
            context.target,
            f"msg_{os.urandom(12).hex()}",
            context.lessons.known(),
            strict=head["strict"],
            owner=owner if owner.mark else None,
        )
        await context.turns.take()
        nobody = Nobody(log)
        return await answer_request(context, nobody, question, body) or nobody.outcome


def _answered(custom_id: str, outcome: dict[str, Any] | Failure, log: RequestLog) -> LineAnswer:
    failed = isinstance(outcome, Failure)
    result = (
        errored(outcome, log.fields["request_id"])
        if isinstance(outcome, Failure)
        else {"type": "succeeded", "message": outcome}
    )
    line = json.encode({"custom_id": custom_id, "result": result}) + b"\n"
    return LineAnswer(line, succeeded=not failed, cost=log.fields.get("cost_usd"))
