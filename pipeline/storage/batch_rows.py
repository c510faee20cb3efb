"""The rows of batches and their requests: OpenAI's batch objects, what is to be run, and what came of it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import attrs

LIFETIME = 86_400
"""Seconds that a batch has to run."""

KEPT_FOR = 29 * 86_400
"""Seconds after its creation for which the results of a batch can be read, as in Anthropic's API."""

MAX_STORED_BATCHES = 100
"""Batches of one page."""

_RUNNING = ("in_progress", "cancelling")
_ENDS = ("completed", "cancelled", "expired")
_AT_ONCE = 1_000  # rows that are added in one step


@attrs.frozen
class Task:
    """A request that is to be run.

    Attributes:
        batch: the number of its batch.
        number: its place there.
        start: the first byte of its line in the input.
        length: bytes of its line.
    """

    batch: int
    number: int
    start: int
    length: int


@attrs.frozen
class RequestOutcome:
    """What came of a request.

    Attributes:
        task: the request.
        line: the line of the output.
        succeeded: whether it is an answer.
        cost: dollars; None where the price is not known.
    """

    task: Task
    line: bytes = attrs.field(repr=False)
    succeeded: bool
    cost: float | None = None


def add_batch(
    connection: sqlite3.Connection, source: str, lengths: Iterable[int], metadata: Mapping[str, str], now: int
) -> dict[str, Any]:
    """Begin a batch: all of it is there, or nothing.

    Args:
        connection: the tables.
        source: the id of its input file.
        lengths: bytes of each line there.
        metadata: what whoever makes it wants to find again.
        now: seconds since 1970.
    """
    ident = f"batch_{os.urandom(12).hex()}"
    number = connection.execute(
        "INSERT INTO batches (id, status, input, metadata, total, created_at, expires_at)"
        " VALUES (?, 'in_progress', ?, ?, 0, ?, ?)",
        (ident, source, json.dumps(dict(metadata)), now, now + LIFETIME),
    ).lastrowid
    total = 0
    for rows in _chunks(_places(number or 0, lengths)):
        connection.executemany("INSERT INTO requests (batch, number, start, length) VALUES (?, ?, ?, ?)", rows)
        total += len(rows)
    connection.execute("UPDATE batches SET total = ? WHERE number = ?", (total, number))
    return batch_object(_row(connection, ident))


def find_batch_row(connection: sqlite3.Connection, ident: str) -> dict[str, Any] | None:
    """Say how a batch stands; None where there is none."""
    row = connection.execute("SELECT * FROM batches WHERE id = ?", (ident,)).fetchone()
    return None if row is None else batch_object(row)


def batches_page(connection: sqlite3.Connection, query: Mapping[str, str]) -> dict[str, Any]:
    """Give a page, newest first."""
    limit = min(int(query.get("limit", MAX_STORED_BATCHES)), MAX_STORED_BATCHES)
    rows = connection.execute(
        "SELECT * FROM batches WHERE :after IS NULL OR number < (SELECT number FROM batches WHERE id = :after)"
        " ORDER BY number DESC LIMIT :limit",
        {"after": query.get("after"), "limit": limit + 1},
    ).fetchall()
    return {"object": "list", "data": [batch_object(row) for row in rows[:limit]], "has_more": len(rows) > limit}


def ask_to_cancel(connection: sqlite3.Connection, ident: str, now: int) -> dict[str, Any] | None:
    """Ask that a batch be ended; what has ended stays as it is."""
    connection.execute(
        "UPDATE batches SET status = 'cancelling', cancelling_at = ? WHERE id = ? AND status = 'in_progress'",
        (now, ident),
    )
    return find_batch_row(connection, ident)


def remove_batch(connection: sqlite3.Connection, ident: str) -> str | None:
    """Delete a batch with its requests; return the id of its input file, None where there is no such batch."""
    row = connection.execute("DELETE FROM batches WHERE id = ? RETURNING number, input", (ident,)).fetchone()
    if row is None:
        return None
    connection.execute("DELETE FROM requests WHERE batch = ?", (row["number"],))
    return str(row["input"])


def running(connection: sqlite3.Connection, now: int) -> dict[int, dict[str, Any]]:
    """The batches whose requests may be run, by their numbers, oldest first."""
    rows = connection.execute(
        "SELECT * FROM batches WHERE status = 'in_progress' AND expires_at > ? ORDER BY number", (now,)
    )
    return {row["number"]: batch_object(row) for row in rows}


def tasks(connection: sqlite3.Connection, after: Mapping[int, int], count: int) -> list[Task]:
    """What is to be run next: some of each batch, so that a small one need not wait for a large one.

    Args:
        connection: the tables.
        after: the batches, and the place of each that was taken last; -1 for none.
        count: how many of each batch.
    """
    found = list[Task]()
    for batch, last in after.items():
        rows = connection.execute(
            "SELECT batch, number, start, length FROM requests"
            " WHERE batch = ? AND number > ? AND outcome IS NULL ORDER BY number LIMIT ?",
            (batch, last, count),
        )
        found += [Task(*row) for row in rows]
    return found


def record(connection: sqlite3.Connection, outcomes: Collection[RequestOutcome]) -> None:
    """Write down what came of requests, each once, and of none whose batch has ended."""
    for outcome in outcomes:
        task = outcome.task
        written = connection.execute(
            "UPDATE requests SET outcome = ? WHERE batch = ? AND number = ? AND outcome IS NULL"
            " AND (SELECT ended_at FROM batches WHERE batches.number = batch) IS NULL",
            (outcome.line, task.batch, task.number),
        ).rowcount
        if written:
            column = "completed" if outcome.succeeded else "failed"
            connection.execute(
                f"UPDATE batches SET {column} = {column} + 1,"  # noqa: S608 - one of two words of ours
                " cost = iif(? IS NULL, cost, coalesce(cost, 0) + ?) WHERE number = ?",
                (outcome.cost, outcome.cost, task.batch),
            )


def settle(connection: sqlite3.Connection, now: int, busy: Collection[int]) -> list[dict[str, Any]]:
    """End the batches that have nothing more to run, were cancelled or are too old; return those.

    Args:
        connection: the tables.
        now: seconds since 1970.
        busy: batches of which requests run just now: they end when these have.
    """
    rows = connection.execute("SELECT * FROM batches WHERE status IN (?, ?)", _RUNNING).fetchall()
    over = list[dict[str, Any]]()
    for row in rows:
        status = _end_of(row, now)
        if status is not None and row["number"] not in busy:
            connection.execute("UPDATE batches SET status = ?, ended_at = ? WHERE id = ?", (status, now, row["id"]))
            over.append({**batch_object(_row(connection, row["id"])), "cost": row["cost"]})
    return over


def archive(connection: sqlite3.Connection, now: int) -> list[str]:
    """Forget the results of old batches; return the ids of the files that belonged to them."""
    rows = connection.execute(
        "SELECT number, input, json_extract(metadata, '$.manifest') AS manifest FROM batches"
        " WHERE created_at <= ? AND archived_at IS NULL AND ended_at IS NOT NULL",
        (now - KEPT_FOR,),
    ).fetchall()
    for row in rows:
        connection.execute("DELETE FROM requests WHERE batch = ?", (row["number"],))
        connection.execute("UPDATE batches SET archived_at = ? WHERE number = ?", (now, row["number"]))
    return [ident for row in rows for ident in (row["input"], row["manifest"]) if ident]


def outcomes(connection: sqlite3.Connection, ident: str, after: int, size: int) -> tuple[list[bytes], int]:
    """Give the next lines of a batch's output, up to a size, and the place of the last.

    Args:
        connection: the tables.
        ident: the batch.
        after: the place behind which they stand; -1 for the beginning.
        size: bytes after which no further line is added.
    """
    rows = connection.execute(
        "SELECT requests.number, outcome FROM requests JOIN batches ON batch = batches.number"
        " WHERE id = ? AND requests.number > ? AND outcome IS NOT NULL ORDER BY requests.number",
        (ident, after),
    )
    found, last = list[bytes](), after
    for row in rows:
        found.append(row["outcome"])
        last = row["number"]
        size -= len(row["outcome"])
        if size <= 0:
            break
    return found, last


def batch_object(row: sqlite3.Row) -> dict[str, Any]:
    """Say of a batch what OpenAI's API says; `archived_at` and the count of `unrun` requests are ours."""
    status, counts = row["status"], {name: row[name] for name in ("total", "completed", "failed")}
    told = {name: row[name] for name in ("id", "status", "created_at", "expires_at", "cancelling_at", "archived_at")}
    ends = {f"{status}_at": row["ended_at"]} if status in _ENDS else {}
    return {
        "object": "batch",
        **told,
        **ends,
        "input_file_id": row["input"],
        "output_file_id": f"output-{row['id']}",
        "metadata": json.loads(row["metadata"]),
        "request_counts": {**counts, "unrun": counts["total"] - counts["completed"] - counts["failed"]},
    }


def _end_of(row: sqlite3.Row, now: int) -> str | None:
    if row["completed"] + row["failed"] == row["total"]:
        return "completed" if row["status"] == "in_progress" else "cancelled"
    if row["status"] == "cancelling":
        return "cancelled"
    return "expired" if row["expires_at"] <= now else None


def _row(connection: sqlite3.Connection, ident: str) -> sqlite3.Row:
    row: sqlite3.Row = connection.execute("SELECT * FROM batches WHERE id = ?", (ident,)).fetchone()
    return row


def _places(batch: int, lengths: Iterable[int]) -> Iterator[tuple[int, int, int, int]]:
    start = 0
    for number, length in enumerate(lengths):
        yield batch, number, start, length
        start += length


def _chunks(rows: Iterator[tuple[int, int, int, int]]) -> Iterator[list[tuple[int, int, int, int]]]:
    chunk = list[tuple[int, int, int, int]]()
    for row in rows:
        chunk.append(row)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
