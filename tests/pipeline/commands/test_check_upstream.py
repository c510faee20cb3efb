"""Checks of the upstream."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import httpx
import pytest

from pipeline.commands import check_upstream
from pipeline.commands.check_upstream import Reply, ask_models
from pipeline.commands.findings import Verdict
from pipeline.commands.listening import bind
from pipeline.settings import Secret, Settings, Timing, UpstreamSettings
from stages.tables.models import FAMILIES

_KEY = "sk-do-not-show"
_ALL = tuple(FAMILIES.values())


def _settings(url: str = "https://host.test/v1", key: str | None = _KEY, **models: str) -> Settings:
    upstream = UpstreamSettings(url=url, api_key=Secret(key) if key else None)
    return Settings(upstream=upstream, models=models, timing=Timing(connect=0.3))


def _answering(status: int, content: bytes = b"") -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url == "https://host.test/v1/models"
        assert request.headers["authorization"] == f"Bearer {_KEY}"
        return httpx.Response(status, content=content)

    return httpx.MockTransport(answer)


def _raising(make: Callable[[], Exception]) -> httpx.MockTransport:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no") from make()

    return httpx.MockTransport(answer)


def test_the_models_are_listed() -> None:
    """Names come from `data`; what is no name is passed over."""
    content = b'{"data":[{"id":"a"},{"id":1},"b",{"id":"c"}]}'

    assert ask_models(_settings(), _answering(200, content)) == Reply(200, ("a", "c"))


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"data":null}'])
def test_a_list_that_is_none(content: bytes) -> None:
    """Somebody answers with something else; that is no exception."""
    assert ask_models(_settings(), _answering(200, content)) == Reply(200)


def test_the_emulator_is_not_asked() -> None:
    """It is no URL."""
    assert ask_models(_settings("emulator"), _answering(500)) == Reply()


@pytest.mark.parametrize(
    ("status", "verdict", "said"),
    [
        (200, Verdict.OK, "answers"),
        (401, Verdict.FAIL, "does not accept the key"),
        (403, Verdict.FAIL, "forbids"),
        (404, Verdict.WARN, "no list of models"),
        (429, Verdict.WARN, "refuses for now"),
        (500, Verdict.WARN, "status 500"),
    ],
)
def test_what_a_status_means(status: int, verdict: Verdict, said: str) -> None:
    """Each status is a sentence."""
    finding = check_upstream.reachable(_settings(), ask_models(_settings(), _answering(status)))

    assert finding.verdict is verdict
    assert said in finding.text


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: socket.gaierror(-2, "x"), "cannot be resolved"),
        (lambda: ConnectionRefusedError(111, "x"), "connection refused"),
        (lambda: ssl.SSLCertVerificationError("x"), "certificate"),
        (lambda: ssl.SSLError("x"), "TLS fails"),
        (lambda: OSError("x"), "cannot be reached (ConnectError)"),
    ],
)
def test_what_a_trouble_means(make: Callable[[], Exception], said: str) -> None:
    """The cause at the bottom of the chain speaks, not the library's wrapping."""
    finding = check_upstream.reachable(_settings(), ask_models(_settings(), _raising(make)))

    assert finding.verdict is Verdict.FAIL
    assert said in finding.text
    assert finding.advice


def test_nobody_listens() -> None:
    """The same with a real socket: a port that was free a moment ago."""
    with bind("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    assert "connection refused" in check_upstream.reachable(_settings(url), ask_models(_settings(url))).text


def test_nobody_answers() -> None:
    """A server that accepts and is silent."""
    with bind("127.0.0.1", 0) as listener:
        settings = _settings(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")

        assert "in time" in check_upstream.reachable(settings, ask_models(settings)).text


@pytest.mark.parametrize(
    ("settings", "verdict", "said"),
    [
        (_settings("emulator", None), Verdict.WARN, "emulator"),
        (_settings("https://api.openai.com/v1", None), Verdict.FAIL, "there is none"),
        (_settings("http://127.0.0.1:8080/v1", None), Verdict.OK, "often need none"),
        (_settings("http://host.test/v1"), Verdict.WARN, "unencrypted"),
        (_settings("http://127.0.0.1/v1"), Verdict.OK, "is set"),
        (_settings(), Verdict.OK, "is set"),
    ],
)
def test_the_key(settings: Settings, verdict: Verdict, said: str) -> None:
    """Present where one is needed, and safe on its way; never shown."""
    finding = check_upstream.key(settings)

    assert finding.verdict is verdict
    assert said in finding.text
    assert _KEY not in str(finding)


def test_models_that_the_upstream_lacks() -> None:
    """A name that nearly fits is proposed."""
    finding = check_upstream.models(_settings(opus="gpt-6.2-astre"), Reply(200, _ALL))

    assert finding.verdict is Verdict.FAIL
    assert "gpt-6.2-astre" in finding.text
    assert "did you mean gpt-6.2-astra?" in finding.advice


def test_models_of_another_world() -> None:
    """Where nothing is near, the advice is where to name others."""
    assert "[models]" in check_upstream.models(_settings(), Reply(200, ("zephyr", "mistral"))).advice


def test_models_that_are_known() -> None:
    """All that would be asked for is there, or there is no list to look at."""
    assert check_upstream.models(_settings(), Reply(200, _ALL)).verdict is Verdict.OK
    assert "could not be compared" in check_upstream.models(_settings(), Reply(404)).text


def test_a_server_of_one_model_is_asked_for_that() -> None:
    """Its address is all that must be set."""
    found = check_upstream.models(_settings(), Reply(200, ("zephyr",)))

    assert (found.verdict, "zephyr" in found.text) == (Verdict.OK, True)


def test_what_the_upstream_is_taken_for() -> None:
    """By its address, by the setting, or by a look; and what it lacks."""
    azure = Settings(upstream=UpstreamSettings(url="https://x.openai.azure.com/openai/v1"))
    told = Settings(upstream=UpstreamSettings(url="https://api.openai.com/v1", profile="bedrock"))

    assert check_upstream.server(azure, Reply(200)).text == "taken for azure by its address, which takes everything"
    assert "taken for bedrock as set, without input_tokens" in check_upstream.server(told, Reply(200)).text
    assert check_upstream.server(azure, Reply(trouble=httpx.ConnectError("no"))).verdict is Verdict.WARN


def test_a_command_that_prints_the_key() -> None:
    """It is run; what it says goes nowhere, and that it fails is said with the setting."""
    good = Settings(upstream=UpstreamSettings(url="https://host/v1", key_command="echo k-1"))
    bad = Settings(upstream=UpstreamSettings(url="https://host/v1", key_command="echo secret; exit 7"))

    assert check_upstream.key(good).verdict is Verdict.OK
    assert check_upstream.key(bad).verdict is Verdict.FAIL
    assert "exit code 7" in check_upstream.key(bad).text
    assert "secret" not in check_upstream.key(bad).text


def test_the_list_is_asked_for_as_messages_are_sent() -> None:
    """At the mended address, with the settings' headers and query, and the key where the server looks for it."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": []})

    upstream = UpstreamSettings(
        url="https://x.openai.azure.com",
        api_key=Secret("k-1"),
        headers={"x-a": Secret("b")},
        query={"api-version": "1"},
    )
    check_upstream.ask_models(Settings(upstream=upstream), httpx.MockTransport(answer))

    assert str(seen[0].url) == "https://x.openai.azure.com/openai/v1/models?api-version=1"
    assert (seen[0].headers["api-key"], seen[0].headers["x-a"]) == ("k-1", "b")
