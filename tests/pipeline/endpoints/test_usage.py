"""`GET /dragoman/usage`: a session's sums, for those whose session it is."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.settings.client_keys import client_keys
from pipeline.telemetry.session_marks import session_mark
from tests.support.client import MemoryClient
from tests.support.running import REQUEST, context_of

SESSION = "0198c0de-1111-4222-8333-444455556666"
KEYS = client_keys({"one": "sk-one", "two": "sk-two"})


def _client(**changes: Any) -> MemoryClient:
    context = context_of(EmulatorTransport(delay=0))
    return MemoryClient(application(attrs.evolve(context, settings=attrs.evolve(context.settings, **changes))))


async def _ask(client: MemoryClient, **headers: str) -> list[dict[str, Any]]:
    reply = await client.request("GET", f"/dragoman/usage?session={session_mark(SESSION)}", headers=headers)
    assert reply.status == 200
    found: list[dict[str, Any]] = reply.json()["models"]
    return found


async def test_a_session() -> None:
    """Two requests of it are summed, and one of another session is not."""
    client = _client()
    for session in (SESSION, SESSION, SESSION.replace("1", "2")):
        await client.messages(REQUEST, {"x-claude-code-session-id": session})
    (model,) = await _ask(client)

    assert (model["asked_model"], model["upstream_model"]) == ("claude-sonnet-5-5", "gpt-6.2-sol")
    assert model["requests"] == 2
    assert model["cost_usd"] > 0
    assert model["input_tokens"] + model["cache_read_input_tokens"] > 0
    assert 0 <= model["cache_hit_rate"] <= 1


async def test_whose_session_it_is() -> None:
    """Another client's key tells nothing of it, and no key gets no answer."""
    client = _client(client_keys=KEYS)
    await client.messages(REQUEST, {"x-claude-code-session-id": SESSION, "x-api-key": "sk-one"})

    assert len(await _ask(client, **{"x-api-key": "sk-one"})) == 1
    assert await _ask(client, **{"x-api-key": "sk-two"}) == []
    assert (await client.request("GET", "/dragoman/usage?session=x")).status == 401


@pytest.mark.parametrize("query", ["", "?session="])
async def test_what_has_no_answer(query: str) -> None:
    """No session was named."""
    assert (await _client().request("GET", f"/dragoman/usage{query}")).status == 400
