"""The Files API of the emulator: uploads that are kept in memory, under the rules and in the words of the real one.

Source: `docs/facts/files-and-batches.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

from pipeline.emulator.faults import Fault, invalid
from pipeline.emulator.form import FormPart
from pipeline.emulator.ids import letters

PURPOSES = ("fine-tune", "assistants", "batch", "user_data", "vision", "evals")
"""What an upload may be for."""

EPOCH = 1_795_000_000
"""The second since 1970 in which the emulator's first thing is made; each later one is made a second later."""

EXPIRY_SPAN = (3_600, 2_592_000)
"""Seconds after which a file may expire: an hour to thirty days."""

MAX_FILES_PAGE = 10_000
"""Files on one page of the list."""

_LASTING: dict[str, int | None] = {"batch": 2_592_000, "batch_output": 2_592_000}
_DOWNLOADABLE = ("batch", "batch_output", "fine-tune", "evals")


@frozen
class StoredFile:
    """One file: its bytes, and what the API says of it."""

    id: str
    data: bytes = field(repr=False)
    filename: str = field(repr=False)
    purpose: str
    created_at: int
    expires_at: int | None = None

    @property
    def told(self) -> dict[str, Any]:
        """The file object."""
        return {
            "object": "file",
            "id": self.id,
            "purpose": self.purpose,
            "filename": self.filename,
            "bytes": len(self.data),
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "status": "processed",
            "status_details": None,
        }


@define
class FileStore:
    """The files of one account, oldest first.

    Attributes:
        quota: bytes that all of them may have together.
        lasting: seconds that files of a purpose are kept unless asked otherwise; others stay.
    """

    quota: int = 5 * 2**39
    lasting: dict[str, int | None] = field(factory=_LASTING.copy)
    _files: dict[str, StoredFile] = field(factory=dict)
    _made: int = 0

    def keep(self, data: bytes, filename: str, purpose: str, lasts: int | None = None) -> StoredFile:
        """Keep bytes under a new id."""
        self._made += 1
        ident = "file-" + letters(str(self._made).encode(), "file", 22)
        created = EPOCH + self._made
        lasts = lasts or self.lasting.get(purpose)
        kept = StoredFile(ident, data, filename, purpose, created, None if lasts is None else created + lasts)
        self._files[ident] = kept
        return kept

    def upload(self, form: Mapping[str, FormPart]) -> StoredFile | Fault:
        """Answer `POST /files`; `purpose` and `expires_after` must come before the file."""
        part, purpose = form.get("file"), form.get("purpose")
        if part is None or part.filename is None:
            return invalid("'file' is a required property", None)
        if purpose is None or list(form).index("purpose") > list(form).index("file"):
            return invalid("'purpose' is a required property", None)
        name = purpose.data.decode("utf-8", "replace")
        if name not in PURPOSES:
            return invalid(f"'{name}' is not one of {list(PURPOSES)} - 'purpose'", "purpose")
        if sum(len(kept.data) for kept in self._files.values()) + len(part.data) > self.quota:
            return invalid("You have exceeded your file storage quota. Please delete old files to free up space.", None)
        lasts = _lasting(form)
        return lasts if isinstance(lasts, Fault) else self.keep(part.data, part.filename, name, lasts)

    def find(self, ident: str) -> StoredFile | Fault:
        """Find a file by its id."""
        return self._files.get(ident) or Fault(404, f"No such File object: {ident}", param="id")

    def content(self, ident: str) -> bytes | Fault:
        """Answer `GET /files/{id}/content`: what was uploaded for a model to read never comes back."""
        found = self.find(ident)
        if isinstance(found, Fault):
            return found
        if found.purpose not in _DOWNLOADABLE:
            return invalid(f"Not allowed to download files of purpose: {found.purpose}", None)
        return found.data

    def delete(self, ident: str) -> dict[str, Any] | Fault:
        """Answer `DELETE /files/{id}`."""
        found = self.find(ident)
        if isinstance(found, Fault):
            return found
        del self._files[ident]
        return {"object": "file", "deleted": True, "id": ident}

    def page(self, query: Mapping[str, str]) -> dict[str, Any] | Fault:
        """Answer `GET /files`: `limit`, `order`, `after` and `purpose`, newest first."""
        found = [kept for kept in self._files.values() if query.get("purpose") in (None, kept.purpose)]
        if query.get("order", "desc") == "desc":
            found.reverse()
        return page_of([kept.told for kept in found], query, MAX_FILES_PAGE)


def page_of(told: list[dict[str, Any]], query: Mapping[str, str], most: int) -> dict[str, Any] | Fault:
    """Cut one page out of a list: `limit` things after the one with the id `after`."""
    limit = int(query.get("limit", most))
    if not 1 <= limit <= most:
        return invalid(f"Invalid 'limit': integer above maximum value. Expected a value <= {most}.", "limit")
    ids = [one["id"] for one in told]
    after = query.get("after")
    if after is not None and after not in ids:
        return invalid(f"No such object: {after}", "after")
    begin = 0 if after is None else ids.index(after) + 1
    data = told[begin : begin + limit]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return {"object": "list", "data": data, "has_more": begin + limit < len(told), **ends}


def lasting_of(told: Any, name: str) -> int | Fault:
    """Read the seconds of an `expires_after`, or of another object of its form.

    Args:
        told: the object.
        name: what it is called in the request.
    """
    seconds = told.get("seconds") if isinstance(told, dict) else None
    if not isinstance(seconds, int) or told.get("anchor") != "created_at":
        return invalid(f"Invalid '{name}'.", name)
    least, most = EXPIRY_SPAN
    if not least <= seconds <= most:
        return invalid(f"Invalid '{name}.seconds': expected {least} to {most}, got {seconds}.", name)
    return seconds


def _lasting(form: Mapping[str, FormPart]) -> int | Fault | None:
    parts = {name: form.get(f"expires_after[{name}]") for name in ("anchor", "seconds")}
    told: dict[str, Any] = {name: part.data.decode("latin-1") for name, part in parts.items() if part is not None}
    if told.get("seconds", "").isdecimal():
        told |= {"seconds": int(told["seconds"])}
    return lasting_of(told, "expires_after") if told else None
