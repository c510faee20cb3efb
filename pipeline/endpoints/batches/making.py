"""What a batch becomes in a store: its manifest, the files of its parts, and then the parts; all of it, or nothing.

Files cost nothing, so they go up first. The part that stands for the whole is made last: as long as it is not there,
nobody knows of the others. An answer that is lost on its way says nothing about what was done, so what was asked for
is looked for by its file before it counts as failed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import IO, Any

import attrs
import trio

from pipeline.endpoints.batches.orphans import Leftovers, take_back_orphans
from pipeline.endpoints.batches.spool import LinePlace, Spool
from pipeline.endpoints.batches.upstream_batch import MAX_PARTS, BatchNote
from pipeline.endpoints.context import Context
from pipeline.storage.store import Store
from pipeline.telemetry import names
from stages.canonical.failure import Failure, Kind
from stages.tables.stored_files import UPSTREAM_EXPIRES_AFTER

CLEANING = 30.0
"""Seconds that it may take to take back what was made of a batch that failed."""

_REQUEST = {
    "endpoint": "/v1/responses",
    "completion_window": "24h",
    "output_expires_after": {"anchor": "created_at", "seconds": UPSTREAM_EXPIRES_AFTER},  # results last 29 days
}
_UNDECIDED = (Kind.UPSTREAM, Kind.UNAVAILABLE, Kind.TIMEOUT)  # it may have been done all the same
_LEFT = " Not all that was begun of the batch could be taken back."


@attrs.define
class Making:
    """Makes files and batches in a store, and knows what to take back.

    Attributes:
        context: what the request is served with.
        store: where they are made.
        spool: what is made.
        owner: the mark of whose they are.
        left: what was made so far.
        begun: whether requests may have been run, and paid for, so that the whole should not be asked for again.
    """

    context: Context
    store: Store
    spool: Spool
    owner: str
    left: Leftovers = attrs.field(factory=lambda: Leftovers(os.urandom(12).hex()), init=False)
    begun: bool = attrs.field(default=False, init=False)

    async def run(self) -> tuple[dict[str, Any], BatchNote] | Failure:
        """Make them; give the batch that stands for the whole, and what its metadata says.

        Waits for the store. Cancelled or failed, all is taken back for `CLEANING` seconds at most; what is left then
        is in the log, and in the failure.
        """
        if not self.store.runs_messages:
            await take_back_orphans(self.store)
        whole, left = False, 0
        try:
            made = await self._make()
            whole = not isinstance(made, Failure)
        finally:
            if not whole:
                left = await self._take_back()
        if not isinstance(made, Failure):
            return made
        return attrs.evolve(made, message=made.message + _LEFT * bool(left), begun=self.begun)

    async def _take_back(self) -> int:
        left = len(self.left)
        with trio.move_on_after(CLEANING, shield=True):
            left = await self.left.take_back(self.store)
        if left:
            self.context.log.warning(names.BATCH, call="create", outcome="left_behind", left=left)
        return left

    async def _make(self) -> tuple[dict[str, Any], BatchNote] | Failure:
        store, spool = self.store, self.spool
        parts = [places for _, places in spool.parts(store.max_lines, store.max_bytes)]
        if len(parts) > MAX_PARTS:
            message = f"requests: more than {MAX_PARTS} batches would have to be made upstream of these models"
            return Failure(Kind.INVALID_REQUEST, message)
        manifest = await self._upload(spool.manifest)
        if isinstance(manifest, Failure):
            return manifest
        inputs = list[tuple[str, int]]()
        for places in parts:
            ident = await self._input(places)
            if isinstance(ident, Failure):
                return ident
            inputs.append((ident, len(places)))
        return await self._begin_all(manifest, inputs)

    async def _begin_all(
        self, manifest: str, inputs: list[tuple[str, int]]
    ) -> tuple[dict[str, Any], BatchNote] | Failure:
        group, spool = self.left.group, self.spool
        *others, (main, lines) = inputs
        for ident, count in others:
            batch = await self._begin(ident, BatchNote(self.owner, count, group))
            if isinstance(batch, Failure):
                return batch
        note = BatchNote(self.owner, lines, group, spool.total, spool.ready, manifest, tuple(self.left.batches))
        batch = await self._begin(main, note)
        return batch if isinstance(batch, Failure) else (batch, note)

    async def _input(self, places: list[LinePlace]) -> str | Failure:
        """Write the input file of one part, and send it."""
        with await trio.to_thread.run_sync(self.spool.part_file, places) as file:
            return await self._upload(file)

    async def _begin(self, source: str, note: BatchNote) -> dict[str, Any] | Failure:
        told = await self.store.create_batch({**_REQUEST, "input_file_id": source, "metadata": note.written()})
        undecided = isinstance(told, Failure) and told.kind in _UNDECIDED
        self.begun |= undecided or not isinstance(told, Failure)
        if undecided:
            told = await self._made_after_all(source) or told
        if not isinstance(told, Failure):
            self.left.batches.append(told["id"])
        return told

    async def _made_after_all(self, source: str) -> dict[str, Any] | None:
        page = await self.store.batches({"limit": "20"})
        made: list[Mapping[str, Any]] = [] if isinstance(page, Failure) else page["data"]
        return next((dict(batch) for batch in made if batch.get("input_file_id") == source), None)

    async def _upload(self, file: IO[bytes]) -> str | Failure:
        size = await trio.to_thread.run_sync(partial(file.seek, 0, os.SEEK_END))
        told = await self.store.upload({"purpose": "batch"}, self.left.file_name(), file, size)
        if isinstance(told, Failure):
            return told
        self.left.files.append(told["id"])
        return str(told["id"])
