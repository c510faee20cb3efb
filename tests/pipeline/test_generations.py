"""Settings that change while requests run, with the emulator as the upstream of each generation."""

from __future__ import annotations

import attrs
import pytest
import trio
import trio.testing

from pipeline.generations import Generations
from pipeline.service import open_shared
from pipeline.settings import ConfigurationError, Limits, Settings, UpstreamSettings
from pipeline.settings.client_keys import client_keys
from tests.support.client import MemoryClient, Reply
from tests.support.running import REQUEST

_FIRST = Settings(upstream=UpstreamSettings(url="emulator"), log_level="error")


async def test_a_stream_keeps_what_it_began_with() -> None:
    """New requests get the new settings at once; the old ones live as long as their last request."""
    slow = REQUEST | {"messages": [{"role": "user", "content": "[[slow 0.05]]"}]}
    old, again = Reply(), Reply()
    async with open_shared() as shared, trio.open_nursery() as nursery:
        generations = Generations(shared, nursery)
        client = MemoryClient(generations)
        await generations.replace(_FIRST)
        async with trio.open_nursery() as requests:
            requests.start_soon(client.messages, slow, None, old)
            while not old.body:  # noqa: ASYNC110 - the emulator takes its time
                await trio.sleep(0.001)
            first = generations.context
            await generations.replace(attrs.evolve(_FIRST, client_keys=client_keys(["key"]), limits=Limits(requests=1)))
            assert (await client.messages(REQUEST)).status == 401
            assert first.running is generations.context.running
            assert (await client.messages(REQUEST, {"x-api-key": "key"})).status == 529, "the old stream counts"
            assert len(nursery.child_tasks) == 2
            requests.start_soon(client.messages, REQUEST, {"x-api-key": "key"}, again)
        await trio.testing.wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1, "the first generation is closed"
        nursery.cancel_scope.cancel()

    assert b"message_stop" in old.body


async def test_what_cannot_be_opened_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old settings stay in, and serve."""
    monkeypatch.setenv("HTTPS_PROXY", "gopher://nowhere")
    async with open_shared() as shared, trio.open_nursery() as nursery:
        generations = Generations(shared, nursery)
        await generations.replace(_FIRST)
        with pytest.raises(ConfigurationError):
            await generations.replace(attrs.evolve(_FIRST, upstream=UpstreamSettings(url="https://host/v1")))
        assert (await MemoryClient(generations).messages(REQUEST)).status == 200
        nursery.cancel_scope.cancel()
