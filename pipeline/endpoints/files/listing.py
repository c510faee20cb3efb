"""`GET /v1/files`: a page of files, newest first, in either of the two shapes that Anthropic's API has had.

Today's page has `next_page`, or is the files of `ids`. With the beta `files-api-2025-04-14`, or one of its cursors,
it has `has_more` and the ids at its ends.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import parse_qs

import attrs
import trio

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.files.kept import stored_file
from pipeline.endpoints.files.upload import NO_FILES
from pipeline.endpoints.owners import Owner
from pipeline.endpoints.paging import Window, wrong
from pipeline.storage.store import Store
from stages.canonical.failure import Failure, Kind
from stages.tables.identifiers import client_file_id, upstream_file_id
from stages.tables.stored_files import metadata, read_name

OLD_SHAPES = "files-api-2025-04-14"
"""The beta that asks for the list's old shape."""

MAX_IDS = 100
"""Ids that may be asked for at once."""

AT_ONCE = 4
"""Of these, how many the upstream is asked for at the same time."""

_PAGE = "page_"
_NOWHERE = (Kind.NOT_FOUND, Kind.INVALID_REQUEST)  # what an upstream says of a place in its list that it does not know
_PLACES = ("limit", "page", "after_id", "before_id")
_READ_AHEAD = 100
Query = Mapping[str, list[str]]
"""The values of a query by name."""


async def list_files(context: Context, exchange: Exchange) -> Failure | None:
    """Answer one page; waits for the upstream, as often as it takes to fill the page with the client's own files."""
    query = parse_qs(exchange.query.decode("latin-1"))
    betas = exchange.headers.get("anthropic-beta", "")
    old = OLD_SHAPES in betas or bool({"after_id", "before_id"} & query.keys())
    if context.files is None:
        page: dict[str, Any] | Failure = NO_FILES
    elif query.get("scope_id"):
        page = _of_a_scope(query, old=old)
    elif ids := [one for name in ("ids", "ids[]") for told in query.get(name, ()) for one in told.split(",")]:
        page = await _by_ids(context, exchange, ids, query)
    elif old:
        page = await _old_page(context, exchange, query)
    else:
        page = await _page(context, exchange, query)
    return await exchange.tell(page)


def _of_a_scope(query: Query, *, old: bool) -> dict[str, Any] | Failure:
    """The files of one session of an agent: none, since no file here belongs to any."""
    window = Window.of(query)
    if isinstance(window, Failure):
        return window
    return window.page([], more=False) if old else {"data": [], "next_page": None}


async def _by_ids(context: Context, exchange: Exchange, ids: list[str], query: Query) -> dict[str, Any] | Failure:
    """The files of these ids, in their order; those that are not there are left out."""
    wanted = list(dict.fromkeys(ids))
    if (other := next((name for name in _PLACES if name in query), None)) is not None:
        return wrong(f"ids: cannot be given together with {other}")
    if len(wanted) > MAX_IDS:
        return wrong(f"ids: at most {MAX_IDS} ids can be given")
    found: dict[str, dict[str, Any] | Failure] = {}
    places = trio.CapacityLimiter(AT_ONCE)

    async def look(ident: str) -> None:
        async with places:
            found[ident] = await stored_file(context, exchange, ident)

    async with trio.open_nursery() as nursery:
        for ident in wanted:
            nursery.start_soon(look, ident)
    told = [found[ident] for ident in wanted]
    bad = next((one for one in told if isinstance(one, Failure) and one.kind is not Kind.NOT_FOUND), None)
    return bad or {"data": [one for one in told if not isinstance(one, Failure)], "next_page": None}


async def _page(context: Context, exchange: Exchange, query: Query) -> dict[str, Any] | Failure:
    window = Window.of(query)
    if isinstance(window, Failure):
        return window
    token = query.get("page", [""])[-1]
    after = _place(token)
    if after is None:
        return wrong("page: no such page")
    found = await _gather(context, exchange, _Walk(after), window.limit)
    if isinstance(found, Failure):
        return wrong("page: no such page") if after and found.kind in _NOWHERE else found
    data, more = found
    owner = Owner.of(context.settings, exchange.key)
    last = upstream_file_id(owner.opened(data[-1]["id"]) or "") if more else ""
    return {"data": data, "next_page": _token(last) if more else None}


async def _old_page(context: Context, exchange: Exchange, query: Query) -> dict[str, Any] | Failure:
    window = Window.of(query)
    if isinstance(window, Failure):
        return window
    owner, cursor = Owner.of(context.settings, exchange.key), window.after or window.before
    opened, nowhere = owner.opened(cursor) if cursor else "", wrong(f"{window.cursor}: no file has this id")
    if opened is None:
        return nowhere
    walk = _Walk(upstream_file_id(opened) if opened else "", "asc" if window.before else "desc")
    found = await _gather(context, exchange, walk, window.limit)
    if isinstance(found, Failure):
        return nowhere if cursor and found.kind in _NOWHERE else found
    data, more = found
    return window.page(data[::-1] if window.before else data, more=more)


@attrs.frozen
class _Walk:
    """Where to begin in the upstream's list, and in which direction to go."""

    after: str = ""
    order: str = "desc"


async def _gather(
    context: Context, exchange: Exchange, walk: _Walk, limit: int
) -> tuple[list[dict[str, Any]], bool] | Failure:
    """Collect as many files of whoever asks, and say whether there are more."""
    owner, found = Owner.of(context.settings, exchange.key), list[dict[str, Any]]()
    store = context.files
    if store is None:
        return NO_FILES
    query = {"purpose": context.target.profile.file_purpose, "order": walk.order}
    async with aclosing(_walked(store, query, walk.after)) as files:
        async for told in files:
            if isinstance(told, Failure):
                return told
            name = read_name(str(told.get("filename")), owned=bool(owner.mark))
            if name.mark != owner.mark:
                continue
            if len(found) == limit:
                return found, True
            found.append(metadata(owner.sealed(client_file_id(told["id"])), name, told))
    return found, False


async def _walked(store: Store, query: dict[str, str], after: str) -> AsyncGenerator[dict[str, Any] | Failure, None]:
    """Yield the upstream's files, page after page; waits for each page, and yields the failure that ends it."""
    more = True
    while more:
        place = {"after": after} if after else {}
        page = await store.files({**query, "limit": str(_READ_AHEAD), **place})
        if isinstance(page, Failure):
            yield page
            return
        for told in page["data"]:
            yield told
        more = bool(page.get("has_more")) and bool(page["data"])
        after = page["data"][-1]["id"] if page["data"] else ""


def _token(after: str) -> str:
    return _PAGE + base64.urlsafe_b64encode(after.encode()).decode().rstrip("=")


def _place(token: str) -> str | None:
    """Read a page's token: the upstream's id before it, empty for the first page, None for one of nobody's."""
    if not token:
        return ""
    text = token.removeprefix(_PAGE)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
