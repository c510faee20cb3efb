"""The pace at which an answer is sent."""

from __future__ import annotations

import trio

from pipeline.emulator.answer import Frame


async def keep_pace(frame: Frame, delay: float) -> None:
    """Wait as long as has to pass before a frame: its own pause, or `delay` seconds where it has none.

    A checkpoint even without a pause, so that a sender that never pauses can be cancelled too; nothing is sent then.
    """
    pause = delay if frame.pause is None else frame.pause
    if pause > 0:
        await trio.sleep(pause)
    else:
        await trio.lowlevel.checkpoint()
