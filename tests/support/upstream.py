"""An upstream that follows a script, spoken to through an httpx transport, without sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

import attrs
import httpx
import trio

from stages.wire import json, sse

Step = bytes | float | trio.Event | Exception
"""What a scripted body does next: yield bytes, let seconds pass, wait for an event, or break."""


@attrs.define
class Script:
    """One answer.

    Attributes:
        steps: what its body does, in order.
        status: its HTTP status.
        headers: its headers.
    """

    steps: Sequence[Step] = ()
    status: int = 200
    headers: dict[str, str] = attrs.field(factory=lambda: {"content-type": "text/event-stream"})


class Body(httpx.AsyncByteStream, AsyncIterator[bytes]):
    """A body that plays its steps.

    Attributes:
        reads: how many steps it has begun.
        finished: whether it was read to its end, so that its connection can be used again.
        closed: whether its reader has let go of it.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = iter(steps)
        self.reads = 0
        self.finished = False
        self.closed = trio.Event()

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        await trio.lowlevel.checkpoint()
        for step in self._steps:
            self.reads += 1
            match step:
                case bytes():
                    return step
                case float():
                    await trio.sleep(step)
                case trio.Event():
                    await step.wait()
                case Exception():
                    raise step
        self.finished = True
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Note that the reader has let go."""
        self.closed.set()


class ScriptedUpstream(httpx.AsyncBaseTransport):
    """Answers requests with scripts, in order; the last one again and again.

    Attributes:
        requests: the JSON bodies that came, oldest first.
        paths: the paths they came to.
        read_timeouts: the seconds that each would wait for its first byte.
        bodies: what was answered, for a look at what is still open.
    """

    def __init__(self, *scripts: Script | Exception | Callable[[dict[str, Any]], Script]) -> None:
        self._scripts = list(scripts)
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.read_timeouts: list[float | None] = []
        self.bodies: list[Body] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Play the next script."""
        await trio.lowlevel.checkpoint()
        self.requests.append(json.decode(await request.aread()))
        self.paths.append(request.url.path)
        self.read_timeouts.append(request.extensions.get("timeout", {}).get("read"))
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        if isinstance(script, Exception):
            raise script
        if not isinstance(script, Script):
            script = script(self.requests[-1])
        self.bodies.append(Body(script.steps))
        return httpx.Response(script.status, headers=script.headers, stream=self.bodies[-1])

    @property
    def open(self) -> int:
        """How many bodies nobody has closed."""
        return sum(not body.closed.is_set() for body in self.bodies)


def events(*values: dict[str, Any]) -> bytes:
    """Frame events as an upstream does."""
    return b"".join(sse.encode(value["type"], json.encode(value)) for value in values)


def json_script(value: Any, status: int = 200, **headers: str) -> Script:
    """An answer that is one JSON body."""
    return Script([json.encode(value)], status, {"content-type": "application/json", **headers})
