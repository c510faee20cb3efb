"""What a process opens, and how it is closed again."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from pipeline.service import open_shared
from pipeline.tokenizer import Tokenizer


async def test_nobody_speaks_any_more_to_a_process_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search for a vocabulary that is given up may still have a step to do: it closes last what all have used."""
    heard: list[str] = []

    async def load(own: Tokenizer) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await wait_all_tasks_blocked()
            heard.append(f"{own.source} is given up")

    async def close(own: Tokenizer) -> None:
        await trio.lowlevel.checkpoint()
        heard.append(f"{own.source} is closed")

    monkeypatch.setattr(Tokenizer, "load", load)
    monkeypatch.setattr(Tokenizer, "close", close)
    async with open_shared():
        await wait_all_tasks_blocked()

    assert heard == ["estimate is given up", "estimate is closed"]
