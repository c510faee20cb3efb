"""The listening socket."""

from __future__ import annotations

import socket

import pytest

from pipeline.commands.listening import bind, url, url_of
from pipeline.commands.screen import CommandError


def test_any_free_port() -> None:
    """Port 0 is replaced by what the system chose."""
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        assert url_of(listener) == f"http://127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            assert client.getpeername()[1] == port


def test_a_port_in_use() -> None:
    """The most common trouble is a sentence that says what to do."""
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(CommandError, match=rf"port {port} of 127.0.0.1 is in use .* --port"):
            bind("127.0.0.1", port)


def test_an_address_of_another_machine() -> None:
    """192.0.2.0/24 is nobody's."""
    with pytest.raises(CommandError, match="no address of this machine"):
        bind("192.0.2.7", 0)


def test_a_name_that_is_none() -> None:
    """A name with a space in it has never been an address."""
    with pytest.raises(CommandError, match="not the name of an address"):
        bind("no such name", 0)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("[::1]", "http://[::1]:1"),
        ("localhost", "http://localhost:1"),
    ],
)
def test_the_url_to_reach_it(host: str, expected: str) -> None:
    """Everywhere is reached by loopback, and IPv6 stands in brackets."""
    assert url(host, 1) == expected
