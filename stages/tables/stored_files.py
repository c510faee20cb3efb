"""Files that are kept: names as Anthropic takes them, names as they are stored upstream, and what is said of a file.

The upstream knows no media type and no owner of a file, only its name.  So what would be lost goes into that: whose it
is in front, where clients have keys of their own (`3f…~report.pdf`), and an ending that tells the type behind, where
the name's own tells another (`notes~.txt`).

Source: `docs/facts/files-and-batches.md`.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from stages.tables.media_types import ENDINGS

UNKNOWN_TYPE = "application/octet-stream"
"""The media type of a file whose name tells none."""

MAX_NAME = 255
"""Characters of a file's name."""

EXPIRES_AFTER = (3_600, 7_776_000)
"""Seconds after which a client may let a file expire: an hour to ninety days."""

UPSTREAM_EXPIRES_AFTER = 2_592_000
"""The same upstream at most: thirty days."""

MARK_LENGTH = 16
"""Hexadecimal characters of the mark of an owner."""

OUT_OF_SPACE = "storage_quota_exceeded"
"""The `error_code` of an upload for which there is no space left."""

_FULL = r"(?:quota|limit|capacity|full|exceed\w*|reached)\b"
_MANY = r"\b(?:number|count|too many|maximum)\b"
is_out_of_space = re.compile(
    rf"\bstorage\b.{{0,40}}\b{_FULL}|\b(?:{_FULL}|insufficient|out of|no).{{0,40}}\bstorage\b|\bdisk quota\b"
    rf"|{_MANY}.{{0,40}}\bfiles\b.{{0,60}}\b{_FULL}|\bexceed\w*.{{0,40}}{_MANY}.{{0,20}}\bfiles\b",
    re.IGNORECASE | re.DOTALL,
).search
"""Finds in the sentence that refuses an upload that the account has no space left, or no place for another file."""

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][\w.+!#$&^-]{0,126}/[A-Za-z0-9][\w.+!#$&^-]{0,126}\Z", re.ASCII)
_FORBIDDEN = re.compile(r'[<>:"|?*/\x00-\x1f\x7f]')
_TYPES = {ending: kind for kind, ending in reversed(ENDINGS.items())} | {"jpeg": "image/jpeg", "htm": "text/html"}
_OWNED = re.compile(rf"([0-9a-f]{{{MARK_LENGTH}}})~(.*)\Z", re.DOTALL)
_TYPED = re.compile(r"(.*)~(\.[A-Za-z0-9]+)\Z", re.DOTALL)


@attrs.frozen
class StoredName:
    """What the name of a stored file says.

    Attributes:
        filename: the client's name of it.
        media_type: what it is.
        mark: whose it is; empty where nobody owns anything.
    """

    filename: str = attrs.field(repr=False)
    media_type: str
    mark: str = ""

    def written(self) -> str:
        """The name under which it is stored; `read_name` undoes it."""
        name = self.filename
        if type_of(name) != self.media_type or _TYPED.match(name):
            name = f"{name}~{_ending(self.media_type)}"
        return f"{self.mark}~{name}" if self.mark else name


def read_name(stored: str, *, owned: bool) -> StoredName:
    """Read the name of a stored file.

    Args:
        stored: the name upstream.
        owned: whether files have owners; else what looks like a mark is part of the name.
    """
    found = _OWNED.match(stored) if owned else None
    mark, name = (found[1], found[2]) if found else ("", stored)
    typed = _TYPED.match(name)
    return StoredName(typed[1], type_of(typed[2]), mark) if typed else StoredName(name, type_of(name), mark)


def media_type_of(given: str) -> str:
    """The media type that a client says; empty for what is none."""
    return given.lower() if _MEDIA_TYPE.match(given) else ""


def type_of(name: str) -> str:
    """The media type that a name's ending tells."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    return _TYPES.get(ending) or mimetypes.types_map.get(f".{ending}", UNKNOWN_TYPE)


def _ending(media_type: str) -> str:
    """The ending that tells a type; one that tells nothing for a type without."""
    known = ENDINGS.get(media_type)
    return f".{known}" if known else (mimetypes.guess_extension(media_type) or ".bin")


def plain_name(given: str, media_type: str) -> str:
    """Keep the last component of a name; one that is absent says what the file is."""
    name = re.split(r"[/\\]", given)[-1]
    name = "" if name in (".", "..") else name  # they name folders
    return name or "unnamed" + ("" if media_type == UNKNOWN_TYPE else _ending(media_type))


def name_complaint(name: str) -> str | None:
    """Say what is wrong with a name, in words for a client; None when nothing is."""
    if len(name) > MAX_NAME:
        return f"file: filename must be between 1 and {MAX_NAME} characters"
    return "file: filename contains forbidden characters" if _FORBIDDEN.search(name) else None


def expiry_complaint(given: str, longest: int = UPSTREAM_EXPIRES_AFTER) -> str | None:
    """Say what is wrong with `expires_in_seconds`; None when it can be had.

    Args:
        given: what the client said.
        longest: seconds that whoever keeps the file keeps it at most.
    """
    least, most = EXPIRES_AFTER
    if not re.fullmatch(r"[0-9]{1,9}", given):
        return "expires_in_seconds: Input should be a valid integer, unable to parse string as an integer"
    seconds = int(given)
    if seconds < least:
        return f"expires_in_seconds: Input should be greater than or equal to {least}"
    if seconds > most:
        return f"expires_in_seconds: Input should be less than or equal to {most}"
    if seconds > longest:
        days = longest // 86_400
        return f"expires_in_seconds: this upstream keeps files for {longest} seconds ({days} days) at most"
    return None


def metadata(ident: str, name: StoredName, told: Mapping[str, Any]) -> dict[str, Any]:
    """Say of a file what Anthropic says: what was uploaded for a model can never be downloaded.

    Args:
        ident: the client's id of it.
        name: what its stored name says.
        told: the upstream's file object.
    """
    expires = told.get("expires_at")
    return {
        "type": "file",
        "id": ident,
        "filename": name.filename,
        "mime_type": name.media_type,
        "size_bytes": int(told.get("bytes") or 0),
        "created_at": moment(told.get("created_at")),
        "downloadable": False,
        "expires_at": None if expires is None else moment(expires),
    }


def moment(seconds: Any) -> str:
    """A time as Anthropic writes it, from seconds since 1970; the epoch where nobody told."""
    at = seconds if isinstance(seconds, int | float) else 0
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
