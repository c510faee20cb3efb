"""The pace at which an answer is told."""

from __future__ import annotations

import trio

from pipeline.emulator.answer import Frame


async def keep_pace(frame: Frame, delay: float) -> None:
    """Wait as long as has to pass before a frame: its own pause, or `delay` seconds where it has none.

    Always a checkpoint, so that a fast teller can be cancelled too.
    """
    pause = delay if frame.pause is None else frame.pause
    if pause > 0:
        await trio.sleep(pause)
    else:
        await trio.lowlevel.checkpoint()
