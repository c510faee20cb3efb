"""Files that code has made upstream: they lie in the container that it ran in, and are gone with it.

Their ids name both, so nothing has to be remembered here.  They are in no list: the upstream lists the files of one
container, and does not know whose that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.endpoints.context import Context
from pipeline.upstream.stored import UpstreamStore
from stages.canonical.failure import Failure, Kind
from stages.tables.identifiers import CodeFile
from stages.tables.stored_files import moment, type_of

FILE_EXPIRED = "file_expired"
"""The `error_code` for a file whose container is gone."""

_GONE = (Kind.NOT_FOUND, Kind.INVALID_REQUEST)  # it says of an expired container that the request is wrong
_ALIVE = ("running", "active")


async def find_made(context: Context, made: CodeFile, ident: str) -> dict[str, Any] | Failure:
    """Say what is known about a file; waits for the upstream, twice: how long it stays, its container knows.

    Args:
        context: what the request is served with.
        made: the file.
        ident: the client's id of it.
    """
    store = UpstreamStore(context.upstream)
    container = await store.container(made.container)
    if isinstance(container, Failure):
        return _expired(ident) if container.kind in _GONE else container
    if container.get("status", "running") not in _ALIVE:
        return _expired(ident)
    told = await store.container_file(made)
    return _in_own_words(told, ident) if isinstance(told, Failure) else _metadata(ident, told, container)


async def delete_made(context: Context, made: CodeFile, ident: str) -> dict[str, Any] | Failure:
    """Delete a file; waits for the upstream."""
    told = await UpstreamStore(context.upstream).delete_container_file(made)
    return _in_own_words(told, ident) if isinstance(told, Failure) else {"id": ident, "type": "file_deleted"}


def _metadata(ident: str, told: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, Any]:
    name = str(told.get("path") or "unnamed").rpartition("/")[2]
    return {
        "type": "file",
        "id": ident,
        "filename": name,
        "mime_type": type_of(name),
        "size_bytes": int(told.get("bytes") or 0),
        "created_at": moment(told.get("created_at")),
        "downloadable": True,
        "expires_at": _end_of(container),
    }


def _end_of(container: Mapping[str, Any]) -> str | None:
    """When a container dies if nobody uses it any more."""
    after, last = container.get("expires_after"), container.get("last_active_at")
    minutes = after.get("minutes") if isinstance(after, dict) else None
    known = isinstance(last, int) and isinstance(minutes, int)
    return moment((last or 0) + (minutes or 0) * 60) if known else None


def _expired(ident: str) -> Failure:
    message = f"File {ident} has expired: the container in which code has made it is gone"
    return Failure(Kind.NOT_FOUND, message, error_code=FILE_EXPIRED)


def _in_own_words(failure: Failure, ident: str) -> Failure:
    return Failure(Kind.NOT_FOUND, f"File not found: {ident}") if failure.kind is Kind.NOT_FOUND else failure
