"""What a request holds while its answer lasts: not the bodies that it was made of."""

from __future__ import annotations

import gc
from types import CoroutineType

import trio
import trio.testing

from tests.support.client import MemoryClient, Reply
from tests.support.running import REQUEST, client_of
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import CREATED, completed, text

LARGE = 400_000
"""Bytes of the instructions of a request."""


def holders() -> set[str]:
    """Who holds bytes that are as large: the names of functions that wait, and of classes."""
    found = [
        thing
        for thing in gc.get_objects()
        if any(isinstance(held, bytes) and len(held) >= LARGE for held in gc.get_referents(thing))
    ]
    return {(thing if isinstance(thing, CoroutineType) else type(thing)).__qualname__ for thing in found}


async def test_an_answer_that_has_begun_holds_no_body() -> None:
    """It lasts for minutes, and a thousand others with it: what was sent is needed as long as it may be sent again."""
    goes_on, reply = trio.Event(), Reply()
    upstream = ScriptedUpstream(Script([CREATED, text("hi"), goes_on, completed()]))
    request = REQUEST | {"stream": True, "system": "x" * LARGE}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: client_of(upstream).messages(request, reply=reply))
        while b"text_delta" not in reply.body:
            await trio.testing.wait_all_tasks_blocked()
            await trio.lowlevel.checkpoint()
        held = holders()
        goes_on.set()

    assert b"message_stop" in reply.body
    assert held == {MemoryClient.request.__qualname__}
