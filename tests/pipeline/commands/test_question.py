"""What an upstream answers when it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from pipeline.commands.listening import bind
from pipeline.commands.question import Listed, Reply, ask_upstream
from pipeline.settings import Secret, Settings, Timing, UpstreamSettings
from stages.canonical.failure import Kind

_STREAM = 'event: response.created\ndata: {"type":"response.created","response":{"object":"response","error":null}}\n\n'
_FAILED = 'data: {"type":"response.failed","response":{"error":{"code":"insufficient_quota","message":"Spent."}}}\n\n'


def _settings(url: str = "https://host.test/v1") -> Settings:
    return Settings(upstream=UpstreamSettings(url=url, api_key=Secret("k-1")), timing=Timing(connect=0.3))


def _ask(answer: Callable[[httpx.Request], httpx.Response]) -> Reply:
    return ask_upstream(_settings(), lambda _served: ["m"], httpx.MockTransport(answer))


def _by_route(models: httpx.Response, question: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: models if request.url.path == "/v1/models" else question


def test_an_upstream_that_answers() -> None:
    """The list, then each chosen model once, with the key, few tokens, and the wish for summaries."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        listed = httpx.Response(200, json={"data": [{"id": "m"}, {"id": 1}, "b"]})
        return _by_route(listed, httpx.Response(200, text=_STREAM))(request)

    reply = ask_upstream(_settings(), lambda served: [*served, "n"], httpx.MockTransport(answer))

    assert reply.listed == Listed(("m",))
    assert [(each.model, each.failure, each.summaries) for each in reply.asked] == [
        ("m", None, True),
        ("n", None, True),
    ]
    assert {request.headers["authorization"] for request in seen} == {"Bearer k-1"}
    asked = json.loads(seen[1].content)
    assert (asked["max_output_tokens"], asked["store"], asked["reasoning"]) == (16, False, {"summary": "auto"})


def test_summaries_that_are_refused() -> None:
    """It is asked once more without them; only that is a model that answers without."""

    def answer(request: httpx.Request) -> httpx.Response:
        if b"summary" in request.content:
            return httpx.Response(400, json={"error": {"message": "Verify your organization", "param": "reasoning"}})
        return httpx.Response(200, text=_STREAM)

    (asked,) = _ask(answer).asked

    assert (asked.failure, asked.summaries) == (None, False)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"data":null}'])
def test_a_list_that_is_none(content: bytes) -> None:
    """A 200 that lists nothing is no list."""
    listed = _ask(_by_route(httpx.Response(200, content=content), httpx.Response(200, text=_STREAM))).listed

    assert listed.failure is not None
    assert listed.failure.cause == "no list"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, text="<html>welcome</html>"), Kind.MISCONFIGURED),
        (httpx.Response(200, text=""), Kind.MISCONFIGURED),
        (httpx.Response(200, text=_STREAM + _FAILED), Kind.QUOTA),
        (httpx.Response(200, json={"error": {"code": "invalid_api_key", "message": "No."}}), Kind.AUTHENTICATION),
        (httpx.Response(404, json={"error": {"code": "model_not_found", "message": "No."}}), Kind.NOT_FOUND),
        (httpx.Response(429, json={"error": {"code": "insufficient_quota", "message": "No."}}), Kind.QUOTA),
    ],
)
def test_what_is_wrong_with_an_answer(answer: httpx.Response, kind: Kind) -> None:
    """Also where the status is a good one."""
    (asked,) = _ask(_by_route(httpx.Response(404), answer)).asked

    assert asked.failure is not None
    assert asked.failure.kind is kind


def test_a_whole_answer() -> None:
    """A server that does not stream answers all the same."""
    whole = httpx.Response(200, json={"object": "response", "output": [], "status": "incomplete", "error": None})

    assert _ask(_by_route(httpx.Response(404), whole)).failures == []


def test_nobody_listens() -> None:
    """A port that was free a moment ago."""
    with bind("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    failure = ask_upstream(_settings(url), lambda _served: []).listed.failure

    assert failure is not None
    assert failure.cause == "refused"


def test_a_proxy_that_nobody_speaks_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a finding, not a traceback."""
    monkeypatch.setenv("ALL_PROXY", "socks4://127.0.0.1:1")

    failure = ask_upstream(_settings(), lambda _served: ["m"]).listed.failure

    assert failure is not None
    assert "socks4://" in failure.message
