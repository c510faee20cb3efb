"""A real process in hard times: clients that do not read, signals, no place for logs, too many at once."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from stages.wire import json
from tests.support.process import PATIENCE
from tests.support.ways import WAYS, Served, rest, served_by, streaming

ENDLESS = "[[slow 600]]"
"""A stream that outlives every test."""


def begun(served: Served, words: str) -> socket.socket:
    """Open a stream, and return its connection when it has begun."""
    connection = served.connect("http/1.1")
    connection.sendall(streaming(words))
    assert connection.recv(12).startswith(b"HTTP/1.1 200")
    return connection


@pytest.mark.parametrize("way", WAYS)
def test_the_end_comes_within_the_grace(way: str, tmp_path: Path) -> None:
    """Idle connections close at once; streams get their one error; who does not read holds nobody up."""
    with served_by(way, tmp_path, timing_shutdown_grace=0.5) as served:
        idle, stream, deaf = served.connect("http/1.1"), begun(served, ENDLESS), served.connect("http/1.1")
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(streaming(ENDLESS))
        served.running.process.send_signal(signal.SIGTERM)
        assert rest(idle) == b""
        last = rest(stream)

        assert last.count(b"event: error") == 1
        assert b"overloaded_error" in last
        assert served.running.process.wait(PATIENCE) == 0
        for each in (idle, stream, deaf):
            each.close()


@pytest.mark.parametrize("way", ["dragoman", "http/1.1"])
def test_who_comes_while_the_server_ends(way: str, tmp_path: Path) -> None:
    """New requests are told to come again, probes are answered, what runs goes on; Ctrl-C ends it with its error."""
    with served_by(way, tmp_path, timing_shutdown_grace=PATIENCE) as served:
        stream = begun(served, ENDLESS)
        served.running.process.send_signal(signal.SIGTERM)
        served.running.process.send_signal(signal.SIGTERM)
        served.running.until(lambda: '"stopping"' in served.running.logged())
        told = served.ask(streaming("hello"))
        readiness = served.ask(b"GET /readyz HTTP/1.0\r\nhost: localhost\r\n\r\n")

        assert told.startswith(b"HTTP/1.1 529 ")
        assert b"\r\nretry-after: 2\r\n" in told
        assert told.endswith(b"}"), "the connection ends with the refusal"
        assert readiness.startswith(b"HTTP/1.1 503 ")
        assert b'"status":"draining"' in readiness
        assert served.ask(b"GET /healthz HTTP/1.0\r\nhost: localhost\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert served.running.alive

        served.running.process.send_signal(signal.SIGINT)
        assert rest(stream).count(b"event: error") == 1
        stream.close()
        assert served.running.process.wait(PATIENCE) == 0
        (stopping,) = [
            line for line in map(json.decode, served.running.logged().splitlines()) if line["event"] == "stopping"
        ]
        assert (stopping["by"], stopping["streams"], stopping["grace_seconds"]) == ("SIGTERM", 1, PATIENCE)


def test_where_a_proxy_knows_another_server(tmp_path: Path) -> None:
    """With `draining = close` nobody is there for new connections, and what runs is whole all the same."""
    with served_by("dragoman", tmp_path, draining="close") as served:
        stream = begun(served, "[[slow 0.02]]")
        served.running.process.send_signal(signal.SIGTERM)
        served.running.until(lambda: '"stopping"' in served.running.logged())
        with pytest.raises(ConnectionError):
            served.running.connect()
        assert b"event: message_stop" in rest(stream)
        stream.close()


def _read_on(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


def test_signals_that_mean_something_else(tmp_path: Path) -> None:
    """A terminal that closes and a tool that asks for a report end nobody."""
    with served_by("dragoman", tmp_path) as served:
        stream = begun(served, "[[slow 0.01]]")
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
            served.running.process.send_signal(number)
        assert b"event: message_stop" in rest(stream)
        stream.close()
        assert served.running.terminate() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("level", ["debug", "error"])
def test_no_place_for_logs(level: str, tmp_path: Path) -> None:
    """A full disk costs lines, not requests."""
    with served_by("dragoman", tmp_path, log_to="/dev/full", log_level=level) as served:
        for _ in range(3):
            stream = begun(served, "[[slow 0]]")
            assert b"event: message_stop" in rest(stream)
            stream.close()
        assert served.running.terminate() == 0


@pytest.mark.parametrize("way", ["dragoman", "h2"])
def test_too_many_at_once(way: str, tmp_path: Path) -> None:
    """One more is refused before its body has come, health is told, and the streams that run stay whole."""
    with served_by(way, tmp_path, limits_requests=2) as served:
        running = [begun(served, "[[slow 0.02]]") for _ in range(2)]
        head = b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 2000000\r\n\r\n"
        with served.connect("http/1.1") as late:
            late.sendall(head)
            said = late.recv(65_536)
        assert said.startswith(b"HTTP/1.1 529 ")
        assert b"retry-after: " in said
        assert served.ask(b"GET /healthz HTTP/1.0\r\nhost: localhost\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        for stream in running:
            assert b"event: message_stop" in rest(stream)
            stream.close()


def test_a_client_that_does_not_read_is_left(tmp_path: Path) -> None:
    """Its socket is aborted, and the request ends; others go on."""
    with served_by("dragoman", tmp_path, timing_write=0.2) as served:
        before = served.running.descriptors
        with served.connect() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.sendall(b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n" * 1_000)
            served.running.until(lambda: not served.running.holds(deaf))
            served.running.until(lambda: served.running.descriptors <= before)
            with pytest.raises(ConnectionResetError):
                _read_on(deaf)
        assert served.running.alive
