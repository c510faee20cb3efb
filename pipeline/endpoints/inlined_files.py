"""Files that a request names and this machine keeps: they go into the request, as if the client had sent them.

A picture or a PDF becomes base64, a text a text.  What names a file is found by the shape of messages alone, so
arguments of tools may look like anything.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import trio

from pipeline.endpoints.context import Context
from pipeline.endpoints.owners import Owner
from stages.canonical.failure import Failure, Kind
from stages.tables.identifiers import upstream_file_id
from stages.tables.media_types import is_text
from stages.tables.stored_files import StoredName, read_name
from stages.wire import json

if TYPE_CHECKING:
    from pipeline.storage.local import LocalStore

_MARK = b'"file_id"'
_HOLDERS = ("image", "document")


@attrs.frozen
class _Found:
    """A file that is named: where it lies, what it is, and how large."""

    path: Path
    name: StoredName
    size: int


def may_name_files(context: Context, body: bytes) -> bool:
    """Whether a request may name files that this machine keeps: a glance at it, since nearly all name none."""
    return context.keeps_files_here and _MARK in body


async def inlined(context: Context, owner: Owner, body: bytes) -> bytes | Failure:
    """Put the files that a request names into it; one that names none is given back as it is.

    Waits for the disk, in a thread.

    Args:
        context: what the request is served with.
        owner: who asks.
        body: the request.
    """
    store = context.local
    if store is None or not may_name_files(context, body):
        return body
    sources = await trio.to_thread.run_sync(_named, body)
    found = dict[str, _Found]()
    for ident in sources:
        told = await _find(store, owner, ident)
        if isinstance(told, Failure):
            return told
        found[ident] = told
    if not found:
        return body
    size = len(body) + sum(found[ident].size * 4 // 3 for ident in sources)
    if size > context.settings.limits.body_bytes:
        return Failure(Kind.TOO_LARGE, "Request exceeds the maximum size with the files that it names")
    return await trio.to_thread.run_sync(_filled, body, found)


async def _find(store: LocalStore, owner: Owner, ident: str) -> _Found | Failure:
    upstream = upstream_file_id(owner.opened(ident) or "")
    kept = await store.kept(upstream)
    if isinstance(kept, Failure):
        return _no_file(ident) if kept.kind is Kind.NOT_FOUND else kept
    told, path = kept
    name = read_name(told["filename"], owned=bool(owner.mark))
    return _Found(path, name, told["bytes"]) if name.mark == owner.mark else _no_file(ident)


def _no_file(ident: str) -> Failure:
    return Failure(Kind.NOT_FOUND, f"File not found: {ident}"[:2000])


def _named(body: bytes) -> list[str]:
    """The ids that a request names, each as often as it does; none in one that is no JSON, which others refuse."""
    try:
        value = json.decode(body)
    except json.MalformedJson:
        return []
    return [block["source"]["file_id"] for block in _blocks(value)]


def _filled(body: bytes, found: dict[str, _Found]) -> bytes | Failure:
    value = json.decode(body)
    for block in _blocks(value):
        file = found[block["source"]["file_id"]]
        try:
            data = file.path.read_bytes()
        except OSError as error:
            from pipeline.storage.local import broken

            return broken(error)
        block["source"] = _source(data, file.name.media_type, picture=block["type"] == "image")
        if block["type"] == "document":
            block.setdefault("title", file.name.filename)
    return json.encode(value)


def _source(data: bytes, media_type: str, *, picture: bool) -> dict[str, Any]:
    if not picture and is_text(media_type):
        return {"type": "text", "media_type": "text/plain", "data": data.decode("utf-8", "replace")}
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}


def _blocks(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the pictures and documents of a request whose source is a file, in whatever order."""
    messages = value.get("messages") if isinstance(value, dict) else None
    left = [message.get("content") for message in _dicts(messages)]
    while left:
        for block in _dicts(left.pop()):
            source = block.get("source")
            if block.get("type") == "tool_result":
                left.append(block.get("content"))
            elif block.get("type") in _HOLDERS and isinstance(source, dict):
                left.append(source.get("content"))
                if source.get("type") == "file" and isinstance(source.get("file_id"), str):
                    yield block


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []
