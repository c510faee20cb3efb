"""Why connections fail: the class of each cause, found behind whatever the layers made of it."""

from __future__ import annotations

import errno
import socket
import ssl

import httpx
import pytest
import trio
import trustme

from pipeline.settings import Timing
from pipeline.upstream.causes import cause_of
from pipeline.upstream.client import UpstreamClient
from pipeline.upstream.http1.transport import HttptoolsTransport
from stages.canonical.failure import Failure, Kind
from tests.support.cases import cases
from tests.support.upstream import ScriptedUpstream


def _certificate(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_code = code
    return error


CAUSES: dict[str, BaseException] = {
    "dns": socket.gaierror(-2, "Name or service not known"),
    "refused": ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
    "reset": ConnectionResetError(errno.ECONNRESET, "reset"),
    "unreachable": OSError(errno.EHOSTUNREACH, "no route"),
    "descriptors": OSError(errno.EMFILE, "too many"),
    "timeout": trio.TooSlowError(),
    "tls": ssl.SSLError("wrong version number"),
    "tls expired": _certificate(10),
    "tls not yet valid": _certificate(9),
    "tls name": _certificate(62),
    "tls issuer": _certificate(20),
    "tls certificate": _certificate(1),
}


@cases("word", CAUSES)
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_the_class_of_a_cause(word: str, depth: int) -> None:
    """However deep it is, as cause, as context, or in a group."""
    error = CAUSES[word]
    for _ in range(depth):
        outer = OSError("all attempts failed")
        outer.__cause__ = BaseExceptionGroup("attempts", [ValueError(), error])
        error = outer
    cause = cause_of(error)
    assert cause is not None
    assert cause.word == word


def test_nothing_is_made_up() -> None:
    """Where nobody says why, we do not either; and a chain that goes round ends."""
    error, other = RuntimeError("a"), RuntimeError("b")
    error.__cause__, other.__cause__ = other, error
    assert cause_of(error) is None


@pytest.mark.parametrize("word", CAUSES)
async def test_what_is_tried_again(word: str, autojump_clock: trio.testing.MockClock) -> None:
    """A certificate does not get better by asking thrice; everything else may."""
    assert autojump_clock.current_time() == 0
    error = httpx.ConnectError("no")
    error.__cause__ = CAUSES[word]
    upstream = ScriptedUpstream(error)
    failure = await UpstreamClient("http://up", None, upstream, Timing(), retries=2).post("/responses", b"{}")

    assert isinstance(failure, Failure)
    assert (failure.kind, failure.cause) == (Kind.UNAVAILABLE, word)
    assert failure.message.startswith("The upstream cannot be reached: ")
    assert len(upstream.requests) == (1 if word.startswith("tls") else 3)


async def test_a_real_certificate_for_another_name() -> None:
    """From the socket to the sentence."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("elsewhere.example").configure_cert(server)
    authority.configure_trust(client)
    failures = [await _asked(server, client), await _asked(server, ssl.create_default_context())]
    assert [failure.cause for failure in failures] == ["tls name", "tls issuer"]


async def _asked(server: ssl.SSLContext, client: ssl.SSLContext) -> Failure:
    listeners = await trio.open_ssl_over_tcp_listeners(0, server, host="127.0.0.1")
    port = listeners[0].transport_listener.socket.getsockname()[1]  # type: ignore[attr-defined]
    transport = HttptoolsTransport(ssl_context=client)

    async def shake(stream: trio.SSLStream[trio.SocketStream]) -> None:
        try:
            await stream.do_handshake()
        except trio.BrokenResourceError:
            await trio.aclose_forcefully(stream)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, shake, listeners)
        asked = UpstreamClient(f"https://localhost:{port}", None, transport, Timing(), retries=2)
        failure = await asked.post("/responses", b"{}")
        nursery.cancel_scope.cancel()
    await transport.aclose()
    assert isinstance(failure, Failure)
    return failure
