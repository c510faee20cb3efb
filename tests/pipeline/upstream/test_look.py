"""One look at a server tells who it is and what its models hold, and never fails or takes long."""

# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest
import trio
import trio.testing

from pipeline.settings import Timing
from pipeline.upstream import discovery as module
from pipeline.upstream.client import UpstreamClient
from pipeline.upstream.discovery import PATIENCE, PAUSE, Discovery
from pipeline.upstream.look import Findings, look_at
from stages.mapper import Target
from stages.tables.model_registry import Described, ModelRegistry
from stages.tables.profiles import PROFILES, Profile
from tests.support.cases import cases
from tests.support.counting import calls_of

MODELS = {"object": "list", "data": [{"id": "tiny", "object": "model"}]}


@attrs.define
class Site(httpx.AsyncBaseTransport):
    """A server of some routes, each with its JSON, or an exception; everything else is a 404."""

    routes: dict[str, Any]
    server: str = "uvicorn"
    takes: float = 0.0
    asked: list[str] = attrs.field(factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        assert request.method == "GET"
        path = request.url.path
        self.asked.append(path)
        await trio.sleep(self.takes)
        found = self.routes.get(path)
        if isinstance(found, Exception):
            raise found
        if isinstance(found, int):
            return httpx.Response(found, headers={"server": self.server})
        status = 404 if found is None else 200
        raw = found if isinstance(found, bytes) else None
        return httpx.Response(status, headers={"server": self.server}, content=raw, json=None if raw else found or {})


def client_of(site: Site) -> UpstreamClient:
    """A client of that server."""
    return UpstreamClient("http://engine:8080/v1", None, site, Timing(), 0)


def listed(**fields: Any) -> dict[str, Any]:
    """A list of one model."""
    return {"data": [{"id": "tiny", **fields}]}


@cases(
    ("site", "profile", "served", "window"),
    [
        (
            Site({"/v1/models": MODELS, "/props": {"default_generation_settings": {"n_ctx": 4096}}}, "llama.cpp"),
            "llama.cpp",
            {"tiny": None},
            4096,
        ),
        (Site({"/v1/models": listed(owned_by="llamacpp")}), "llama.cpp", {"tiny": None}, None),
        (
            Site({"/v1/models": listed(meta={"n_ctx_train": 9, "n_ctx": 8})}),
            "llama.cpp",
            {"tiny": 8},
            None,
        ),
        (Site({"/v1/models": listed(owned_by="vllm", max_model_len=32768)}), "vllm", {"tiny": 32768}, None),
        (Site({"/v1/models": listed(owned_by="SGLang")}), "vllm", {"tiny": None}, None),
        (Site({"/v1/models": MODELS, "/version": {"version": "0.11"}}), "vllm", {"tiny": None}, None),
        (
            Site(
                {
                    "/v1/models": listed(owned_by="library"),
                    "/api/ps": {
                        "models": [{"name": "tiny", "context_length": 4096}, {"name": "x", "context_length": 1}]
                    },
                }
            ),
            "ollama",
            {"tiny": 4096},
            None,
        ),
        (Site({"/v1/models": MODELS, "/api/version": {"version": "0.9"}}), "ollama", {"tiny": None}, None),
        (
            Site(
                {
                    "/v1/models": MODELS,
                    "/api/v0/models": {
                        "data": [{"id": "tiny", "max_context_length": 131072, "loaded_context_length": 8192}]
                    },
                }
            ),
            "lmstudio",
            {"tiny": 8192},
            None,
        ),
        (Site({"/v1/models": listed(context_length=262144)}), "", {"tiny": 262144}, None),
        (Site({"/v1/models": listed(context_length="262144")}), "", {"tiny": 262144}, None),
        (Site({"/v1/models": listed(capabilities={"limits": {"context_window": 64}})}), "", {"tiny": 64}, None),
        (Site({"/v1/models": listed(top_provider={"context_length": 64}, context_length=32)}), "", {"tiny": 32}, None),
        (
            Site(
                {
                    "/v1/models": {
                        "models": [
                            {
                                "key": "tiny",
                                "max_context_length": 131072,
                                "loaded_instances": [{"config": {"context_length": 8192}}],
                            },
                            {"key": "idle", "max_context_length": 64, "loaded_instances": []},
                        ]
                    }
                }
            ),
            "",
            {"tiny": 8192, "idle": 64},
            None,
        ),
        (
            Site({"/v1/models": listed(meta={"config": {"limits": {"details": {"n_ctx": 9}}}})}),
            "",
            {"tiny": None},
            None,
        ),
        (Site({}), "", {}, None),
        (Site({"/v1/models": b"<html>"}), "", {}, None),
        (Site({"/v1/models": {"data": "none"}}), "", {}, None),
        (Site({"/v1/models": {"data": [1, {"id": 5}, {"id": "a", "max_model_len": True}]}}), "", {"a": None}, None),
        (Site({"/v1/models": listed(max_model_len=-1, context_length="many")}), "", {"tiny": None}, None),
    ],
)
async def test_who_it_is_and_what_it_holds(
    site: Site, profile: str, served: dict[str, int | None], window: int | None
) -> None:
    """By its head, by what it says of its models, or by a route that only one server has."""
    found = await look_at(client_of(site), 1.0)

    assert (found.profile, found.served, found.window) == (profile, served, window)
    assert found.settled


@pytest.mark.parametrize(
    "trouble", [httpx.ConnectError("no"), httpx.ReadTimeout("no"), httpx.RemoteProtocolError("no")]
)
async def test_nobody_there(trouble: Exception) -> None:
    """One question is enough to know that."""
    site = Site({"/v1/models": trouble})

    assert await look_at(client_of(site), 1.0) == Findings()
    assert site.asked == ["/v1/models"]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_a_server_that_is_not_ready_is_looked_at_again(status: int) -> None:
    """What its head tells is known all the same."""
    found = await look_at(client_of(Site({"/v1/models": status}, "llama.cpp")), 1.0)

    assert (found.profile, found.settled) == ("llama.cpp", False)


async def test_a_list_without_end_is_cut(autojump_clock: trio.testing.MockClock) -> None:
    """Nobody fills our memory by listing models."""
    many = {"data": [{"id": f"m{number}"} for number in range(6_000)]}

    assert len((await look_at(client_of(Site({"/v1/models": many})), 1.0)).served) == 5_000


def test_a_model_costs_what_it_says() -> None:
    """A window is looked for where something is said: not in members of members that are not there."""

    def cost(models: int) -> int:
        site = Site({"/v1/models": {"data": [{"id": f"m{number}", "meta": {}} for number in range(models)]}})
        return calls_of(lambda: trio.run(look_at, client_of(site), 1.0))

    assert cost(20) - cost(10) < 10 * 300


# -- over time --------------------------------------------------------------------------------------


def discovery_of(site: Site, heard: list[Findings] | None = None, **registry: Any) -> Discovery:
    """What finds out about that server."""
    told = heard if heard is not None else []
    target = Target(PROFILES["openai"], "acc", ModelRegistry(**registry))
    return Discovery(client_of(site), target, lambda profile: profile, lambda _, found: told.append(found))


LLAMA = {"/v1/models": MODELS, "/props": {"default_generation_settings": {"n_ctx": 4096}}}


async def test_what_was_found_is_used_from_then_on(autojump_clock: trio.testing.MockClock) -> None:
    """The profile, the models and their windows; it is said once, and nobody looks again."""
    site = Site(dict(LLAMA), "llama.cpp")
    heard: list[Findings] = []
    discovery = discovery_of(site, heard, described={"mine": Described(model_info={"window": 5})})
    target = await discovery.known()
    again = await discovery.known()

    assert target is again
    assert target.profile is PROFILES["llama.cpp"]
    assert target.models.upstream_model("claude-sonnet-5-5") == "tiny"
    assert target.models.model_info("tiny").window == 4096
    assert target.models.model_info("mine").window == 5
    assert (len(heard), site.asked) == (1, ["/v1/models", "/props"])


async def test_all_who_need_to_know_wait_for_one_look(autojump_clock: trio.testing.MockClock) -> None:
    """A burst at the start asks the server once."""
    site = Site(dict(LLAMA), "llama.cpp", takes=0.5)
    discovery = discovery_of(site)
    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(discovery.known)

    assert site.asked == ["/v1/models", "/props"]
    assert trio.current_time() == 1.0


async def test_an_upstream_that_says_nothing_holds_nobody_up_for_long(autojump_clock: trio.testing.MockClock) -> None:
    """A request waits so long at most, and the next ones do not wait at all for a while."""
    site = Site({"/v1/models": MODELS}, takes=60.0)
    discovery = discovery_of(site)
    assert (await discovery.known()).profile is PROFILES["openai"]
    assert trio.current_time() == module.ANSWER_TIMEOUT < PATIENCE
    await discovery.known()
    assert trio.current_time() == module.ANSWER_TIMEOUT


async def test_an_upstream_that_was_away_is_looked_at_again(autojump_clock: trio.testing.MockClock) -> None:
    """At first need after a pause, which grows."""
    site = Site({"/v1/models": httpx.ConnectError("no")})
    heard: list[Findings] = []
    discovery = discovery_of(site, heard)
    for wait in (0, PAUSE + 1, PAUSE + 1, PAUSE + 1):
        await trio.sleep(wait)
        await discovery.known()
    assert (len(site.asked), heard) == (3, [])

    site.routes, site.server = dict(LLAMA), "llama.cpp"
    await trio.sleep(4 * PAUSE)

    assert (await discovery.known()).profile.name == "llama.cpp"
    assert len(heard) == 1


async def test_a_profile_that_was_set_stays(autojump_clock: trio.testing.MockClock) -> None:
    """Only models and windows are looked for then, and only where the API tells them."""
    site = Site({"/v1/models": listed(max_model_len=32768), "/version": {"version": "1"}})
    target = Target(PROFILES["compatible"], "acc")
    found = await Discovery(client_of(site), target, None).known()

    assert found.profile is PROFILES["compatible"]
    assert found.models.served == {"tiny": 32768}
    assert site.asked == ["/v1/models"]


async def test_overrides_hold_for_what_was_found(autojump_clock: trio.testing.MockClock) -> None:
    """Single fields that were set are about the server, whatever it is taken for."""

    def adapt(profile: Profile) -> Profile:
        return attrs.evolve(profile, files=True)

    found = await Discovery(client_of(Site(dict(LLAMA), "llama.cpp")), Target(), adapt).known()

    assert (found.profile.name, found.profile.files) == ("llama.cpp", True)
