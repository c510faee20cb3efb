"""The rows of files: OpenAI's file objects, made, found and deleted."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from typing import Any

PURPOSE_OF_BATCHES = "batch"
"""What the input of a batch and its manifest are called."""

MAX_STORED_FILES = 10_000
"""Files of one page."""

_ONES = "SELECT * FROM files WHERE purpose = :purpose AND (expires_at IS NULL OR expires_at > :now)"
_PAGE_DOWN = f"{_ONES} AND (:edge IS NULL OR number < :edge) ORDER BY number DESC LIMIT :limit"
_PAGE_UP = f"{_ONES} AND (:edge IS NULL OR number > :edge) ORDER BY number LIMIT :limit"


def add(connection: sqlite3.Connection, fields: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """Add a file; `fields` are `purpose`, `filename`, `bytes`, `created_at` and `expires_at`."""
    row = {"id": f"file-{os.urandom(12).hex()}", "digest": digest, **fields}
    connection.execute(
        "INSERT INTO files (id, purpose, filename, bytes, digest, created_at, expires_at)"
        " VALUES (:id, :purpose, :filename, :bytes, :digest, :created_at, :expires_at)",
        row,
    )
    return file_object(row)


def find_file_row(connection: sqlite3.Connection, ident: str, now: int) -> sqlite3.Row | None:
    """Find a file that has not expired."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM files WHERE id = ? AND (expires_at IS NULL OR expires_at > ?)", (ident, now)
    ).fetchone()
    return row


def total_bytes(connection: sqlite3.Connection) -> int:
    """How much all files weigh."""
    return int(connection.execute("SELECT coalesce(sum(bytes), 0) FROM files").fetchone()[0])


def page(connection: sqlite3.Connection, query: Mapping[str, str], now: int) -> dict[str, Any] | None:
    """Give a page; None where there is no file that it is to follow."""
    down = query.get("order", "desc") != "asc"
    limit = min(int(query.get("limit", MAX_STORED_FILES)), MAX_STORED_FILES)
    edge: int | None = None
    if after := query.get("after"):
        found = connection.execute("SELECT number FROM files WHERE id = ?", (after,)).fetchone()
        if found is None:
            return None
        edge = found["number"]
    told = {"purpose": query.get("purpose"), "now": now, "edge": edge, "limit": limit + 1}
    rows = connection.execute(_PAGE_DOWN if down else _PAGE_UP, told).fetchall()
    return {"object": "list", "data": [file_object(row) for row in rows[:limit]], "has_more": len(rows) > limit}


def remove(connection: sqlite3.Connection, ident: str) -> tuple[bool, str | None]:
    """Delete a file; say whether there was one, and which content nobody needs any more."""
    row = connection.execute("DELETE FROM files WHERE id = ? RETURNING digest", (ident,)).fetchone()
    if row is None:
        return False, None
    shared = connection.execute("SELECT 1 FROM files WHERE digest = ?", (row["digest"],)).fetchone()
    return True, None if shared else row["digest"]


def forgotten(connection: sqlite3.Connection, now: int, before: int) -> list[str]:
    """The ids of files that have expired, and of files for batches which never came to be.

    Args:
        connection: the tables.
        now: seconds since 1970.
        before: the same; what was uploaded for a batch before, and has none, is nobody's.
    """
    rows = connection.execute(
        "SELECT id FROM files WHERE expires_at <= ? OR (purpose = ? AND created_at < ?"
        " AND id NOT IN (SELECT input FROM batches)"
        " AND id NOT IN (SELECT coalesce(json_extract(metadata, '$.manifest'), '') FROM batches))",
        (now, PURPOSE_OF_BATCHES, before),
    )
    return [row["id"] for row in rows]


def file_object(row: Mapping[str, Any] | sqlite3.Row) -> dict[str, Any]:
    """Say of a file what OpenAI's API says."""
    names = ("id", "purpose", "filename", "bytes", "created_at", "expires_at")
    return {"object": "file", "status": "processed", **{name: row[name] for name in names}}
