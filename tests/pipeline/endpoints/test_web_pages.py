"""Web pages and a server that asks for no key: own names only, in `Host` and in `Origin`."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.settings.client_keys import client_keys
from tests.support.cases import cases
from tests.support.client import MemoryClient, Reply
from tests.support.running import REQUEST, context_of

OWN = [
    {},
    {"host": "localhost:8765"},
    {"host": "LOCALHOST"},
    {"host": "127.0.0.1:1"},
    {"host": "127.8.8.8"},
    {"host": "[::1]:8765"},
    {"host": "localhost", "origin": "http://localhost:3000"},
    {"host": "127.0.0.1", "origin": "https://[::1]"},
    {"host": "box.example:80"},
    {"host": "localhost", "origin": "chrome-extension://box.example"},
]
"""Who may call, where the settings name `box.example`."""

FOREIGN = [
    {"host": "evil.example"},
    {"host": "localhost.evil.example"},
    {"host": "evil.example:8765", "origin": "http://evil.example:8765"},
    {"host": "192.168.0.1"},
    {"host": "[::1"},
    {"host": "localhost", "origin": "https://evil.example"},
    {"host": "localhost", "origin": "null"},
    {"host": "localhost", "origin": ""},
    {"host": "localhost", "origin": "file://"},
    {"host": "localhost", "origin": "http://127.0.0.1@evil.example"},
]
"""Who may not."""


async def ask(headers: dict[str, str], path: str = "/v1/messages", **settings: Any) -> tuple[Reply, int]:
    """Send a request as a page would; return the answer, and how often the upstream was asked."""
    upstream = EmulatorTransport(delay=0)
    context = context_of(upstream)
    given = attrs.evolve(context.settings, hosts=("box.example",), **settings)
    client = MemoryClient(application(attrs.evolve(context, settings=given)))
    body = b"" if path != "/v1/messages" else None
    reply = (
        await client.messages(REQUEST | {"stream": False}, headers)
        if body is None
        else await client.request("GET", path, body, headers)
    )
    return reply, len(upstream.requests)


@cases("headers", OWN, ids=str)
async def test_own_names(headers: dict[str, str]) -> None:
    """Loopback by any of its names, what the settings add, and clients that are no browsers."""
    assert (await ask(headers))[0].status == 200


@cases("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/models", "/healthz"])
async def test_foreign_names(headers: dict[str, str], path: str) -> None:
    """A clear 403 in Anthropic's envelope that names the setting; nothing is asked upstream."""
    reply, asked = await ask(headers, path)
    error = reply.json()["error"]

    assert (reply.status, error["type"], asked) == (403, "permission_error", 0)
    assert "`hosts`" in error["message"]


async def test_with_keys_nobody_is_asked_where_he_comes_from() -> None:
    """A page does not have the key."""
    key = "sk-ours-0123456789"
    for headers in FOREIGN:
        reply, _ = await ask({**headers, "x-api-key": key}, client_keys=client_keys([key]))
        assert reply.status == 200


async def test_the_name_that_is_listened_on() -> None:
    """Is one's own, of course."""
    assert (await ask({"host": "box.test"}, host="box.test"))[0].status == 200
