"""The local store's tables, in SQLite: every look at them is a short piece of work in a thread.

One connection serves a process, and one piece of work at a time.  Several processes may use the same file: the log of
changes (WAL) lets them read while one writes, and whoever writes waits for the one before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import trio

P = ParamSpec("P")
R = TypeVar("R")

FILE = "store.sqlite3"
"""The name of the database in the store's folder."""

WRITE_PATIENCE = 60.0
"""Seconds that a write waits for those of other processes."""

_VERSION = 1
_SCHEMA = """
CREATE TABLE files (
    number INTEGER PRIMARY KEY,       -- the order in which they came
    id TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    filename TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    digest TEXT NOT NULL,             -- where the content lies
    created_at INTEGER NOT NULL,
    expires_at INTEGER
);
CREATE INDEX files_by_digest ON files (digest);
CREATE TABLE batches (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,             -- OpenAI's words
    input TEXT NOT NULL,              -- the id of the file with its lines
    metadata TEXT NOT NULL,           -- JSON
    total INTEGER NOT NULL,
    completed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    cost REAL,                        -- dollars, as far as the price is known
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    cancelling_at INTEGER,
    ended_at INTEGER,
    archived_at INTEGER
);
CREATE TABLE requests (
    batch INTEGER NOT NULL,           -- the number of the batch
    number INTEGER NOT NULL,          -- the place in its input
    start INTEGER NOT NULL,           -- the first byte of its line there
    length INTEGER NOT NULL,
    outcome BLOB,                     -- the line of the output, NULL until there is one
    PRIMARY KEY (batch, number)
);
"""


class NewerSchemaError(sqlite3.DatabaseError):
    """The tables were made by a newer version, which may mean other things by them: nothing is read or changed."""


class Database:
    """The tables in one folder.  Nothing is opened, and nothing is made, before it is first used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one = trio.CapacityLimiter(1)
        self._connection: sqlite3.Connection | None = None

    @property
    def file(self) -> Path:
        """Where the tables lie."""
        return self._folder / FILE

    async def read(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], *arguments: P.args, **named: P.kwargs
    ) -> R:
        """Run a function that looks at the tables in a thread, and return what it returns.

        Waits for its turn and for the disk; only the former can be cancelled.
        """
        return await trio.to_thread.run_sync(
            self._within, "BEGIN", lambda rows: function(rows, *arguments, **named), limiter=self._one
        )

    async def write(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], *arguments: P.args, **named: P.kwargs
    ) -> R:
        """The same for a function that changes them: all that it does is done, or nothing."""
        return await trio.to_thread.run_sync(
            self._within, "BEGIN IMMEDIATE", lambda rows: function(rows, *arguments, **named), limiter=self._one
        )

    async def close(self) -> None:
        """Close the connection, if there is one; waits for work that is under way."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await trio.to_thread.run_sync(connection.close, limiter=self._one)

    def _within(self, begin: str, work: Callable[[sqlite3.Connection], R]) -> R:
        connection = self._connection = self._connection or self._open()
        connection.execute(begin)
        try:
            found = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return found

    def _open(self) -> sqlite3.Connection:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(self.file, timeout=WRITE_PATIENCE, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # a crash of the process loses nothing that was committed
        connection.execute("PRAGMA cache_size = -2048")  # kilobytes
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            connection.close()
            raise NewerSchemaError
        if not version:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")
        return connection
