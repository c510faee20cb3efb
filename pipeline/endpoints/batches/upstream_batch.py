"""What an upstream batch says, and what Anthropic says of the batch that it is a part of.

Each of the upstream's statuses has its row here. Source: `docs/facts/files-and-batches.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from stages.tables.stored_files import moment

RUNNING = {
    "validating": "in_progress",
    "in_progress": "in_progress",
    "finalizing": "in_progress",
    "cancelling": "canceling",
}
"""Anthropic's status for each of the upstream's that is not the last."""

UNDONE = {"completed": "errored", "failed": "errored", "expired": "expired", "cancelled": "canceled"}
"""The last statuses, and what becomes of requests that have no answer then."""

OURS = "dragoman"
"""Is in the metadata of every batch that was made here; its value is the form of the rest."""

BATCH_LIFETIME = 86_400
"""Seconds after which a batch expires, wherever it runs."""

_PREFIX, _UPSTREAM_PREFIX = "msgbatch_", "batch_"
_ENDS = ("completed_at", "failed_at", "expired_at", "cancelled_at")
_MOST_IN_A_FIELD = 10  # ids of 50 characters; a value of metadata has 512


@attrs.frozen
class BatchNote:
    """What the metadata of a batch says.

    Attributes:
        owner: the mark of whose it is.
        lines: how many lines this part has.
        total: requests of the whole; 0 in a part that does not stand for it.
        ready: of these, how many have their result in the manifest.
        manifest: the file that says how answers are read.
        parts: the other parts, by their upstream ids.
        group: the same for all parts.
    """

    owner: str
    lines: int
    group: str
    total: int = 0
    ready: int = 0
    manifest: str = ""
    parts: tuple[str, ...] = ()

    def written(self) -> dict[str, str]:
        """As metadata."""
        told = {OURS: "1", "owner": self.owner, "group": self.group, "lines": str(self.lines)}
        if self.total:
            told |= {"total": str(self.total), "ready": str(self.ready), "manifest": self.manifest}
        for at in range(0, len(self.parts), _MOST_IN_A_FIELD):
            told[f"parts{at // _MOST_IN_A_FIELD}"] = ",".join(self.parts[at : at + _MOST_IN_A_FIELD])
        return told

    @classmethod
    def of(cls, batch: Mapping[str, Any]) -> BatchNote | None:
        """Read it; None for a batch that somebody else made."""
        told = batch.get("metadata") or {}
        numbers = [str(told.get(name, "0")) for name in ("lines", "total", "ready")]
        if OURS not in told or not all(map(str.isdecimal, numbers)):
            return None
        lines, total, ready = map(int, numbers)
        fields = (told[name] for name in sorted(told) if name.startswith("parts"))
        parts = tuple(part for field in fields for part in field.split(",") if part)
        owner, group, manifest = (str(told.get(name, "")) for name in ("owner", "group", "manifest"))
        return cls(owner, lines, group, total, ready, manifest, parts)


MAX_PARTS = 9 * _MOST_IN_A_FIELD
"""Parts that a batch may have, so that its metadata can name them."""


def client_batch_id(upstream: str) -> str:
    """Give an upstream's id of a batch the client's form; `upstream_batch_id` undoes it."""
    return _PREFIX + upstream.removeprefix(_UPSTREAM_PREFIX)


def upstream_batch_id(client: str) -> str:
    """Give a client's id of a batch the upstream's form."""
    return _UPSTREAM_PREFIX + client.removeprefix(_PREFIX)


def ended(parts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every part has ended."""
    return all(part.get("status") in UNDONE for part in parts)


def message_batch(parts: Sequence[Mapping[str, Any]], note: BatchNote, address: str) -> dict[str, Any]:
    """Say of a batch what Anthropic says.

    Args:
        parts: the upstream's batches that it is made of; the first stands for the whole.
        note: what its metadata says.
        address: where its results are.
    """
    main, over = parts[0], ended(parts)
    cancelled = [part["cancelling_at"] for part in parts if part.get("cancelling_at")]
    last = max((part[name] for part in parts for name in _ENDS if part.get(name)), default=None)
    running = {RUNNING.get(str(part.get("status")), "in_progress") for part in parts}
    status = "ended" if over else "canceling" if "canceling" in running or cancelled else "in_progress"
    created = main.get("created_at") or 0
    return {
        "id": client_batch_id(main["id"]),
        "type": "message_batch",
        "processing_status": status,
        "request_counts": _counts(parts, note) if over else _none_of(note.total),
        "ended_at": moment(last or created) if over else None,
        "created_at": moment(created),
        "expires_at": moment(created + BATCH_LIFETIME),
        "archived_at": moment(main["archived_at"]) if main.get("archived_at") else None,
        "cancel_initiated_at": moment(min(cancelled)) if cancelled else None,
        "results_url": address if over and not main.get("archived_at") else None,
    }


def _none_of(total: int) -> dict[str, int]:
    return {"processing": total, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}


def _counts(parts: Sequence[Mapping[str, Any]], note: BatchNote) -> dict[str, int]:
    """Count by what the store counts; an upstream says nothing of `unrun` ones, so the results may know better."""
    counts = {**_none_of(0), "errored": note.ready}
    for part in parts:
        part_note = BatchNote.of(part)
        lines = part_note.lines if part_note else 0
        told = part.get("request_counts") or {}
        done = min(int(told.get("completed") or 0), lines)
        unrun = int(told.get("unrun", lines - done))
        counts["succeeded"] += done
        counts["errored"] += lines - done - unrun
        counts[UNDONE[str(part["status"])]] += unrun
    return counts
