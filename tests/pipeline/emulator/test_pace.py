"""The pace at which frames follow one another."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints

from pipeline.emulator.answer import Frame
from pipeline.emulator.pace import keep_pace


@pytest.mark.parametrize(("pause", "seconds"), [(None, 7.0), (0.0, 0.0), (2.5, 2.5)])
async def test_keep_pace(pause: float | None, seconds: float, autojump_clock: MockClock) -> None:
    """A frame's own pause wins over the sender's delay; without any wait there is still a checkpoint."""
    begun = autojump_clock.current_time()
    with assert_checkpoints():
        await keep_pace(Frame(b"x", pause), 7.0)

    assert trio.current_time() - begun == pytest.approx(seconds)
