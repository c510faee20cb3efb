"""The emulator in place of a network: an httpx transport that answers by itself.

Unlike `httpx.ASGITransport`, which gathers a whole body before it hands on the first byte, it yields one chunk for
each event.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from pipeline.emulator.answer import Frame
from pipeline.emulator.emulator import Emulator
from pipeline.emulator.server import keep_pace


class EmulatorTransport(httpx.AsyncBaseTransport):
    """A transport whose other end is the emulator, in this very task.

    Args:
        delay: seconds between deltas, for people to see them come; 0 sends as fast as the reader reads.
    """

    def __init__(self, delay: float = 0.01) -> None:
        self._delay = delay
        self._emulator = Emulator()
        self._open: set[_Body] = set()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The latest bodies of `POST /responses`, oldest first (at most 1000)."""
        return self._emulator.requests

    @property
    def counted(self) -> list[dict[str, Any]]:
        """The latest bodies of `POST /responses/input_tokens`, oldest first (at most 1000)."""
        return self._emulator.counted

    @property
    def emulator(self) -> Emulator:
        """What answers: its files and batches can be looked at."""
        return self._emulator

    @property
    def open_streams(self) -> int:
        """How many answers were begun and not closed by their reader yet; 0 once nobody listens."""
        return len(self._open)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request.

        Waits for the request's body alone; the answer's comes while it is read, each frame after its pause. Whoever is
        cancelled there closes the body with `aclose`, as httpx does.
        """
        body = await request.aread()
        target, content_type = request.url.raw_path.decode("ascii"), request.headers.get("content-type", "")
        answer = self._emulator.respond(request.method, target, body, content_type)
        stream = _Body(answer.frames, self._delay, self._open)
        return httpx.Response(answer.status, headers=dict(answer.headers), stream=stream, request=request)


class _Body(httpx.AsyncByteStream, AsyncIterator[bytes]):
    """The frames of one answer, each after its pause.

    An iterator and no generator: one that is left in the middle needs no help from the garbage collector.
    """

    def __init__(self, frames: tuple[Frame, ...], delay: float, opened: set[_Body]) -> None:
        self._frames: Iterator[Frame] = iter(frames)
        self._delay = delay
        self._opened = opened
        opened.add(self)

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        """Wait for the next frame's pause, and give the frame; cancelled meanwhile, that frame is lost."""
        frame = next(self._frames, None)
        if frame is None:
            raise StopAsyncIteration
        await keep_pace(frame, self._delay)
        return frame.data

    async def aclose(self) -> None:
        """Note that the reader is done, or gone; never waits."""
        self._frames = iter(())
        self._opened.discard(self)
