"""The load client: asks over plain sockets, and judges each answer by what arrived."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import attrs
import trio

from pipeline.bench import http, sockets
from pipeline.bench.canned import WORD
from pipeline.bench.workloads import BenchError, Workload

_HEAD = (
    b"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    b"anthropic-version: 2023-06-01\r\nx-api-key: bench\r\nauthorization: Bearer bench\r\ncontent-length: %d\r\n\r\n"
)
_WORD = WORD.encode()
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@attrs.frozen
class Address:
    """Where a server listens on this machine."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Address:
        """Read a base URL.

        Raises:
            BenchError: It is not plain HTTP on this machine: nobody else's server is to be put under load.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 80
        except ValueError as error:
            raise BenchError(f"{url} is no URL") from error
        if parts.scheme != "http" or host not in _LOOPBACK:
            raise BenchError(f"{url} is not http:// on this machine, and no other machine is put under load")
        return cls("127.0.0.1" if host == "localhost" else host, port)


@attrs.frozen
class Outcome:
    """What became of one request. Times are seconds since it was sent.

    Attributes:
        fault: a word for what went wrong; empty when the whole answer came.
        first: when the first words of the answer came; None if none did.
        seconds: when it was over.
    """

    fault: str
    first: float | None
    seconds: float


@attrs.define
class Load:
    """What one load amounted to: an outcome for each request, and the seconds that all took."""

    outcomes: list[Outcome] = attrs.field(factory=list)
    seconds: float = 0.0

    @property
    def completed(self) -> list[Outcome]:
        """The requests that were answered in full."""
        return [outcome for outcome in self.outcomes if not outcome.fault]


async def put_load(address: Address, scenario: Workload, body: bytes) -> Load:
    """Put a load on a server, and wait until it is over; cut at the load's limit, it counts as it stands."""
    load, request = Load(), _HEAD % len(body) + body
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.deadline = began + scenario.limit
        for number in range(scenario.clients):
            start = began + scenario.ramp * number / scenario.clients
            nursery.start_soon(_client, address, scenario, request, start, load)
    load.seconds = trio.current_time() - began
    return load


async def _client(address: Address, scenario: Workload, request: bytes, start: float, load: Load) -> None:
    """Ask, read, and ask again until the load's time is over, or a fault shows that there is no use in it.

    Waits for its start, then for the server. Cancelled at the limit, it closes its connection.
    """
    await trio.sleep_until(start)
    again = True
    while again:
        try:
            connected = await sockets.connect(address.host, address.port)
        except OSError as error:
            load.outcomes.append(Outcome(error.strerror or "refused", None, 0.0))
            return
        with connected:
            kept = True
            while again and kept:
                exchange = _Exchange(connected, scenario)
                await exchange.run(request, load)
                kept = not http.says_close(exchange.message.head)
                again = not load.outcomes[-1].fault and trio.current_time() < start + scenario.seconds


@attrs.define
class _Exchange:
    """One request and its answer on a connection."""

    connected: socket.socket
    scenario: Workload
    message: http.HttpMessage = attrs.field(factory=http.HttpMessage)
    first: float | None = None

    async def run(self, request: bytes, load: Load) -> None:
        """Send, wait for the answer, and note the outcome; cancelled at the load's limit, that is a time out."""
        sent, fault = trio.current_time(), "time out"
        try:
            await sockets.send(self.connected, request)
            await self._read()
            fault = self._fault()
        except OSError as error:
            fault = error.strerror or "broken"
        except ValueError:
            fault = "framing"
        finally:
            first = None if self.first is None else self.first - sent
            load.outcomes.append(Outcome(fault, first, trio.current_time() - sent))

    async def _read(self) -> None:
        """Wait for the end of the answer, or of the connection; cancelled, what has arrived counts."""
        message = self.message
        while not message.complete:
            data = await sockets.receive(self.connected)
            if not data:
                return
            if self.first is None and _WORD in data:
                self.first = trio.current_time()
            message.add(data)

    def _fault(self) -> str:
        """Say what is wrong with the answer; empty if nothing is."""
        status = self.message.head[9:12].decode("ascii", "replace")
        if status != "200":
            return f"status {status}" if status else "closed"
        if not self.message.complete:
            return "cut"
        body = self.message.body
        whole = body.count(_WORD) == self.scenario.deltas and (not self.scenario.stream or b"message_stop" in body)
        return "" if whole else "incomplete"
