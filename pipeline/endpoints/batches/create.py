"""`POST /v1/messages/batches`: the body is read as it comes, and goes up when all of it was found to be right."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import attrs

from pipeline.endpoints.batches.kept import NO_BATCHES, results_address
from pipeline.endpoints.batches.line import Line, line_of, message_line, read_request
from pipeline.endpoints.batches.making import Making
from pipeline.endpoints.batches.spool import Spool
from pipeline.endpoints.batches.upstream_batch import client_batch_id, message_batch
from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.files.form import disk_failure
from pipeline.endpoints.mapping import question_of
from pipeline.endpoints.owners import Owner
from pipeline.endpoints.translation import Question, without_hosted_tools
from pipeline.telemetry import names
from stages.canonical.failure import Failure, Kind
from stages.wire.array_splitter import ArraySplitter
from stages.wire.messages_stream import errored

MAX_REQUESTS = 100_000
"""Requests of one batch."""

_TOO_LARGE = Failure(Kind.TOO_LARGE, "Request exceeds the maximum size")


async def create_batch(context: Context, exchange: Exchange) -> Failure | None:
    """Begin a batch.

    Waits for the body, the disk and the upstream. Cancelled or failed, what was made upstream is taken back.
    """
    store = context.batches
    if store is None:
        return NO_BATCHES
    question = without_hosted_tools(question_of(context, exchange, "msg_batch"))
    caller = question.caller
    head = {"dragoman": 1, "version": caller.version, "betas": caller.betas, "strict": question.strict}
    try:
        with Spool(head) as spool:
            reading = _Reading(context, exchange, question, spool, message_line if store.runs_messages else line_of)
            failure = await reading.run()
            if failure is not None or reading.left:
                return failure
            made = await Making(context, store, spool, Owner.of(context.settings, exchange.headers).mark).run()
    except OSError as error:
        return disk_failure(error)
    if isinstance(made, Failure):
        return made
    batch, note = made
    told = message_batch([batch], note, results_address(context, exchange, client_batch_id(batch["id"])))
    counts = {"requests": spool.total, "errored": spool.ready}
    context.log.info(names.BATCH, request_id=exchange.request_id, call="create", batch=told["id"], **counts)
    return await exchange.tell(told)


@attrs.define
class _Reading:
    """Reads a body into its spool.

    `line` makes a line of a request, `ids` has a hash of every id so far, `left` says whether the client left.
    """

    context: Context
    exchange: Exchange
    question: Question
    spool: Spool
    line: Callable[[Question, str, dict[str, Any]], Line | Failure]
    ids: set[bytes] = attrs.field(factory=set)
    left: bool = False

    async def run(self) -> Failure | None:
        """Read all of it, or say what is wrong with it."""
        limits, exchange, splitter, size = self.context.settings.limits, self.exchange, ArraySplitter("requests"), 0
        if exchange.announced > limits.batch_bytes:
            return _TOO_LARGE
        while exchange.unread:
            piece = await exchange.piece(self.context.settings.timing.body)
            if not isinstance(piece, bytes):
                self.left = piece is None
                return piece
            size += len(piece)
            elements = splitter.feed(piece)
            if size > limits.batch_bytes or max(splitter.element, splitter.around) > limits.body_bytes:
                return _TOO_LARGE
            for raw in elements:
                if (failure := await self._add(raw)) is not None:
                    return failure
            await self.spool.flush()
        return self._complaint(splitter)

    def _complaint(self, splitter: ArraySplitter) -> Failure | None:
        """What is wrong with the body as a whole."""
        spool = self.spool
        complaints = (
            (not splitter.whole(), "The request body is not valid JSON, or no object"),
            (not splitter.begun, "requests: Field required"),
            (not spool.total, "requests: List should not be empty"),
            (spool.ready == spool.total, "requests: none of them is valid; each would be refused as a message, too"),
        )
        return next((_refused(words) for wrong, words in complaints if wrong), None)

    async def _add(self, raw: bytes) -> Failure | None:
        index = self.spool.total
        if index == MAX_REQUESTS:
            return _refused(f"requests: List should have at most {MAX_REQUESTS} items")
        found = read_request(raw, index)
        if isinstance(found, Failure):
            return found
        custom_id, params = found
        mark = hashlib.blake2b(custom_id.encode(), digest_size=8).digest()
        if mark in self.ids:
            return _refused(f"requests.{index}.custom_id: must be unique, and is used before")
        self.ids.add(mark)
        await self.context.turns.take()
        line = await self.context.aside.run(len(raw), self.line, self.question, custom_id, params)
        if isinstance(line, Failure):
            self.spool.add_ready(custom_id, errored(line, self.exchange.request_id)["error"])
        else:
            self.spool.add(custom_id, line)
        return None


def _refused(message: str) -> Failure:
    return Failure(Kind.INVALID_REQUEST, message)
