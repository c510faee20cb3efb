"""`/v1/messages/batches` and `/v1/messages/batches/{id}`: how batches stand, their list, and their ends."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import parse_qs, unquote

import attrs

from pipeline.endpoints.batches.orphans import Orphans
from pipeline.endpoints.batches.upstream_batch import (
    BatchNote,
    client_batch_id,
    ended,
    message_batch,
    upstream_batch_id,
)
from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.owners import Owner
from pipeline.endpoints.paging import Window, wrong
from pipeline.storage.store import Store
from pipeline.telemetry import names
from stages.canonical.failure import Failure, Kind

BATCHES = "/v1/messages/batches"
"""The path of all batches."""

NO_BATCHES = Failure(Kind.NOT_FOUND, "The upstream of this server runs no batches.")
"""What a client is told where the upstream has no Batch API, and this machine must not stand in."""

POLL_AFTER = b"10"
"""Seconds after which it is worth to ask again, as Anthropic's API says."""

_PAGE = 100
_REFUSED = (Kind.CONFLICT, Kind.INVALID_REQUEST)  # what an upstream says of a batch that has ended meanwhile
_ID = re.compile(r"msgbatch_[A-Za-z0-9_-]+\Z")  # of whatever else nobody need be asked, least of all by a path


@attrs.frozen
class Found:
    """A batch: where it is, its parts, of which the first stands for the whole, and what its metadata says."""

    store: Store
    parts: tuple[Mapping[str, Any], ...]
    note: BatchNote


async def retrieve_batch(context: Context, exchange: Exchange) -> Failure | None:
    """Say how a batch stands; waits for the store, once for each part."""
    found = await stored_batch(context, exchange, batch_id_of(exchange))
    if isinstance(found, Failure):
        return found
    if not ended(found.parts):
        exchange.answer_headers.append((b"retry-after", POLL_AFTER))
    return await exchange.tell(_told(context, exchange, found))


async def cancel(context: Context, exchange: Exchange) -> Failure | None:
    """End a batch before its time; waits for the upstream. What has ended already stays as it is."""
    ident = batch_id_of(exchange, "/cancel")
    found = await stored_batch(context, exchange, ident)
    if isinstance(found, Failure):
        return found
    parts = list[Mapping[str, Any]]()
    for part in found.parts:
        told = await _cancelled(found.store, part)
        if isinstance(told, Failure):
            return told
        parts.append(told)
    context.log.info(names.BATCH, request_id=exchange.request_id, call="cancel", batch=ident)
    return await exchange.tell(_told(context, exchange, Found(found.store, tuple(parts), found.note)))


async def _cancelled(store: Store, part: Mapping[str, Any]) -> Mapping[str, Any] | Failure:
    """Have a part end, once: one that ends already is left alone, also if it has just begun to."""
    if not _goes_on(part):
        return part
    told = await store.cancel_batch(part["id"])
    if isinstance(told, Failure) and told.kind in _REFUSED:
        now = await store.batch(part["id"])
        return told if isinstance(now, Failure) or _goes_on(now) else now
    return told


def _goes_on(part: Mapping[str, Any]) -> bool:
    return part.get("status") != "cancelling" and not ended([part])


async def delete_batch(context: Context, exchange: Exchange) -> Failure | None:
    """Delete a batch that has ended, as far as its store can; an upstream keeps the batch without its files.

    Waits for the store. The manifest goes last, so that a deletion which broke off can be repeated.
    """
    ident = batch_id_of(exchange)
    found = await stored_batch(context, exchange, ident)
    if isinstance(found, Failure):
        return found
    if not ended(found.parts):
        return Failure(Kind.INVALID_REQUEST, f"Batch {ident} cannot be deleted before it has ended; cancel it first")
    for part in found.parts[::-1]:  # the one that stands for the whole goes last
        if (failure := await found.store.delete_batch(part)) is not None:
            return failure
    told = await found.store.delete(found.note.manifest)
    if isinstance(told, Failure) and told.kind is not Kind.NOT_FOUND:
        return told
    context.log.info(names.BATCH, request_id=exchange.request_id, call="delete", batch=ident)
    return await exchange.tell({"id": ident, "type": "message_batch_deleted"})


async def list_batches(context: Context, exchange: Exchange) -> Failure | None:
    """Answer one page, newest first; waits for the upstream, page after page, until there are enough."""
    store = context.batches
    if store is None:
        return NO_BATCHES
    window = Window.of(parse_qs(exchange.query.decode("latin-1")))
    if isinstance(window, Failure):
        return window
    found, cursor = list[Mapping[str, Any]](), window.after or window.before
    reached = cursor is None
    orphans = Orphans()
    async with aclosing(_own(store, Owner.of(context.settings, exchange.key).mark, orphans)) as batches:
        async for batch in batches:
            if isinstance(batch, Failure):
                return batch
            if cursor is not None and client_batch_id(batch["id"]) == cursor:
                reached = True
                if window.before:
                    break
                continue
            if reached or window.before:
                found.append(batch)
            if len(found) > window.limit and not window.before:
                break
    await orphans.take_back(store)
    if not reached:
        return wrong(f"{window.cursor}: no batch has this id")
    more = len(found) > window.limit
    shown = found[-window.limit :] if window.before else found[: window.limit]
    told = [_told(context, exchange, await _whole(store, one)) for one in shown]
    return await exchange.tell(window.page(told, more=more))


async def stored_batch(context: Context, exchange: Exchange, ident: str) -> Found | Failure:
    """Find a batch of whoever asks, with all its parts; waits for the upstream."""
    store = context.batches
    if store is None:
        return NO_BATCHES
    if not _ID.match(ident):
        return no_such_batch(ident)
    main = await store.batch(upstream_batch_id(ident))
    if isinstance(main, Failure):
        return no_such_batch(ident) if main.kind is Kind.NOT_FOUND else main
    note = BatchNote.of(main)
    if note is None or not note.total or note.owner != Owner.of(context.settings, exchange.key).mark:
        return no_such_batch(ident)
    return await _with_parts(store, main, note)


def no_such_batch(ident: str) -> Failure:
    """Say that there is no such batch, whoever it may belong to."""
    return Failure(Kind.NOT_FOUND, f"Batch not found: {ident}")


def batch_id_of(exchange: Exchange, call: str = "") -> str:
    """The id in the path, in front of the name of a call."""
    return unquote(exchange.path.removeprefix(f"{BATCHES}/").removesuffix(call))


def results_address(context: Context, exchange: Exchange, ident: str) -> str:
    """Where a client finds the results: at the address that is set, or at the one it has used itself."""
    host = exchange.headers.get("host", "localhost")
    base = context.settings.public_url.rstrip("/") or f"{exchange.scheme}://{host}"
    return f"{base}{BATCHES}/{ident}/results"


async def _with_parts(store: Store, main: Mapping[str, Any], note: BatchNote) -> Found | Failure:
    parts = [main]
    for ident in note.parts:
        part = await store.batch(ident)
        if isinstance(part, Failure):
            return part
        parts.append(part)
    return Found(store, tuple(parts), note)


async def _whole(store: Store, main: Mapping[str, Any]) -> Found:
    """A batch of a list; a part that cannot be asked for counts as running."""
    note = BatchNote.of(main) or BatchNote("", 0, "")
    found = await _with_parts(store, main, note)
    return Found(store, (main, {"id": "", "status": "in_progress"}), note) if isinstance(found, Failure) else found


def _told(context: Context, exchange: Exchange, found: Found) -> dict[str, Any]:
    address = results_address(context, exchange, client_batch_id(found.parts[0]["id"]))
    return message_batch(found.parts, found.note, address)


async def _own(store: Store, mark: str, orphans: Orphans) -> AsyncGenerator[Mapping[str, Any] | Failure, None]:
    """Yield the batches of whoever asks, newest first; waits for each page, and yields the failure that ends it."""
    after, more = dict[str, str](), True
    while more:
        page = await store.batches({"limit": str(_PAGE), **after})
        if isinstance(page, Failure):
            yield page
            return
        for batch in page["data"]:
            orphans.see(batch)
            note = BatchNote.of(batch)
            if note is not None and note.total and note.owner == mark:
                yield batch
        more = bool(page.get("has_more")) and bool(page["data"])
        after = {"after": page["data"][-1]["id"]} if page["data"] else {}
