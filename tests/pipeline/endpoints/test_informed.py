"""Requests know what a look at the upstream has found, and none is held up by one that finds nobody."""

# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

import pickle
from typing import Any

import attrs
import httpx
import pytest
import trio
import trio.testing

from pipeline.endpoints.application import application
from pipeline.named_upstream import target_of
from pipeline.settings import load
from pipeline.upstream.discovery import Discovery
from pipeline.upstream.look import MOST_MODELS
from stages.mapper import Target
from tests.support.client import MemoryClient
from tests.support.running import REQUEST, context_of
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import CREATED, completed, text


class Engine(ScriptedUpstream):
    """An engine of one model that answers messages by script, and looks by what it is; `away` refuses those."""

    def __init__(self, *, away: bool = False) -> None:
        super().__init__(Script([CREATED, text("hi"), completed()]))
        self.looks = 0
        self.away = away

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        if request.method == "POST":
            return await super().handle_async_request(request)
        self.looks += 1
        if self.away:
            raise httpx.ConnectError("no")
        routes: dict[str, Any] = {
            "/v1/models": {"data": [{"id": "tiny", "owned_by": "llamacpp"}]},
            "/props": {"default_generation_settings": {"n_ctx": 8_192}},
        }
        return httpx.Response(200, headers={"server": "llama.cpp"}, json=routes[request.url.path])


def client_of(engine: Engine) -> MemoryClient:
    """A client of a service that has not looked yet."""
    context = context_of(engine)
    context = attrs.evolve(context, discovery=Discovery(context.upstream, context.target, lambda profile: profile))
    return MemoryClient(application(context))


async def test_the_first_request_knows_already(autojump_clock: trio.testing.MockClock) -> None:
    """It is asked of the model that there is, as the engine wants it, with room for the prompt; one look is enough."""
    engine = Engine()
    client = client_of(engine)
    for _ in range(3):
        reply = await client.messages({**REQUEST, "max_tokens": 32_000})
        assert reply.status == 200

    sent = engine.requests[0]
    assert sent["model"] == "tiny"
    assert "prompt_cache_key" not in sent
    assert 4_000 < sent["max_output_tokens"] < 8_192
    assert engine.looks == 2


async def test_what_is_settled_is_made_once(autojump_clock: trio.testing.MockClock) -> None:
    """From the first look that has found somebody on, requests share what they are served with."""
    context = context_of(Engine())
    context = attrs.evolve(context, discovery=Discovery(context.upstream, context.target, lambda profile: profile))

    first = await context.informed()

    assert first.target.models.served == {"tiny": None}
    assert await context.informed() is first


async def test_the_catalogue_tells_the_true_window(autojump_clock: trio.testing.MockClock) -> None:
    """Under every name; the models of the tables are not there, so they are not listed."""
    listed = (await client_of(Engine()).request("GET", "/v1/models?limit=1000", b"")).json()["data"]

    assert {model["max_input_tokens"] for model in listed} == {8_192}
    assert [model["id"] for model in listed][-1] == "claude-tiny"
    assert not any("gpt" in model["id"] for model in listed)
    assert len(listed) < MOST_MODELS


async def test_an_upstream_that_is_away_is_not_waited_for(autojump_clock: trio.testing.MockClock) -> None:
    """The request goes on as if nothing could be known; the next one does not look again at once."""
    engine = Engine(away=True)
    client = client_of(engine)
    for _ in range(2):
        assert (await client.messages(REQUEST)).status == 200

    assert engine.looks == 1
    assert engine.requests[0]["model"] == "gpt-6.2-sol"


async def test_health_is_asked_without_a_look(autojump_clock: trio.testing.MockClock) -> None:
    """Whether this server lives does not depend on another."""
    engine = Engine()

    assert (await client_of(engine).request("GET", "/healthz", b"")).status == 200
    assert engine.looks == 0


@pytest.mark.parametrize("models", ["", "opus=mine,mine~gpt-6.2-sol"])
async def test_what_is_known_of_an_upstream_can_go_into_another_process(models: str) -> None:
    """Where large requests are translated, and tokens are counted; by settings, and by a look, also one in vain."""
    target = target_of(load({}, {"DRAGOMAN_MODELS": models}, None))
    for engine in (Engine(), Engine(away=True)):
        discovery = Discovery(context_of(engine).upstream, target, lambda profile: profile)
        await discovery.look()

        assert _sent(discovery.target) == discovery.target
    assert _sent(target) == target


def _sent(target: Target) -> Target:
    sent: Target = pickle.loads(pickle.dumps(target))  # noqa: S301 - our own
    return sent
