"""What a refusal costs, counted: a flood of clients is made of them, and the streams that run pay for it."""

from __future__ import annotations

import socket

import trio

from pipeline.endpoints.application import application
from pipeline.server.connection import ClientConnection, Terms
from pipeline.settings import Limits
from stages.wire import json
from tests.support.counting import calls_of
from tests.support.running import REQUEST, context_of
from tests.support.upstream import ScriptedUpstream

CALLS = 400
"""Calls of a connection whose one request finds no place, from its first byte to its closed socket; 680 before."""


async def test_a_refusal_is_cheap_and_waits_for_nothing() -> None:
    """It begins no task, takes one step, and costs a fraction of a request's calls."""
    context = context_of(ScriptedUpstream(), limits=Limits(requests=1))
    body, app = json.encode(REQUEST), application(context)
    head = b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nx-api-key: k\r\ncontent-length: %d\r\n\r\n" % len(body)

    def refused() -> bytes:
        ours, theirs = socket.socketpair()
        with ours:
            ours.sendall(head + body)
            theirs.setblocking(False)  # noqa: FBT003 - the standard library's
            serving = ClientConnection(theirs, app, Terms(), {}).run()
            try:
                serving.send(None)
            except StopIteration:
                return ours.recv(65_536)
            raise AssertionError("it waits")

    with context.running.ticket(0):
        assert refused().startswith(b"HTTP/1.1 529 ")
        assert calls_of(refused) <= CALLS
    await trio.lowlevel.checkpoint()
