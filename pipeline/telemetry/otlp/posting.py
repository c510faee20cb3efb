"""Posts of OTLP: one body at a time, asked again as the protocol allows, and never a reason for anything to wait."""

from __future__ import annotations

import gzip
import ssl
from datetime import UTC, datetime

import attrs
import httpx
import trio

from pipeline.telemetry.otlp.environment import Destination
from stages.tables.headers import retry_after

RETRIED = frozenset({429, 502, 503, 504})
"""What OTLP calls worth another attempt; any other error is about the data."""

PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each further attempt; what is refused after the last is lost, and counted."""

LONGEST_PAUSE = 30.0
"""Seconds that a receiver may have us wait by its own word."""

_HEADERS = {"content-type": "application/x-protobuf", "user-agent": "dragoman"}
_READ = 2**16  # bytes of an answer; it says little, and a connection whose answer was read can be used again


@attrs.frozen
class _Answer:
    """What became of one attempt: the status, None where nobody answered, and how long to wait by its word."""

    status: int | None = None
    wait: float = 0.0


@attrs.define(eq=False)
class Post:
    """Speaks to one destination.

    Attributes:
        destination: where bodies go.
        transport: stands in for the network, in tests.
        pauses: seconds before each further attempt.
    """

    destination: Destination
    transport: httpx.AsyncBaseTransport | None = None
    pauses: tuple[float, ...] = PAUSES
    _client: httpx.AsyncClient | None = attrs.field(default=None, init=False)

    async def send(self, body: bytes) -> bool:
        """Send one body; whether it was taken.

        Waits for the receiver and between attempts. Cancelled, nobody knows whether it was taken.
        """
        headers = {**_HEADERS, **self.destination.headers}
        if self.destination.gzip:
            body, headers = gzip.compress(body), {**headers, "content-encoding": "gzip"}
        for pause in (*self.pauses, None):
            answer = await self._once(body, headers)
            if answer.status is not None and answer.status not in RETRIED:
                return httpx.codes.is_success(answer.status)
            if pause is not None:
                await trio.sleep(max(pause, answer.wait))
        return False

    async def _once(self, body: bytes, headers: dict[str, str]) -> _Answer:
        """Send it once; waits for the answer as long as the destination's timeout."""
        with trio.move_on_after(self.destination.timeout):
            try:
                if self._client is None:
                    self._client = self._open()
                async with self._client.stream("POST", self.destination.url, content=body, headers=headers) as answer:
                    await _skim(answer)
                    wait = retry_after(answer.headers, datetime.now(UTC)) or 0
                    return _Answer(answer.status_code, min(wait, LONGEST_PAUSE))
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError):
                pass  # a receiver that is away, or whose address or certificate file is wrong
        return _Answer()

    def _open(self) -> httpx.AsyncClient:
        certificate = self.destination.certificate
        verify = ssl.create_default_context(cafile=certificate) if certificate else True
        return httpx.AsyncClient(transport=self.transport, timeout=self.destination.timeout, verify=verify)

    async def aclose(self) -> None:
        """Close the connection; waits a moment."""
        if self._client is not None:
            await self._client.aclose()


async def _skim(answer: httpx.Response) -> None:
    """Read an answer that says how long it is and is of the usual size; any other is left, with its connection."""
    length = answer.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:9]) <= _READ:
        async for _ in answer.aiter_raw():
            pass
