"""A client's key at the edge: in either header, whatever else is sent, and never past it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.settings.client_keys import client_keys
from tests.support.client import MemoryClient, Reply
from tests.support.running import REQUEST, context_of

KEY, OTHER = "sk-ours-0123456789", "sk-another-0123456789"


async def ask(headers: dict[str, str], *keys: str) -> tuple[Reply, EmulatorTransport]:
    """Send a request to a proxy that asks for one of these keys."""
    upstream = EmulatorTransport(delay=0)
    context = context_of(upstream)
    settings = attrs.evolve(context.settings, client_keys=client_keys(list(keys)))
    client = MemoryClient(application(attrs.evolve(context, settings=settings)))
    return await client.messages(REQUEST | {"stream": False}, headers), upstream


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": KEY},
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer {KEY}"},
        {"x-api-key": KEY, "authorization": f"Bearer {KEY}"},
        {"x-api-key": KEY, "authorization": f"Bearer {OTHER}"},
        {"x-api-key": OTHER, "authorization": f"Bearer {KEY}"},
    ],
    ids=str,
)
async def test_a_known_key_opens(headers: dict[str, str]) -> None:
    """In either header, beside any other: clients that have a token of Anthropic's send it along."""
    reply, _ = await ask(headers, "sk-yet-another", KEY)

    assert reply.status == 200


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "x-api-key header is required"),
        ({"x-api-key": "  "}, "x-api-key header is required"),
        ({"authorization": KEY}, "x-api-key header is required"),
        ({"authorization": f"Basic {KEY}"}, "x-api-key header is required"),
        ({"x-api-key": OTHER}, "invalid x-api-key"),
        ({"x-api-key": OTHER, "authorization": f"Bearer {OTHER}"}, "invalid x-api-key"),
    ],
    ids=str,
)
async def test_any_other_is_refused(headers: dict[str, str], message: str) -> None:
    """As Anthropic says it, with the hint that asking again is of no use; nothing goes upstream."""
    reply, upstream = await ask(headers, KEY)
    error: dict[str, Any] = reply.json()["error"]

    assert (reply.status, error["type"], error["message"]) == (401, "authentication_error", message)
    assert reply.headers["x-should-retry"] == "false"
    assert upstream.requests == []


async def test_without_keys_nobody_is_asked() -> None:
    """A proxy of one's own takes whatever a client sends, and nothing at all."""
    for headers in ({}, {"x-api-key": OTHER}):
        assert (await ask(headers))[0].status == 200
