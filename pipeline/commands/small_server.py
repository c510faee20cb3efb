"""Serve one ASGI application on a bound socket, with nothing of the proxy around it: the emulator's server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hypercorn.config import Config
from hypercorn.trio import serve

if TYPE_CHECKING:
    import socket

    import trio

    from pipeline.emulator.server import AsgiApplication

_GRACE = 1.0  # seconds for running answers when the server is told to stop


async def serve_application(application: AsgiApplication, listener: socket.socket, shutdown: trio.Event) -> None:
    """Serve until `shutdown` is set; `listener` stays its owner's to close.

    Waits for `shutdown`, then `_GRACE` seconds for running answers; cancelled, it waits for none.
    """
    config = Config()
    # The server closes what it is given; a duplicate lets the owner do the same in his own time.
    config.bind = [f"fd://{listener.dup().detach()}"]
    config.graceful_timeout = _GRACE
    config.errorlog = None
    config.accesslog = None
    await serve(cast("Any", application), config, shutdown_trigger=shutdown.wait, mode="asgi")
