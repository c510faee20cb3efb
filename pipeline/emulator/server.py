"""The emulator as an ASGI application, for `dragoman emulate`: the same answers over a real socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import trio

from pipeline.emulator.answer import EmulatedAnswer, Frame
from pipeline.emulator.emulator import Emulator

AsgiMessage: TypeAlias = dict[str, Any]
"""One ASGI message."""

AsgiReceive: TypeAlias = Callable[[], Awaitable[AsgiMessage]]
"""Waits for the next message of the client."""

AsgiSend: TypeAlias = Callable[[AsgiMessage], Awaitable[None]]
"""Sends a message to the client."""

AsgiApplication: TypeAlias = Callable[[AsgiMessage, AsgiReceive, AsgiSend], Awaitable[None]]
"""An ASGI 3 application; its first argument is the scope."""


def emulator_application(delay: float = 0.01) -> AsgiApplication:
    """Make an ASGI application with an emulator of its own.

    Args:
        delay: seconds between deltas.

    Returns:
        An application for a server that runs on trio.  It keeps an answer's task no longer than its client stays.
    """
    emulator = Emulator()

    async def serve(scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Answer one request, or live through the server's life; cancelled, an answer breaks off where it is."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            body = await _body(receive)
            if body is not None:
                answer = emulator.respond(scope["method"], _target(scope), body, _content_type(scope))
                await _tell(answer, delay, receive, send)

    return serve


def _target(scope: AsgiMessage) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])


def _content_type(scope: AsgiMessage) -> str:
    return next((value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"content-type"), "")


async def keep_pace(frame: Frame, delay: float) -> None:
    """Wait as long as has to pass before a frame: its own pause, or `delay` seconds where it has none.

    Always a checkpoint, so that a fast teller can be cancelled too.
    """
    pause = delay if frame.pause is None else frame.pause
    if pause > 0:
        await trio.sleep(pause)
    else:
        await trio.lowlevel.checkpoint()


async def _live(receive: AsgiReceive, send: AsgiSend) -> None:
    """Agree to the server's start and end; waits for both, and holds nothing that a cancellation could lose."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _body(receive: AsgiReceive) -> bytes | None:
    """Wait for the whole body; None if the client left before its end. Cancelled, what was read is forgotten."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _tell(answer: EmulatedAnswer, delay: float, receive: AsgiReceive, send: AsgiSend) -> None:
    """AsgiSend an answer, each frame after its pause, until it is whole or the client leaves.

    A server's `send` does not say that nobody reads any more, so `_watch` cancels this when it hears so.
    """
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch, receive, nursery.cancel_scope)
        headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        for frame in answer.frames:
            await keep_pace(frame, delay)
            await send({"type": "http.response.body", "body": frame.data, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        nursery.cancel_scope.cancel()


async def _watch(receive: AsgiReceive, scope: trio.CancelScope) -> None:
    """Wait until the client has left, then cancel the answer; itself cancelled once the answer is whole."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
