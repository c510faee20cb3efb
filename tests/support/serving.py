"""The real server on a real socket, in this process: for clients that cannot be handed an application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import trio

from pipeline.commands.listening import bind, url_of
from pipeline.server.shutdown import Shutdown
from pipeline.service import listen, open_service
from pipeline.settings import Settings


@asynccontextmanager
async def serving(settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[str]:
    """Serve on a free port of this machine, and give the URL; everything has ended when the block is left.

    Args:
        settings: what is set; host and port are not used.
        transport: stands in for the network to the upstream.
    """
    async with open_service(settings, transport=transport) as context, trio.open_nursery() as nursery:
        shutdown = Shutdown()
        with bind("127.0.0.1", 0) as listener:
            url = url_of(listener)
            nursery.start_soon(partial(listen, context, sockets=[listener], shutdown=shutdown))
            yield url
            shutdown.begin()
