"""The local store: what OpenAI's Files and Batch APIs would keep, in a folder of this machine."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, Self, TypeVar

import attrs
import trio

from pipeline.storage import batch_rows, file_rows
from pipeline.storage.contents import Contents
from pipeline.storage.database import Database, NewerSchemaError
from stages.canonical.failure import Failure, Kind
from stages.tables.stored_files import OUT_OF_SPACE

P = ParamSpec("P")
R = TypeVar("R")

READ_AT_ONCE = 2**18
"""Bytes that are read of a content, or of a batch's output, at once."""

MAX_AGE = 7_776_000
"""Seconds after which a file may expire by the client's wish: ninety days, as in Anthropic's API."""

_NO_FILE = Failure(Kind.NOT_FOUND, "No such file.")
_NO_BATCH = Failure(Kind.NOT_FOUND, "No such batch.")
_FULL = Failure(
    Kind.INVALID_REQUEST,
    "The files of this server may not take more space (storage.max_bytes); delete some first.",
    error_code=OUT_OF_SPACE,
)
_HELD = Failure(Kind.OVERLOADED, "The storage of this server is in use by another process.", cause="storage_busy")
_OUTPUT = "output-"
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)  # in the lowest byte; the rest says why


def _guarded(
    function: Callable[Concatenate[LocalStore, P], Awaitable[R]],
) -> Callable[Concatenate[LocalStore, P], Coroutine[Any, Any, R | Failure]]:
    """Make a failure of what the disk and the database raise; what they say may name paths, and is no client's."""

    @wraps(function)
    async def guarded(store: LocalStore, /, *arguments: P.args, **named: P.kwargs) -> R | Failure:
        try:
            return await function(store, *arguments, **named)
        except (OSError, sqlite3.Error) as error:
            return broken(error)

    return guarded


def broken(error: Exception) -> Failure:
    """What a client is told when the disk is full, read-only or broken; the log gets the kind of the mistake.

    A database that another process holds for longer than `WRITE_PATIENCE` is none of these: it passes.
    """
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY:
        return _HELD
    message = "The storage of this server cannot be used: see storage.folder."
    if isinstance(error, NewerSchemaError):
        message = "The storage of this server was made by a newer version of it: see storage.folder."
    return Failure(Kind.MISCONFIGURED, message, cause=f"storage_{type(error).__name__}")


def seconds_now() -> int:
    """Now, in seconds since 1970."""
    return int(time.time())


@attrs.define(eq=False)
class LocalStore:
    """Files and batches in a folder; see `Store` for its calls.

    Attributes:
        folder: where all of it lies; made when something is first kept.
        quota: bytes that all files may have together.
        clock: tells the time, in seconds since 1970.
        changed: called when a batch was made or cancelled, for whoever runs them.
    """

    folder: Path
    quota: int
    clock: Callable[[], int] = seconds_now
    changed: Callable[[], None] = lambda: None
    max_lines: int = attrs.field(default=2**62, init=False)
    max_bytes: int = attrs.field(default=2**62, init=False)
    max_age: int = attrs.field(default=MAX_AGE, init=False)
    runs_messages: bool = attrs.field(default=True, init=False)
    database: Database = attrs.field(init=False)
    contents: Contents = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Say where things lie; nothing is opened yet."""
        self.database = Database(self.folder)
        self.contents = Contents(self.folder / "contents")

    @_guarded
    async def upload(
        self, fields: Mapping[str, str], filename: str, file: IO[bytes], size: int
    ) -> dict[str, Any] | Failure:
        """Keep a file."""
        now, expires = self.clock(), fields.get("expires_after[seconds]")
        draft, digest = await trio.to_thread.run_sync(self.contents.draft, file)
        row = {
            "purpose": fields["purpose"],
            "filename": filename,
            "bytes": size,
            "created_at": now,
            "expires_at": now + int(expires) if expires else None,
        }

        def keep(connection: sqlite3.Connection) -> dict[str, Any] | Failure:
            for ident in file_rows.forgotten(connection, now, 0):
                self._remove(connection, ident)
            if file_rows.total_bytes(connection) + size > self.quota:
                return _FULL
            self.contents.keep(draft, digest)
            return file_rows.add(connection, row, digest)

        try:
            return await self.database.write(keep)
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(lambda: draft.unlink(missing_ok=True))

    @_guarded
    async def file(self, ident: str) -> dict[str, Any] | Failure:
        """Say what is known about a file."""
        row = await self.database.read(file_rows.find_file_row, ident, self.clock())
        return _NO_FILE if row is None else file_rows.file_object(row)

    @_guarded
    async def files(self, query: Mapping[str, str]) -> dict[str, Any] | Failure:
        """Give a page of files."""
        return await self.database.read(file_rows.page, query, self.clock()) or _NO_FILE

    @_guarded
    async def delete(self, ident: str) -> dict[str, Any] | Failure:
        """Delete a file."""
        gone = await self.database.write(self._remove, ident)
        return {"id": ident, "object": "file", "deleted": True} if gone else _NO_FILE

    async def path(self, ident: str) -> Path | Failure:
        """Say where the content of a file lies."""
        kept = await self.kept(ident)
        return kept if isinstance(kept, Failure) else kept[1]

    @_guarded
    async def kept(self, ident: str) -> tuple[dict[str, Any], Path] | Failure:
        """Say what is known about a file, and where its content lies."""
        row = await self.database.read(file_rows.find_file_row, ident, self.clock())
        return _NO_FILE if row is None else (file_rows.file_object(row), self.contents.path(row["digest"]))

    async def content(self, ident: str) -> FileContent | OutputContent | Failure:
        """Begin to read a file, or what a batch has brought so far."""
        if ident.startswith(_OUTPUT):
            return OutputContent(self, ident.removeprefix(_OUTPUT))
        path = await self.path(ident)
        if isinstance(path, Failure):
            return path
        try:
            return FileContent(await trio.to_thread.run_sync(path.open, "rb"))
        except OSError as error:
            return broken(error)

    @_guarded
    async def create_batch(self, request: Mapping[str, Any]) -> dict[str, Any] | Failure:
        """Begin a batch of the lines of an input file."""
        source = str(request["input_file_id"])
        path = await self.path(source)
        if isinstance(path, Failure):
            return path
        now = self.clock()

        def add(connection: sqlite3.Connection) -> dict[str, Any]:
            return batch_rows.add_batch(connection, source, _line_lengths(path), request["metadata"], now)

        made = await self.database.write(add)
        self.changed()
        return made

    @_guarded
    async def batch(self, ident: str) -> dict[str, Any] | Failure:
        """Say how a batch stands."""
        return await self.database.read(batch_rows.find_batch_row, ident) or _NO_BATCH

    @_guarded
    async def batches(self, query: Mapping[str, str]) -> dict[str, Any] | Failure:
        """Give a page of batches, newest first."""
        return await self.database.read(batch_rows.batches_page, query)

    @_guarded
    async def cancel_batch(self, ident: str) -> dict[str, Any] | Failure:
        """Ask that a batch be ended: what runs is finished, the rest is not begun."""
        told = await self.database.write(batch_rows.ask_to_cancel, ident, self.clock())
        self.changed()
        return told or _NO_BATCH

    async def delete_batch(self, batch: Mapping[str, Any]) -> Failure | None:
        """Delete a batch, its input and its output."""
        told = await self._delete_batch(str(batch["id"]))
        return told if isinstance(told, Failure) else None

    @_guarded
    async def _delete_batch(self, ident: str) -> bool:
        return await self.database.write(self._remove_batch, ident)

    @_guarded
    async def tidy(self) -> None:
        """Let go of what is too old, and of what a process has left when it was killed."""
        await self.database.write(self._tidy, self.clock())
        await trio.to_thread.run_sync(self.contents.tidy)

    async def close(self) -> None:
        """Close the database; waits for what is under way."""
        await self.database.close()

    def _tidy(self, connection: sqlite3.Connection, now: int) -> None:
        old = batch_rows.archive(connection, now)
        for ident in (*old, *file_rows.forgotten(connection, now, now - batch_rows.LIFETIME)):
            self._remove(connection, ident)

    def _remove(self, connection: sqlite3.Connection, ident: str) -> bool:
        gone, digest = file_rows.remove(connection, ident)
        if digest is not None:
            self.contents.remove(digest)
        return gone

    def _remove_batch(self, connection: sqlite3.Connection, ident: str) -> bool:
        source = batch_rows.remove_batch(connection, ident)
        return source is not None and self._remove(connection, source)


class _Read:
    """What is common to contents: read in a thread, piece by piece."""

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes | Failure:
        """Wait for the next piece."""
        piece = await self._piece()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of it; waits for nothing."""

    async def _piece(self) -> bytes | Failure:
        raise NotImplementedError


class FileContent(_Read):
    """The content of a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    async def __aexit__(self, *_: object) -> None:
        """Close the file; waits for nothing."""
        self._file.close()

    async def _piece(self) -> bytes | Failure:
        try:
            return await trio.to_thread.run_sync(self._file.read, READ_AT_ONCE)
        except OSError as error:
            return broken(error)


class OutputContent(_Read):
    """The output of a batch."""

    def __init__(self, store: LocalStore, batch: str) -> None:
        self._store = store
        self._batch = batch
        self._last = -1

    async def _piece(self) -> bytes | Failure:
        try:
            read = self._store.database.read
            lines, self._last = await read(batch_rows.outcomes, self._batch, self._last, READ_AT_ONCE)
        except sqlite3.Error as error:
            return broken(error)
        return b"".join(lines)


def _line_lengths(path: Path) -> Iterator[int]:
    with path.open("rb") as lines:
        for line in lines:
            yield len(line)
