"""What a creation has left in a store without coming to its end: it is found by its group, and taken back.

A server that fails takes back what it has made itself. One that was killed cannot: its parts run, and nobody will
ever ask for them, since the part that stands for the whole was never made. Whoever lists batches or makes one sees
them, and ends them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from pipeline.endpoints.batches.upstream_batch import BatchNote, ended
from pipeline.storage.store import Store
from stages.canonical.failure import Failure, Kind

ABANDONED_AFTER = 600
"""Seconds after which nobody makes the rest of a batch any more; its parts are made within seconds of each other."""

_PAGE = "100"


@attrs.define
class Leftovers:
    """What was made of a batch, and what must be taken back if nothing comes of it.

    Attributes:
        group: the same for all of it.
        files: the ids of its files.
        batches: the ids of its parts.
    """

    group: str
    files: list[str] = attrs.field(factory=list)
    batches: list[str] = attrs.field(factory=list)

    def __len__(self) -> int:
        """How much there is, as far as that is known."""
        return len(self.files) + len(self.batches)

    def file_name(self) -> str:
        """The name of its next file, by which that is found again."""
        return f"{self.group}-{len(self.files)}.jsonl"

    async def take_back(self, store: Store) -> int:
        """Cancel its parts and delete its files, those included whose ids never came; say how many were left, at least.

        Waits for the store, and asks for each thing once; what is gone already counts as taken back.
        """
        left = int(not await self._find(store))
        for call, idents in ((store.cancel_batch, self.batches), (store.delete, self.files)):
            for ident in idents:
                told = await call(ident)
                left += isinstance(told, Failure) and told.kind not in (Kind.NOT_FOUND, Kind.CONFLICT)
        return left

    async def _find(self, store: Store) -> bool:
        """Learn of things whose making was answered by nobody; say whether that could be learnt."""
        batches = await store.batches({"limit": _PAGE})
        files = await store.files({"purpose": "batch", "limit": _PAGE, "order": "desc"})
        for page, known, is_ours in ((batches, self.batches, self._is_part), (files, self.files, self._is_file)):
            told = [] if isinstance(page, Failure) else page["data"]
            known += [one["id"] for one in told if is_ours(one) and one["id"] not in known]
        return not (isinstance(batches, Failure) or isinstance(files, Failure))

    def _is_part(self, batch: Mapping[str, Any]) -> bool:
        note = BatchNote.of(batch)
        return note is not None and note.group == self.group

    def _is_file(self, file: Mapping[str, Any]) -> bool:
        return str(file.get("filename")).startswith(f"{self.group}-")


@attrs.define
class Orphans:
    """Looks at a store's batches, newest first, for parts that nobody will ask for.

    Attributes:
        clock: seconds since 1970.
        found: the groups that they belong to.
    """

    clock: Callable[[], float] = time.time
    found: dict[str, Leftovers] = attrs.field(factory=dict)
    _whole: set[str] = attrs.field(factory=set)

    def see(self, batch: Mapping[str, Any]) -> None:
        """Look at the next batch; the one that stands for a whole is newer than its other parts."""
        note = BatchNote.of(batch)
        if note is None or not note.group:
            return
        if note.total:
            self._whole.add(note.group)
            return
        age = self.clock() - (batch.get("created_at") or 0)
        if note.group not in self._whole and not ended([batch]) and age > ABANDONED_AFTER:
            left = self.found.setdefault(note.group, Leftovers(note.group))
            left.batches.append(batch["id"])
            left.files.append(str(batch.get("input_file_id")))

    async def take_back(self, store: Store) -> None:
        """Cancel them, and delete their files; waits for the store. What fails is found again by the next look."""
        for left in list(self.found.values()):
            older = await store.batches({"limit": _PAGE, "after": left.batches[0]})  # of the same second, perhaps
            for batch in [] if isinstance(older, Failure) else older["data"]:
                self.see(batch)
            if left.group not in self._whole and not isinstance(older, Failure):
                await left.take_back(store)


async def take_back_orphans(store: Store) -> None:
    """Look at the newest batches, and take back what a killed server has left; waits for the store."""
    page, orphans = await store.batches({"limit": _PAGE}), Orphans()
    for batch in [] if isinstance(page, Failure) else page["data"]:
        orphans.see(batch)
    await orphans.take_back(store)
