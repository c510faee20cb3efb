"""The launcher walk: what the screen says before Claude Code is not started, and the line to set, by what is wrong.

A server is played for each, and asked as `dragoman claude` asks: for its list, and each model one question.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pipeline.commands.findings import Verdict
from pipeline.commands.preflight import preflight
from pipeline.commands.question import Choice, Reply, ask_upstream
from pipeline.settings import Secret, Settings, UpstreamSettings

_MAIN, _ASIDE = ("claude-opus", "claude-sonnet"), ("claude-haiku",)
_PAGE = "<html><head><title>Sign in</title></head></html>"
_NO_DEPLOYMENT = "The API deployment for this resource does not exist."
_PLAINLY = "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>"
_OK = 'data: {"type":"response.created","response":{"object":"response","error":null}}\n\n'

Answer = Callable[[], httpx.Response]


def _error(status: int, code: str | None, message: str = "No.") -> Answer:
    return lambda: httpx.Response(status, json={"error": {"message": message, "code": code}})


def _json(status: int, body: Any) -> Answer:
    return lambda: httpx.Response(status, json=body)


def _page(status: int, page: str = _PAGE, kind: str = "text/html") -> Answer:
    return lambda: httpx.Response(status, text=page, headers={"content-type": kind})


def _raising(error: type[httpx.TransportError]) -> Answer:
    def answer() -> httpx.Response:
        raise error("no")

    return answer


def _list(*models: str) -> Answer:
    return _json(200, {"data": [{"id": model} for model in models]})


_THERE = _list("gpt-6.2-astra", "gpt-6.2-sol", "gpt-6-luna")
_NOT_FOUND = _json(404, {"detail": "Not Found"})
_NO_MODEL = _error(404, "model_not_found")

WALK: dict[str, tuple[Answer, Answer, str, str]] = {
    "a wrong key": (
        *(_error(401, "invalid_api_key"),) * 2,
        "the upstream does not accept the key (401, invalid_api_key)",
        "export OPENAI_API_KEY=sk-...",
    ),
    "no model of ours": (
        _list("text-embedding-3-small", "gpt-5-mini"),
        _NO_MODEL,
        "gpt-6.2-astra, gpt-6.2-sol, gpt-6-luna: the upstream has no such model (404, model_not_found)",
        'export DRAGOMAN_MODELS="fable=gpt-5-mini,opus=gpt-5-mini,sonnet=gpt-5-mini,',
    ),
    "an engine with a model of its own, among others": (
        _list("qwen3-coder:30b", "nomic-embed-text:latest"),
        _error(404, None, "model 'gpt-6.2-astra' not found"),
        "the upstream has no such model (404, not found)",
        "opus=qwen3-coder:30b",
    ),
    "a page for people": (_page(200), _page(200), "what answers there is no list of models", "export OPENAI_BASE_URL="),
    "a page that says 404": (
        _page(404),
        _page(404),
        "the upstream answered 404, and not about a model; upstream.url may name the wrong path",
        "correct the address: export OPENAI_BASE_URL=https://.../v1",
    ),
    "JSON that says 404": (_NOT_FOUND, _NOT_FOUND, "upstream.url may name the wrong path: Not Found", "correct"),
    "a 200 that is no list": (
        _json(200, {"ok": True}),
        _json(200, {"ok": True}),
        "what answers there is no list of models",
        "is it an API? export OPENAI_BASE_URL=https://.../v1",
    ),
    "a list, and no Responses API": (
        _THERE,
        _NOT_FOUND,
        "what answers there lists models, and has no Responses API",
        "take a version of the server that has /v1/responses, or another: export OPENAI_BASE_URL=",
    ),
    "a redirection to a login": (
        _page(302),
        _page(302),
        "the upstream says: sign in",
        "correct the address",
    ),
    "a quota that is spent": (
        _THERE,
        _error(429, "insufficient_quota"),
        "the quota is used up (429, insufficient_quota)",
        "pay it up at the provider, or take another key: export OPENAI_API_KEY=sk-...",
    ),
    "a country that is not served": (
        *(_error(403, "unsupported_country_region_territory"),) * 2,
        "the upstream does not serve the country or region of this address",
        "go by a proxy elsewhere (HTTPS_PROXY), or take another provider: export OPENAI_BASE_URL=",
    ),
    "no right to it": (*(_error(403, None),) * 2, "the key lacks rights", "export OPENAI_API_KEY=sk-..."),
}
"""What is asked of whom: how the list and a question are answered, what is said, and the line to set."""

_PLAIN = "http://api.openai.com/v1"

ON_THE_WAY: dict[str, tuple[str, Answer, str, str]] = {
    "HTTPS where plain HTTP is asked, by nginx": (
        _PLAIN,
        _page(400, _PLAINLY),
        "what answers there speaks HTTPS, and was asked without it",
        "https:// may be meant: export OPENAI_BASE_URL=https://api.openai.com/v1",
    ),
    "HTTPS where plain HTTP is asked, by a program in Go": (
        _PLAIN,
        _page(400, "Client sent an HTTP request to an HTTPS server.\n", "text/plain"),
        "what answers there speaks HTTPS, and was asked without it",
        "https:// may be meant: export OPENAI_BASE_URL=https://api.openai.com/v1",
    ),
    "HTTPS where plain HTTP is asked, and nothing is said": (
        _PLAIN,
        _raising(httpx.ReadError),
        "the connection to the upstream broke",
        "https:// may be meant: export OPENAI_BASE_URL=https://api.openai.com/v1",
    ),
    "a server that hangs up": (
        "https://api.openai.com/v1",
        _raising(httpx.RemoteProtocolError),
        "the upstream",
        "look at the server's own log, and at what stands in front of it",
    ),
    "a proxy that refuses": (
        "https://api.openai.com/v1",
        _raising(httpx.ProxyError),
        "the proxy in front of the upstream refused",
        "name a proxy that lets you through, or none: export NO_PROXY=api.openai.com",
    ),
}
"""By the address that was set: what happens to everything that is asked of it."""


def _said(url: str, listed: Answer, asked: Answer) -> list[tuple[Verdict, str, str]]:
    """Ask a server; return what would be on the screen."""
    settings = Settings(upstream=UpstreamSettings(url=url, api_key=Secret("k")), upstream_chosen_by="OPENAI_BASE_URL")

    def answer(request: httpx.Request) -> httpx.Response:
        return (listed if request.url.path.endswith("/models") else asked)()

    def ask(settings: Settings, choose: Choice) -> Reply:
        return ask_upstream(settings, choose, httpx.MockTransport(answer))

    return [(each.verdict, each.text, each.advice) for each in preflight(settings, _MAIN, _ASIDE, ask)]


@pytest.mark.parametrize("name", WALK)
def test_what_the_screen_says(name: str) -> None:
    """One sentence and one line, and the client is not started."""
    listed, asked, text, advice = WALK[name]

    ((verdict, said, line),) = _said("https://api.openai.com/v1", listed, asked)

    assert verdict is Verdict.FAIL
    assert text in said
    assert advice in line
    assert "(500" not in said  # a status that nobody has said


@pytest.mark.parametrize("name", ON_THE_WAY)
def test_what_happens_on_the_way(name: str) -> None:
    """The same."""
    url, answer, text, advice = ON_THE_WAY[name]

    ((verdict, said, line),) = _said(url, answer, answer)

    assert verdict is Verdict.FAIL
    assert text in said
    assert advice in line


def test_a_proxy_may_be_the_one_that_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TLS it can answer in the upstream's place."""
    monkeypatch.setenv("HTTP_PROXY", "http://user:word@proxy.test:3128")

    ((_, said, line),) = _said("http://llm.test/v1", _page(403), _page(403))

    assert said.endswith("; the way leads through the proxy proxy.test:3128")
    assert "export NO_PROXY=llm.test" in line


def test_deployments_are_not_listed() -> None:
    """Azure lists what may be deployed: no name of those is sure to be one of a deployment."""
    ((_, _, line),) = _said("https://x.openai.azure.com", _THERE, _error(404, "DeploymentNotFound", _NO_DEPLOYMENT))

    assert "opus=<a model that it has>" in line


def test_what_passes_by_itself_is_said_once() -> None:
    """It is no reason not to begin."""
    ((verdict, said, _),) = _said("https://api.openai.com/v1", _THERE, _error(429, "rate_limit_exceeded"))

    assert verdict is Verdict.WARN
    assert said == "too many requests for now (429, rate_limit_exceeded)"
    assert _said("https://api.openai.com/v1", _THERE, _page(200, _OK, "text/event-stream")) == []
