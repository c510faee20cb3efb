"""An exchange whose client is played by a list: what it says, and what it was told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import trio

from pipeline.endpoints.exchange import Exchange, Headers
from pipeline.telemetry.logs import make_logger
from pipeline.telemetry.request_log import RequestLog

DISCONNECT = {"type": "http.disconnect"}


@attrs.define
class Wire:
    """ASGI's two ends: what the client says, and what it was told."""

    says: list[dict[str, Any]]
    told: list[dict[str, Any]] = attrs.field(factory=list)

    async def receive(self) -> dict[str, Any]:
        """Give the next thing the client says."""
        await trio.lowlevel.checkpoint()
        return self.says.pop(0)

    async def send(self, event: Any) -> None:
        """Take what the client is told."""
        await trio.lowlevel.checkpoint()
        self.told.append(event)

    @property
    def head(self) -> dict[str, str]:
        """The headers of the one answer."""
        (start,) = [event for event in self.told if event["type"] == "http.response.start"]
        return {name.decode(): value.decode() for name, value in start["headers"]}

    @property
    def statuses(self) -> list[int]:
        """The statuses that were sent, which should be one."""
        return [event["status"] for event in self.told if "status" in event]

    @property
    def body(self) -> bytes:
        """All that the bodies held."""
        return b"".join(event.get("body", b"") for event in self.told)


def log() -> RequestLog:
    """A log that nobody reads."""
    return RequestLog(make_logger("json", "error"), {"request_id": "req_1"}, clock=lambda: 0.0)


def exchange(
    *pieces: bytes, headers: Headers | None = None, method: str = "POST", says: Sequence[dict[str, Any]] | None = None
) -> tuple[Exchange, Wire]:
    """Make an exchange whose client sends these pieces."""
    last = len(pieces) - 1
    sent = [{"type": "http.request", "body": piece, "more_body": n < last} for n, piece in enumerate(pieces)]
    wire = Wire(list(says) if says is not None else [*sent, DISCONNECT])
    scope = {
        "type": "http",
        "method": method,
        "path": "/v1/messages",
        "query_string": b"beta=true",
        "headers": headers or [],
    }
    return Exchange(scope, wire.receive, wire.send, log()), wire
