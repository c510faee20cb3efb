"""`kill -9` in the middle of batches: nothing is lost, and nothing is paid twice but what was under way.

    python -m tests.chaos.kills --seed 1 --times 20

Each round makes a batch, kills the server at a moment that the seed chooses (while the batch is created, between its
parts, while it runs, while its results are read), starts another one, and goes on as a program would that was told
nothing: it looks whether its batch is there, else it makes it again.  So many rounds go through the local store, and as
many through the upstream's Batch API.  Before, each way has a round in which every call meets a server of its own.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs

from pipeline.emulator.batch_store import ENDED
from pipeline.emulator.emulator import Emulator
from tests.chaos.measured import note
from tests.pipeline.endpoints.batches.bulk import body, started, wrong_answers

REQUESTS = 60
"""Requests of a batch."""

AT_ONCE = 4
"""Of these, how many the local store runs at once."""

MOMENTS = {"local": ("create", "run", "results"), "upstream": ("create", "parts", "run", "results")}
"""When a server may be killed, by who keeps the batch; a batch that is kept here has one part."""

BETWEEN = "calls"
"""The moment of a round in which there is a server for each call."""

_LONG_AGO = 1_000_000_000.0  # so that what is left behind counts as abandoned at once
_BATCHES = "/v1/messages/batches"
_GONE = (OSError, http.client.HTTPException)


class Upstream(ThreadingHTTPServer):
    """The emulator on a socket, a little slow, that counts how often each request was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.emulator = Emulator()
        self.emulator.account.batches.clock = lambda: _LONG_AGO
        self.asked = Counter[str]()
        self.parts = 0
        self.begun: Callable[[int], None] = lambda _: None
        self.one = threading.Lock()

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever has asked was killed."""

    def batches(self) -> list[dict[str, Any]]:
        """All of its batches."""
        return list(self.emulator.account.batches.page({})["data"])  # type: ignore[index] # it is no fault

    def lines(self) -> int:
        """How many lines its batches have that were run."""
        return sum(batch["request_counts"]["total"] for batch in self.batches() if batch["status"] == "completed")

    def running(self) -> int:
        """How many of its batches nobody has ended."""
        return sum(batch["status"] not in (*ENDED, "cancelling") for batch in self.batches())


class _Handler(BaseHTTPRequestHandler):
    server: Upstream
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer."""
        self._answer(b"")

    def do_DELETE(self) -> None:
        """Answer."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Count a request, take a moment, and answer."""
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path.endswith("/responses"):
            self.server.asked[data.decode().rpartition("[[say id ")[2].partition("]]")[0]] += 1
            _moment(0.01)  # what is killed must be under way
        self._answer(data)

    def _answer(self, data: bytes) -> None:
        if self.command == "POST" and self.path.endswith("/batches"):
            self.server.parts += 1
            self.server.begun(self.server.parts)
        with self.server.one:
            told = self.server.emulator.respond(self.command, self.path, data, self.headers.get("content-type", ""))
        self.send_response(told.status)
        for name, value in told.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(told.data)))
        self.end_headers()
        self.wfile.write(told.data)


@attrs.define
class Round:
    """One batch through one kill.

    Attributes:
        upstream: what does the work.
        where: the way: `local` or `upstream`.
        folder: of the local store.
        moment: when the server is killed, one of `MOMENTS`, or `BETWEEN`.
        share: how far in that it is killed, from 0 to 1.
        killed: whether it was already.
    """

    upstream: Upstream
    where: str
    folder: str
    moment: str
    share: float
    killed: bool = False

    def run(self) -> dict[str, int]:
        """Go through it; count what is lost, doubled, under another's id, asked more than once, and left running."""
        told = self._one_by_one() if self.moment == BETWEEN else self._killed()
        return {**told, "again": self._paid() - REQUESTS, "left": self.upstream.running()}

    def _one_by_one(self) -> dict[str, int]:
        """Have another server for each call: what one has answered, the next one knows."""
        never = threading.Event()
        with self._server() as (port, _):
            ident = self._created(port, never)
        ended = False
        while not ended:
            with self._server() as (port, _):
                ended = _asked(port, "GET", f"{_BATCHES}/{ident}")["processing_status"] == "ended"
                if self.where == "local" and not ended:
                    self._wait(port, ident, never)
        with self._server() as (port, _):
            told = self._results(port, ident, never)
        with self._server() as (port, _):
            assert [one["id"] for one in _asked(port, "GET", _BATCHES)["data"]] == [ident]
        return told

    def _killed(self) -> dict[str, int]:
        ident = ""
        for _ in range(4):
            with self._server() as (port, kill):
                try:
                    ident = ident or self._found(port) or self._created(port, kill)
                    self._wait(port, ident, kill)
                    told = self._results(port, ident, kill)
                except _GONE:
                    continue
                return told
        raise AssertionError("the server ends by itself")

    def _paid(self) -> int:
        return self.upstream.asked.total() if self.where == "local" else self.upstream.lines()

    @contextmanager
    def _server(self) -> Iterator[tuple[int, threading.Event]]:
        process, port = started(
            "serve",
            DRAGOMAN_UPSTREAM_URL=self.upstream.url,
            DRAGOMAN_UPSTREAM_PROFILE="openai",
            DRAGOMAN_STORAGE_WHERE=self.where,
            DRAGOMAN_STORAGE_FOLDER=self.folder,
            DRAGOMAN_STORAGE_CONCURRENCY=str(AT_ONCE),
        )
        kill, over = threading.Event(), threading.Event()

        def executioner() -> None:
            kill.wait()
            if not over.is_set():
                process.kill()

        threading.Thread(target=executioner, daemon=True).start()
        try:
            yield port, kill
        finally:
            over.set()
            kill.set()
            process.kill()
            process.wait()

    def _due(self, moment: str, done: float, kill: threading.Event) -> None:
        """Kill the server if its moment has come."""
        if not self.killed and moment == self.moment and done >= self.share:
            self.killed = True
            kill.set()

    def _found(self, port: int) -> str:
        batches = _asked(port, "GET", _BATCHES)["data"]
        return str(batches[0]["id"]) if batches else ""

    def _created(self, port: int, kill: threading.Event) -> str:
        last = 1 + int(self.share * 2)  # of three parts, the one that stands for the whole is never begun
        self.upstream.begun = lambda part: self._due("parts", float(part >= last), kill)
        data = b"".join(body(REQUESTS))
        cut = int(len(data) * min(1.0, self.share * 1.5))  # a third of the kills come when all was sent

        def pieces() -> Iterator[bytes]:
            yield data[:cut]
            if cut < len(data):
                self._due("create", 1.0, kill)
                yield data[cut:]

        if cut == len(data) and self.moment == "create" and not self.killed:
            threading.Timer(self.share * 0.03, self._due, ("create", 1.0, kill)).start()
        return str(_asked(port, "POST", _BATCHES, pieces())["id"])

    def _wait(self, port: int, ident: str, kill: threading.Event) -> None:
        looks = 0
        while _asked(port, "GET", f"{_BATCHES}/{ident}")["processing_status"] != "ended":
            looks += 1
            done = self.upstream.asked.total() / REQUESTS if self.where == "local" else looks / 3
            self._due("run", done, kill)
            _moment(0.005)
        self._due("run", 1.0, kill)

    def _results(self, port: int, ident: str, kill: threading.Event) -> dict[str, int]:
        lines = list[bytes]()
        with _connected(port) as client:
            client.request("GET", f"{_BATCHES}/{ident}/results")
            with client.getresponse() as answer:
                assert answer.status == 200, answer.read()
                for line in answer:
                    lines.append(line)
                    self._due("results", len(lines) / REQUESTS, kill)
        if kill.is_set():
            raise ConnectionResetError  # which this client does not notice by itself
        return wrong_answers(iter(lines), REQUESTS)


def _asked(port: int, method: str, path: str, data: Iterator[bytes] | None = None) -> dict[str, Any]:
    with _connected(port) as client:
        client.request(method, path, data, {"content-type": "application/json"}, encode_chunked=data is not None)
        with client.getresponse() as answer:
            told = answer.read()
    assert answer.status == 200, told
    return dict(json.loads(told))


def _connected(port: int) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60))


def _moment(seconds: float) -> None:
    """Let others go on for a moment."""
    threading.Event().wait(seconds)


def go_through(where: str, moment: str, share: float) -> dict[str, int]:
    """Go through one round with everything new."""
    upstream = Upstream()
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return Round(upstream, where, folder, moment, share).run()
    finally:
        upstream.shutdown()
        upstream.server_close()


def main() -> None:
    """Go through as many rounds as the command line says, by its seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, default=20, help="rounds for each way")
    arguments = parser.parse_args()
    found = dict[str, dict[str, int]]()
    for where, moments in MOMENTS.items():
        chance = random.Random(arguments.seed)
        for at in range(-1, arguments.times):
            moment, share = moments[at % len(moments)] if at >= 0 else BETWEEN, chance.random()
            told = go_through(where, moment, share)
            print(f"{where:9} {moment:8} {share:.2f} {told}", flush=True)
            before = found.setdefault(f"{where} {moment}", {})
            found[f"{where} {moment}"] = {name: max(told[name], before.get(name, 0)) for name in told} | {
                "rounds": before.get("rounds", 0) + 1
            }
    note("kills", {"seed": arguments.seed, "requests": REQUESTS, "at_once": AT_ONCE, "rounds": found})


if __name__ == "__main__":
    main()
