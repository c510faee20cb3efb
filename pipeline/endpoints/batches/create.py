"""`POST /v1/messages/batches`: the body is read as it comes, and goes up when all of it was found to be right."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import trio

from pipeline.endpoints.batches.kept import NO_BATCHES, results_address
from pipeline.endpoints.batches.line import Line, line_of, message_line, read_request
from pipeline.endpoints.batches.spool import LinePlace, Spool
from pipeline.endpoints.batches.upstream_batch import MAX_PARTS, BatchNote, client_batch_id, message_batch
from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.mapping import question_of
from pipeline.endpoints.owners import Owner
from pipeline.endpoints.translation import Question, without_hosted_tools
from pipeline.storage.store import Store
from pipeline.telemetry import names
from stages.canonical.failure import Failure, Kind
from stages.wire.array_splitter import ArraySplitter
from stages.wire.messages_stream import errored

MAX_REQUESTS = 100_000
"""Requests of one batch."""

CLEANING = 30.0
"""Seconds that it may take to take back what was made of a batch that failed."""

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
    with Spool({"dragoman": 1, "version": caller.version, "betas": caller.betas, "strict": question.strict}) as spool:
        reading = _Reading(context, exchange, question, spool, message_line if store.runs_messages else line_of)
        failure = await reading.run()
        if failure is not None or reading.left:
            return failure
        made = await _Making(context, exchange, store, spool).run()
    if isinstance(made, Failure):
        return made
    counts = {"requests": spool.total, "errored": spool.ready}
    context.log.info(names.BATCH, request_id=exchange.request_id, call="create", batch=made["id"], **counts)
    return await exchange.tell(made)


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
            if size > limits.batch_bytes or splitter.pending > limits.body_bytes:
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
            (not splitter.ended, "The request body is not valid JSON"),
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


@attrs.define
class _Making:
    """Makes files and batches in a store, and knows what to take back."""

    context: Context
    exchange: Exchange
    store: Store
    spool: Spool
    files: list[str] = attrs.field(factory=list)
    batches: list[str] = attrs.field(factory=list)

    async def run(self) -> dict[str, Any] | Failure:
        """Make them; the batch that stands for the whole is made last."""
        whole = False
        try:
            made = await self._make()
            whole = not isinstance(made, Failure)
            return made
        finally:
            if not whole:
                with trio.move_on_after(CLEANING, shield=True):
                    await self._take_back()

    async def _make(self) -> dict[str, Any] | Failure:
        store, spool = self.store, self.spool
        parts = list(spool.parts(store.max_lines, store.max_bytes))
        if len(parts) > MAX_PARTS:
            return _refused(f"requests: more than {MAX_PARTS} batches would have to be made upstream of these models")
        manifest = await self._upload("manifest.jsonl", spool.manifest)
        if isinstance(manifest, Failure):
            return manifest
        owner = Owner.of(self.context.settings, self.exchange.headers).mark
        group = os.urandom(12).hex()
        *others, (_, main) = parts
        for _, places in others:
            batch = await self._begin(places, BatchNote(owner, len(places), group))
            if isinstance(batch, Failure):
                return batch
        note = BatchNote(owner, len(main), group, spool.total, spool.ready, manifest, tuple(self.batches))
        batch = await self._begin(main, note)
        if isinstance(batch, Failure):
            return batch
        return message_batch([batch], note, results_address(self.context, self.exchange, client_batch_id(batch["id"])))

    async def _begin(self, places: list[LinePlace], note: BatchNote) -> dict[str, Any] | Failure:
        file = await trio.to_thread.run_sync(self.spool.part_file, places)
        with file:
            ident = await self._upload("batch.jsonl", file)
        if isinstance(ident, Failure):
            return ident
        request = {"input_file_id": ident, "endpoint": "/v1/responses", "completion_window": "24h"}
        told = await self.store.create_batch({**request, "metadata": note.written()})
        if not isinstance(told, Failure):
            self.batches.append(told["id"])
        return told

    async def _upload(self, name: str, file: Any) -> str | Failure:
        size = await trio.to_thread.run_sync(partial(file.seek, 0, os.SEEK_END))
        told = await self.store.upload({"purpose": "batch"}, name, file, size)
        if isinstance(told, Failure):
            return told
        self.files.append(told["id"])
        return str(told["id"])

    async def _take_back(self) -> None:
        for ident in self.batches:
            await self.store.cancel_batch(ident)
        for ident in self.files:
            await self.store.delete(ident)


def _refused(message: str) -> Failure:
    return Failure(Kind.INVALID_REQUEST, message)
