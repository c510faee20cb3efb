"""A large body in slices: nothing is lost between them, none is too large, and what is small is one."""

from __future__ import annotations

from typing import Any

from pipeline.endpoints.slices import json_slices, slices_of
from stages.wire import json
from tests.support.cases import cases
from tests.support.turns import Turns

MOST = 2**20


@cases("size", [0, 1, MOST, MOST + 1, 3 * MOST])
def test_slices_are_the_body(size: int) -> None:
    """An empty one is a slice too: an answer without a body is sent like every other."""
    body = bytes(size)
    slices = slices_of(body)

    assert b"".join(slices) == body
    assert len(slices) == max(1, -(-size // MOST))
    assert max(map(len, slices)) <= MOST


@cases(
    "value",
    [
        {"type": "message", "content": []},
        ["no message"],
        {"content": [{"type": "text", "text": "é" * 2 * MOST}, {"type": "text", "text": "behind it"}]},
    ],
)
async def test_json_in_slices_is_the_value(value: Any) -> None:
    """Whether it is written at once, or by and by."""
    slices = await json_slices(value)

    assert json.decode(b"".join(slices)) == value
    assert max(map(len, slices)) <= MOST


async def test_others_have_their_turns_while_much_is_written() -> None:
    """About one for each slice."""
    value = {"content": [{"type": "text", "text": "a" * 8 * MOST}]}
    turns = Turns()
    async with turns.counted():
        slices = await json_slices(value)

    assert len(slices) > 7
    assert turns.count > len(slices) // 2
