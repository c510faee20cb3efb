"""Slips of a base URL are served, or refused in words that name the right one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.endpoints.application import ROUTES
from pipeline.endpoints.paths import normal, not_found, wrong_method
from tests.support.cases import cases
from tests.support.running import client_of
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import CREATED, completed, text


def test_a_route_is_what_it_means() -> None:
    """Nobody has to look at a path that is one."""
    assert [normal(route) for route in ROUTES] == list(ROUTES)


PREFIXES = st.lists(st.sampled_from(["v1", "anthropic", "api", "claude", "proxy", "openai", ""]), max_size=4)


@cases(
    ("path", "meant"),
    [
        ("/v1/messages", "/v1/messages"),
        ("/v1/v1/messages", "/v1/messages"),
        ("/messages", "/v1/messages"),
        ("/v1/messages/", "/v1/messages"),
        ("//v1/messages", "/v1/messages"),
        ("/v1//messages//", "/v1/messages"),
        ("/anthropic/v1/messages", "/v1/messages"),
        ("/api/v1/v1/messages", "/v1/messages"),
        ("/messages/count_tokens", "/v1/messages/count_tokens"),
        ("/v1/v1/messages/count_tokens/", "/v1/messages/count_tokens"),
        ("/v1/messages/v1/messages", "/v1/messages/v1/messages"),
        ("/models", "/v1/models"),
        ("/v1/v1/models/", "/v1/models"),
        ("/anthropic/v1/models/openai/gpt-5", "/v1/models/openai/gpt-5"),
        ("//models/claude-x", "/v1/models/claude-x"),
        ("/v1/models//", "/v1/models"),
        ("/v2/messages", "/v2/messages"),
        ("/v1/messages/batches", "/v1/messages/batches"),
        ("/v1/complete", "/v1/complete"),
        ("/", "/"),
        ("//", "/"),
        ("", "/"),
        ("/healthz/", "/healthz"),
        ("/V1/Messages", "/v1/messages"),
        ("/Anthropic/V1/messages/count_tokens", "/v1/messages/count_tokens"),
        ("/v1/messagesX", "/v1/messagesX"),
        ("/V1/models/Org/Model-7B", "/v1/models/Org/Model-7B"),
        ("/v1/files/File_A", "/v1/files/File_A"),
    ],
)
def test_what_a_path_means(path: str, meant: str) -> None:
    """Prefixes and slashes too many or too few; never another resource."""
    assert normal(path) == meant


@given(PREFIXES, st.sampled_from(sorted(route for route in ROUTES if route.startswith("/v1/"))), st.integers(0, 3))
def test_any_number_of_prefixes(prefixes: list[str], route: str, slashes: int) -> None:
    """In any order."""
    assert normal("/" + "/".join([*prefixes, route.removeprefix("/v1/")]) + "/" * slashes) == route


def test_a_wrong_method() -> None:
    """The right one is named, and nothing of the request."""
    assert wrong_method("/v1/messages", ["POST"]) == "Method Not Allowed: /v1/messages takes POST"
    assert wrong_method("/v1/files", ["GET", "POST"]) == "Method Not Allowed: /v1/files takes GET or POST"


@given(st.text("/v1mesagdlxM.", max_size=30))
def test_looking_once_is_enough(path: str) -> None:
    """What is normal stays so."""
    assert normal(normal(path)) == normal(path)


@pytest.mark.parametrize("path", ["/v1/v1/messages", "/messages", "//v1/messages/", "/anthropic/v1/messages"])
async def test_slips_are_served(path: str) -> None:
    """As the route that they mean."""
    client = client_of(ScriptedUpstream(Script([CREATED, text("hi"), completed()])))
    reply = await client.request(
        "POST", path, b"""{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"""
    )

    assert reply.status == 200


async def test_a_model_with_slashes_below_a_slip() -> None:
    """Its id arrives whole."""
    reply = await client_of(ScriptedUpstream(Script())).request("GET", "/v1/v1/models/openai/gpt-5", b"")

    assert (reply.status, reply.json()["id"]) == (200, "openai/gpt-5")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/v1/chat/completions", "use POST /v1/messages, in Anthropic's form"),
        ("/chat/completions", "use POST /v1/messages, in Anthropic's form"),
        ("/openai/v1/responses", "use POST /v1/messages, in Anthropic's form"),
        ("/v1/complete", "use POST /v1/messages"),
        ("/v1/mesages", "did you mean /v1/messages?"),
        ("/v1/message", "did you mean /v1/messages?"),
        ("/nowhere", "messages go to POST /v1/messages, so the base URL"),
    ],
)
async def test_others_are_refused_in_words(path: str, says: str) -> None:
    """A 404 in Anthropic's envelope that helps."""
    reply = await client_of(ScriptedUpstream(Script())).request("POST", path, b"{}")
    error = reply.json()["error"]

    assert (reply.status, error["type"]) == (404, "not_found_error")
    assert error["message"] == not_found("POST", path, ROUTES)
    assert says in error["message"]
