"""Inputs that have ended a server: each against a real process, beside a stream that must not notice."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from tests.support import http2
from tests.support.ways import WAYS, Served, rest, served_by, streaming

GOOD = ((b":method", b"GET"), (b":path", b"/healthz"), (b":scheme", b"https"), (b":authority", b"localhost"))
"""What an HTTP/2 request needs."""


def _with(name: bytes, value: bytes) -> bytes:
    return http2.asking(*((key, value if key == name else other) for key, other in GOOD))


def _head(*lines: bytes) -> bytes:
    return b"\r\n".join([b"GET / HTTP/1.1", b"host: localhost", *lines, b"", b""])


INPUTS = {
    "an early 404 of HTTP/2": http2.uploading(b"/nowhere", 7),
    "an early 413 of HTTP/2": http2.uploading(b"/v1/messages", 7),
    "a path that is no ASCII": _with(b":path", b"/\xff"),
    "a method that is no ASCII": _with(b":method", b"G\xffT"),
    "CONNECT without a path": http2.asking((b":method", b"CONNECT"), (b":authority", b"localhost")),
    "an extended CONNECT": http2.asking(*GOOD[1:], (b":method", b"CONNECT"), (b":protocol", b"websocket"), end=False),
    "1,500 PRIORITY frames": http2.prioritising(1_500),
    "h2c with broken settings": _head(b"connection: upgrade, http2-settings", b"upgrade: h2c", b"http2-settings: A"),
    "a websocket with a byte behind": _head(
        b"connection: upgrade",
        b"upgrade: websocket",
        b"sec-websocket-version: 13",
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    + b"x",
    "prior knowledge": http2.PREFACE,
    "nothing": b"",
    "half a head": b"GET / HT",
    "nonsense": bytes(range(256)) * 10,
}


@pytest.fixture(scope="module", params=WAYS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of each kind; it must have survived all, and end when it is told to."""
    with served_by(request.param, tmp_path_factory.mktemp("served"), timing_shutdown_grace=5) as made:
        yield made
        assert made.running.terminate() == 0
        assert "Traceback" not in made.running.logged()


@pytest.mark.parametrize("name", INPUTS)
def test_nobody_else_notices(served: Served, name: str) -> None:
    """The connection may end; the process, and a stream beside it, go on."""
    with served.connect("http/1.1") as beside:
        beside.sendall(streaming("[[slow 0.005]]"))
        begun = beside.recv(65_536)
        with served.connect() as attacker:
            try:
                attacker.sendall(INPUTS[name])
                attacker.settimeout(0.1)
                attacker.recv(65_536)
            except (OSError, ssl.SSLError):
                pass
        whole = begun + rest(beside)

    assert whole.startswith(b"HTTP/1.1 200 ")
    assert b"event: message_stop" in whole
    assert served.running.alive
    assert served.ask(b"GET /healthz HTTP/1.0\r\nhost: localhost\r\n\r\n").startswith(b"HTTP/1.1 200 ")


BODY = b"x" * 2_000_000
"""More than a socket holds: a server that does not read it blocks its client, one that cuts it off resets it."""

EARLY = {
    "404": b"POST /nowhere HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n",
    "405": b"POST /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n",
    "413": b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n",
    "403": b"POST /v1/messages HTTP/1.1\r\nhost: elsewhere\r\nconnection: close\r\n",
}
"""Heads of requests that are refused before their body has come, by the status that says so."""


@pytest.mark.parametrize("status", EARLY)
@pytest.mark.parametrize("chunked", [False, True])
def test_an_early_refusal_is_read(refusing: Served, status: str, *, chunked: bool) -> None:
    """A client that sends all of its body first comes to read why it was refused, and no socket stays behind."""
    before = refusing.running.descriptors
    framed = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY) if chunked else BODY
    length = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % len(BODY)
    said = refusing.ask(EARLY[status] + length + b"\r\n\r\n" + framed)

    assert said.startswith(b"HTTP/1.1 %b " % status.encode())
    assert b'"type":"error"' in said
    refusing.running.until(lambda: refusing.running.descriptors <= before)


@pytest.fixture(scope="module", params=[way for way in WAYS if way != "h2"])
def refusing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that takes small bodies alone."""
    with served_by(request.param, tmp_path_factory.mktemp("refusing"), limits_body_bytes=1_000_000) as made:
        yield made


@pytest.fixture(scope="module")
def multiplexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of HTTP/2 that takes small bodies alone."""
    with served_by("h2", tmp_path_factory.mktemp("multiplexed"), limits_body_bytes=10_000) as made:
        yield made


@pytest.mark.parametrize(("path", "status"), [(b"/nowhere", b"404"), (b"/v1/messages", b"413")])
def test_an_early_refusal_of_one_stream(multiplexed: Served, path: bytes, status: bytes) -> None:
    """Over HTTP/2 it is read as well, and the connection goes on for the others."""
    with multiplexed.connect() as connection:
        client = http2.opened()
        connection.sendall(http2.uploading(path, 7, client))
        assert http2.answer(connection, client, 1)[0] == status
        client.send_headers(3, list(GOOD), end_stream=True)
        connection.sendall(client.data_to_send())
        assert http2.answer(connection, client, 3)[0] == b"200"
