"""A large body in slices: others have their turns between them, while it is made and while it is sent."""

from __future__ import annotations

from typing import Any

import trio

from stages.wire import json

_SIZE = 2**20
# Bytes of a slice, which are copied at once.

_MANY = 1000  # blocks of a message that are written in some milliseconds


async def json_slices(value: Any) -> list[bytes]:
    """Write a JSON body in slices; one with a long text by and by, with turns for others in between.

    It is nowhere in one piece: copying 50 MB is a pause for everybody. Cancelled, there is none.
    """
    if not _holds_much(value):
        return slices_of(json.encode(value))
    slices, some = list[bytes](), bytearray()
    for at, piece in enumerate(json.pieces(value), 1):
        if len(some) + len(piece) > _SIZE:
            slices.append(bytes(some))
            some.clear()
            await trio.lowlevel.checkpoint()
        elif at % _MANY == 0:
            await trio.lowlevel.checkpoint()
        some += piece
    return [*slices, bytes(some)]


def slices_of(body: bytes) -> list[bytes]:
    """Cut a body into slices; one that is small is the only one."""
    return [body[at : at + _SIZE] for at in range(0, len(body) or 1, _SIZE)]


def _holds_much(value: Any) -> bool:
    """Whether a message has many blocks or a long one; nothing else here is large."""
    blocks = value.get("content") if isinstance(value, dict) else None
    if not isinstance(blocks, list):
        return False
    return len(blocks) > _MANY or any(
        len(text) > json.LARGE
        for block in blocks
        if isinstance(block, dict)
        for text in block.values()
        if isinstance(text, str | json.Long)
    )
