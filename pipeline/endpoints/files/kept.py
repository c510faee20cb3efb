"""`/v1/files/{id}`: what is known about one file, its content, and its end; only its owner's calls find it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.files.made_by_code import delete_made, find_made
from pipeline.endpoints.files.upload import NO_FILES
from pipeline.endpoints.owners import Owner
from pipeline.upstream.stored import UpstreamStore
from stages.canonical.failure import Failure, Kind
from stages.tables.identifiers import CodeFile, upstream_file_id
from stages.tables.stored_files import metadata, read_name

FILES = "/v1/files/"
"""What stands before the id of a file in a path."""

NOT_DOWNLOADABLE = "file_not_downloadable"
"""The `error_code` for a file that was uploaded and not made by a tool."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")  # of whatever else nobody need be asked, least of all by a path


async def retrieve_file(context: Context, exchange: Exchange) -> Failure | None:
    """Say what is known about a file; waits for the upstream."""
    found = await stored_file(context, exchange, file_id_of(exchange))
    return await exchange.tell(found)


async def content(context: Context, exchange: Exchange) -> Failure | None:
    """Send a file that code has made, as it comes; refuse one that was uploaded, as Anthropic does.

    Waits for the upstream and the client. What fails in the middle cuts the answer off, which every client notices.
    """
    ident = file_id_of(exchange).removesuffix("/content")
    found = await stored_file(context, exchange, ident)
    if isinstance(found, Failure):
        return found
    made = _made_by_code(context, exchange, ident)
    if made is None:
        message = f"File {ident} is not downloadable: only files that a tool has made can be downloaded"
        return Failure(Kind.INVALID_REQUEST, message, error_code=NOT_DOWNLOADABLE)
    answer = await UpstreamStore(context.upstream).container_content(made)
    if isinstance(answer, Failure):
        return _in_own_words(answer, ident)
    async with answer:
        await exchange.begin_download(quote(found["filename"]), found["mime_type"])
        async for chunk in answer:
            if isinstance(chunk, Failure):
                return None
            await exchange.write(chunk)
        await exchange.end_stream()
    return None


async def delete_file(context: Context, exchange: Exchange) -> Failure | None:
    """Delete a file; waits for the upstream, twice: whose it is has to be known first."""
    ident = file_id_of(exchange)
    found = await stored_file(context, exchange, ident)
    if not isinstance(found, Failure):
        found = await _deleted(context, exchange, ident)
    return await exchange.tell(found)


async def stored_file(context: Context, exchange: Exchange, ident: str) -> dict[str, Any] | Failure:
    """Find what is known about a file of whoever asks; waits for the upstream.

    Args:
        context: what the request is served with.
        exchange: the request.
        ident: the client's id of the file.
    """
    owner = Owner.of(context.settings, exchange.headers)
    opened = owner.opened(ident)
    if not opened or not _ID.match(opened):
        return no_such_file(ident)
    if (made := CodeFile.of(opened)) is not None:
        return await find_made(context, made, ident)
    store = context.files
    if store is None:
        return NO_FILES
    told = await store.file(upstream_file_id(opened))
    if isinstance(told, Failure):
        return _in_own_words(told, ident)
    name = read_name(str(told.get("filename")), owned=bool(owner.mark))
    if told.get("purpose") != context.target.profile.file_purpose or name.mark != owner.mark:
        return no_such_file(ident)
    return metadata(ident, name, told)


def file_id_of(exchange: Exchange) -> str:
    """What stands behind `/v1/files/` in the path."""
    return unquote(exchange.path.removeprefix(FILES))


def no_such_file(ident: str) -> Failure:
    """Say that there is no such file, whoever it may belong to."""
    return Failure(Kind.NOT_FOUND, f"File not found: {ident}")


def _made_by_code(context: Context, exchange: Exchange, ident: str) -> CodeFile | None:
    return CodeFile.of(Owner.of(context.settings, exchange.headers).opened(ident) or "")


async def _deleted(context: Context, exchange: Exchange, ident: str) -> dict[str, Any] | Failure:
    """Delete a file that was found to be the client's."""
    opened, store = Owner.of(context.settings, exchange.headers).opened(ident) or "", context.files
    if (made := CodeFile.of(opened)) is not None:
        return await delete_made(context, made, ident)
    told = NO_FILES if store is None else await store.delete(upstream_file_id(opened))
    return _in_own_words(told, ident) if isinstance(told, Failure) else {"id": ident, "type": "file_deleted"}


def _in_own_words(failure: Failure, ident: str) -> Failure:
    """Say of a file that is not there what the client calls it, not what the upstream does."""
    return no_such_file(ident) if failure.kind is Kind.NOT_FOUND else failure
