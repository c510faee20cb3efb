"""Files and batches of an upstream, over a real socket: what a transport inside the process would let pass."""

from __future__ import annotations

import io
from functools import partial

import trio
from hypercorn.config import Config
from hypercorn.trio import serve

from pipeline.commands.listening import bind, url_of
from pipeline.emulator import emulator_application
from pipeline.settings import Timing
from pipeline.upstream.client import UpstreamClient
from pipeline.upstream.http1.transport import HttptoolsTransport
from pipeline.upstream.stored import DISK_READ, UpstreamStore
from stages.canonical.failure import Failure

DATA = bytes(range(256)) * (DISK_READ // 200)


async def test_a_file_goes_over_a_socket_and_comes_back() -> None:
    """In pieces, with a length and a host, and byte for byte; then it is deleted, and is not found."""
    shutdown, transport, config = trio.Event(), HttptoolsTransport(), Config()
    with bind("127.0.0.1", 0) as listener:
        client = UpstreamClient(f"{url_of(listener)}/v1", None, transport, Timing())
        config.bind = [f"fd://{listener.detach()}"]
        config.accesslog = config.errorlog = None
        store = UpstreamStore(client)
        async with trio.open_nursery() as nursery:
            app = emulator_application(0)
            nursery.start_soon(partial(serve, app, config, shutdown_trigger=shutdown.wait))  # type: ignore[arg-type] # an ASGI application
            made = await store.upload({"purpose": "batch"}, 'a "b".jsonl', io.BytesIO(DATA), len(DATA))
            assert not isinstance(made, Failure)
            assert made["bytes"] == len(DATA)
            answer = await store.content(made["id"])
            assert not isinstance(answer, Failure)
            async with answer:
                assert b"".join([chunk async for chunk in answer if isinstance(chunk, bytes)]) == DATA
            page = await store.files({"limit": "1"})
            assert not isinstance(page, Failure)
            assert [one["id"] for one in page["data"]] == [made["id"]]
            assert not isinstance(await store.delete(made["id"]), Failure)
            assert isinstance(await store.file(made["id"]), Failure)
            await transport.aclose()
            shutdown.set()
