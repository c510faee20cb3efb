"""The local store: contents by hash, limits, what is thrown away and what is not there."""

from __future__ import annotations

import errno
import io
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.storage import database
from pipeline.storage.batch_rows import KEPT_FOR, LIFETIME
from pipeline.storage.contents import FORGOTTEN_AFTER, Contents
from pipeline.storage.local import LocalStore
from stages.canonical.failure import Failure, Kind
from tests.pipeline.storage.test_runner import Clock, made, output


async def kept(store: LocalStore, data: bytes, **fields: str) -> Any:
    """Keep a file, or be refused."""
    return await store.upload({"purpose": "user_data", **fields}, "a.txt", io.BytesIO(data), len(data))


def contents(folder: Path) -> int:
    """How many contents lie there."""
    return sum(path.is_file() for path in folder.rglob("contents/*/*"))


async def test_equal_contents_lie_there_once(tmp_path: Path) -> None:
    """And stay until the last of their files is deleted."""
    store = LocalStore(tmp_path, 10**6)
    one, other = await kept(store, b"same"), await kept(store, b"same")
    assert (contents(tmp_path), one["id"] == other["id"]) == (1, False)
    await store.delete(one["id"])
    content = await store.content(other["id"])
    assert not isinstance(content, Failure)
    async with content:
        assert [piece async for piece in content] == [b"same"]
    await store.delete(other["id"])
    assert contents(tmp_path) == 0
    await store.close()


async def test_space_is_limited_and_expiry_gives_it_back(tmp_path: Path) -> None:
    """What is too much leaves nothing behind; what has expired is not there, and does not count."""
    clock = Clock()
    store = LocalStore(tmp_path, 10, clock)
    first = await kept(store, b"12345678", **{"expires_after[seconds]": "3600"})
    full = await kept(store, b"abc")
    assert (full.kind, full.error_code) == (Kind.INVALID_REQUEST, "storage_quota_exceeded")
    assert contents(tmp_path) == 1
    clock.now += 3600
    told = await store.file(first["id"])
    assert isinstance(told, Failure)
    assert told.kind is Kind.NOT_FOUND
    assert (await kept(store, b"abc"))["bytes"] == 3
    assert contents(tmp_path) == 1
    await store.close()


async def test_what_is_old_is_thrown_away(tmp_path: Path) -> None:
    """Results after 29 days, files for a batch that never came after one, drafts of a process that was killed."""
    clock = Clock()
    store = LocalStore(tmp_path, 10**6, clock)
    ident = await made(store, "a")
    await store.upload({"purpose": "batch"}, "manifest.jsonl", io.BytesIO(b"m"), 1)
    user = await kept(store, b"mine")
    draft, _ = Contents(tmp_path / "contents").draft(io.BytesIO(b"half"))
    os.utime(draft, (0, 0))
    await store.cancel_batch(ident)
    await store.tidy()
    assert contents(tmp_path) == 3
    clock.now += LIFETIME + 1
    await store.tidy()
    assert contents(tmp_path) == 2  # the manifest of no batch is gone
    await store.database.write(lambda rows: rows.execute("UPDATE batches SET ended_at = 1"))
    clock.now += KEPT_FOR
    await store.tidy()
    told = await store.batch(ident)
    assert not isinstance(told, Failure)
    assert (told["archived_at"], await output(store, ident)) == (clock.now, [])
    assert not isinstance(await store.file(user["id"]), Failure)
    assert contents(tmp_path) == 1
    assert FORGOTTEN_AFTER > 0
    await store.close()


async def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """Is a failure of each call, in words for the operator, and no exception."""
    (tmp_path / "file").write_text("")
    store = LocalStore(tmp_path / "file" / "below", 10**6)
    for told in (await kept(store, b"x"), await store.files({}), await store.batch("b"), await store.content("f")):
        assert isinstance(told, Failure)
        assert told.kind is Kind.MISCONFIGURED
        assert "storage.folder" in told.message
    await store.close()


def drafts(folder: Path) -> list[Path]:
    """What was begun, and is not where it belongs."""
    return list(folder.rglob("drafts/*"))


class Full(io.BytesIO):
    """A file of which only the beginning can be copied."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read a piece, once."""
        if self.tell():
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().read(min(size or 5, 5))


async def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Nothing is left of what did not fit, and what was there is there."""
    store = LocalStore(tmp_path, 10**6)
    before = await kept(store, b"mine")
    told = await store.upload({"purpose": "user_data"}, "a", Full(b"x" * 10), 10)

    assert isinstance(told, Failure)
    assert (told.kind, told.cause) == (Kind.MISCONFIGURED, "storage_OSError")
    assert drafts(tmp_path) == []
    assert not isinstance(await store.file(before["id"]), Failure)
    await store.close()


async def test_tables_of_a_newer_version(tmp_path: Path) -> None:
    """Are left as they are, and whoever asks is told why."""
    store = LocalStore(tmp_path, 10**6)
    await kept(store, b"mine")
    await store.database.write(lambda rows: rows.execute("PRAGMA user_version = 99"))
    await store.close()
    for told in (await kept(store, b"x"), await store.files({}), await store.batches({})):
        assert isinstance(told, Failure)
        assert (told.cause, "newer version" in told.message) == ("storage_NewerSchemaError", True)
    await store.close()


async def test_a_database_that_another_process_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a failure that passes: reads go on, writes are refused until it is let go of."""
    monkeypatch.setattr(database, "WRITE_PATIENCE", 0.0)
    store = LocalStore(tmp_path, 10**6)
    before = await kept(store, b"mine")
    with closing(sqlite3.connect(store.database.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = [await kept(store, b"more"), await store.delete(before["id"]), await store.cancel_batch("b")]
        assert [told.kind for told in refused if isinstance(told, Failure)] == [Kind.OVERLOADED] * 3
        assert await store.file(before["id"]) == before
        other.execute("ROLLBACK")
    assert (await kept(store, b"more"))["bytes"] == 4
    assert not drafts(tmp_path)
    await store.close()


async def test_a_database_that_is_held_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for all calls, and the next one opens it."""
    monkeypatch.setattr(database, "WRITE_PATIENCE", 0.0)
    with closing(sqlite3.connect(tmp_path / database.FILE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        store = LocalStore(tmp_path, 10**6)
        told = await store.files({})
        assert isinstance(told, Failure)
        assert told.kind is Kind.OVERLOADED
        other.execute("ROLLBACK")
    assert (await store.files({}))["data"] == []  # type: ignore[index] # it is no failure
    await store.close()
