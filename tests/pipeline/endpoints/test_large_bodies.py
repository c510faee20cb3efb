"""Bodies of many megabytes, in and out: nobody else is held up by them."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import Any

import pytest
import trio

from stages.wire import json
from tests.pipeline.endpoints.wire import exchange
from tests.support.turns import Turns


@pytest.mark.parametrize(("size", "threads"), [(2**10, 0), (2**20, 1)])
@pytest.mark.parametrize("packed", [False, True])
async def test_a_large_body_is_put_together_beside_the_loop(
    size: int, threads: int, monkeypatch: pytest.MonkeyPatch, *, packed: bool
) -> None:
    """Copying 30 MB is a pause for everybody; a small body costs no hop."""
    hops, hop = [], trio.to_thread.run_sync

    async def counted(function: Any, *arguments: Any, **named: Any) -> Any:
        hops.append(function)
        return await hop(function, *arguments, **named)

    monkeypatch.setattr(trio.to_thread, "run_sync", counted)
    body = b"a" * 2 * size
    pieces = [gzip.compress(body)] if packed else [body[:size], body[size:]]
    made, _ = exchange(*pieces, headers=[(b"content-encoding", b"gzip")] if packed else [])

    assert await made.body(len(body)) == body
    assert len(hops) == threads


async def test_a_large_answer_leaves_by_and_by() -> None:
    """It is the same body under the same length, and others have their turns while it is written and sent."""
    message = {"content": [{"type": "text", "text": 'a"' * 2 * json.LARGE}], "role": "assistant"}
    made, wire = exchange(b"{}")
    await made.body(10)
    turns = Turns()
    async with turns.counted():
        await made.answer(message)

    assert json.decode(wire.body) == message
    assert wire.head["content-length"] == str(len(wire.body))
    assert max(len(event.get("body", b"")) for event in wire.told) <= 2**20
    assert turns.count > 2 * len(wire.told)
    assert made.answered


@pytest.mark.parametrize(("blocks", "turns"), [(10, 0), (10_000, 10)])
async def test_many_blocks_are_written_by_and_by(blocks: int, turns: int) -> None:
    """However short each of them is, others have their turns in between; a few are written at once."""
    message = {"content": [{"type": "text", "text": "a"}] * blocks}
    made, wire = exchange()
    checkpoints = _Checkpoints()
    trio.lowlevel.add_instrument(checkpoints)
    await made.answer(message)
    trio.lowlevel.remove_instrument(checkpoints)

    assert json.decode(wire.body) == message
    assert turns <= checkpoints.seen - len(wire.told) < 10 * turns + 5


class _Checkpoints(trio.abc.Instrument):
    """Counts how often a task goes on."""

    seen = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002 - trio names it
        """Count one."""
        self.seen += 1


async def test_a_large_answer_is_written_once() -> None:
    """It is never copied as a whole: a copy of 50 MB is a pause for everybody."""
    made, wire = exchange()
    text = "lorem " * 1_500_000
    tracemalloc.start()
    await made.answer({"content": [{"type": "text", "text": text}]})
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert wire.head["content-length"] == str(len(wire.body))
    assert json.decode(wire.body)["content"][0]["text"] == text
    assert most < 1.5 * len(text)
