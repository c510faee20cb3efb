"""Checks of the upstream: the sentences, and the lines to set."""

from __future__ import annotations

import pytest

from pipeline.commands import check_upstream
from pipeline.commands.findings import Verdict
from pipeline.commands.question import Asked, Listed, Reply
from pipeline.settings import Secret, Settings, UpstreamSettings
from stages.canonical.failure import Failure, Kind

_KEY = "sk-do-not-show"
_ANSWERED = Reply(Listed(("gpt-6.2-astra", "other")), (Asked("gpt-6.2-astra", None, 0.5, summaries=True),))
_DOWN = Failure(Kind.UNAVAILABLE, "The upstream cannot be reached: nobody listens there.", cause="refused")
_WRONG_KEY = Failure(Kind.AUTHENTICATION, "No.", cause="invalid_api_key")
_NO_LIST = Failure(Kind.NOT_FOUND, "No.")


def _settings(url: str = "https://host.test/v1", key: str | None = _KEY, **models: str) -> Settings:
    return Settings(upstream=UpstreamSettings(url=url, api_key=Secret(key) if key else None), models=models)


def _both(failure: Failure, model: str = "gpt-6.2-astra") -> Reply:
    return Reply(Listed(failure=failure), (Asked(model, failure),))


@pytest.mark.parametrize(
    ("settings", "reply", "verdict", "said"),
    [
        (_settings("emulator", None), _ANSWERED, Verdict.WARN, "emulator"),
        (_settings("https://api.openai.com/v1", None), _both(_WRONG_KEY), Verdict.FAIL, "export OPENAI_API_KEY=sk-..."),
        (_settings("http://127.0.0.1:8080/v1", None), _ANSWERED, Verdict.OK, "none is asked for"),
        (_settings("http://127.0.0.1:8080/v1", None), _both(_DOWN), Verdict.UNKNOWN, "nobody has asked"),
        (_settings("http://host.test/v1"), _ANSWERED, Verdict.WARN, "unencrypted"),
        (_settings(), _ANSWERED, Verdict.OK, "accepted"),
        (_settings(), _both(_DOWN), Verdict.UNKNOWN, "nobody has accepted it yet"),
        (_settings(), _both(_WRONG_KEY), Verdict.FAIL, "export DRAGOMAN_UPSTREAM_API_KEY=..."),
    ],
)
def test_the_key(settings: Settings, reply: Reply, verdict: Verdict, said: str) -> None:
    """Green is only what was accepted; it is never shown, and what is wrong comes with the line to set."""
    finding = check_upstream.key(settings, reply)

    assert finding.verdict is verdict
    assert said in finding.text + finding.advice
    assert _KEY not in str(finding)


@pytest.mark.parametrize(
    ("reply", "verdict", "said"),
    [
        (_ANSWERED, Verdict.OK, "lists 2 models"),
        (Reply(Listed(failure=_NO_LIST), _ANSWERED.asked), Verdict.OK, "harmless"),
        (_both(_NO_LIST), Verdict.FAIL, "export DRAGOMAN_UPSTREAM_URL="),
        (_both(_WRONG_KEY), Verdict.OK, "not with this key"),
        (_both(_DOWN), Verdict.FAIL, "start the server"),
        (_both(Failure(Kind.MISCONFIGURED, "x", cause="no list")), Verdict.FAIL, "no list of models"),
    ],
)
def test_who_answers_there(reply: Reply, verdict: Verdict, said: str) -> None:
    """A server without a list works; an address that leads nowhere is told with the line that sets another."""
    finding = check_upstream.reachable(_settings(), reply)

    assert finding.verdict is verdict
    assert said in finding.text + finding.advice


def test_an_address_that_was_mended() -> None:
    """It says what it was taken for."""
    finding = check_upstream.reachable(_settings("https://host.test/v1/responses"), _ANSWERED)

    assert "https://host.test/v1, which is what https://host.test/v1/responses was taken for, answers" in finding.text


def _model(failure: Failure, served: tuple[str, ...] = (), **models: str) -> tuple[Verdict, str]:
    settings = _settings(**models)
    asked = Asked(models.get("opus", "gpt-6.2-astra"), failure)
    (finding,) = check_upstream.models(settings, Reply(Listed(served), (asked,)))
    return finding.verdict, f"{finding.text} -> {finding.advice}"


def test_a_model_that_answers() -> None:
    """Status, first byte, summaries or not, and the client's names for it."""
    (finding,) = check_upstream.models(_settings(), _ANSWERED)

    assert finding.text == "gpt-6.2-astra (fable, opus): 200, first byte after 0.50 s, with summaries of its reasoning"


_MISSING = Failure(Kind.NOT_FOUND, "No such model.", cause="model_not_found")


def test_a_model_that_is_missing() -> None:
    """The line names the nearest that is there, for every name that leads to it."""
    near = _model(_MISSING, ("text-embedding-6.2", "gpt-6.1-astra", "gpt-6.2-astra"))
    far = _model(_MISSING)

    assert near[0] is Verdict.FAIL
    assert 'export DRAGOMAN_MODELS="fable=gpt-6.1-astra,opus=gpt-6.1-astra"' in near[1]  # itself, it has said, is not
    assert "<a model that it has>" in far[1]


def test_models_that_were_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line leaves in what was set: by a file, which it changes, or by the variable, which it goes on from."""
    assert '-> in your file, under [models]: opus = "gpt-5"' in _model(_MISSING, ("gpt-5",), opus="gpt-6.1-astra")[1]
    monkeypatch.setenv("DRAGOMAN_MODELS", "opus=gpt-6.1-astra,haiku=gpt-5")
    assert '"$DRAGOMAN_MODELS,opus=gpt-5"' in _model(_MISSING, ("gpt-5",), opus="gpt-6.1-astra")[1]


def test_what_all_models_suffer_from_is_said_once() -> None:
    """The others point there."""
    spent = Failure(Kind.QUOTA, "No.", cause="insufficient_quota")
    first, second = check_upstream.models(
        _settings(), Reply(Listed(("a", "b")), (Asked("a", spent), Asked("b", spent)))
    )

    assert "pay it up" in first.advice
    assert (second.verdict, second.advice) == (Verdict.UNKNOWN, "")


@pytest.mark.parametrize(
    ("kind", "cause", "verdict", "said"),
    [
        (Kind.QUOTA, "insufficient_quota", Verdict.FAIL, "the quota is used up (429, insufficient_quota) -> pay it up"),
        (Kind.RATE_LIMIT, "slow_down", Verdict.WARN, "too many requests"),
        (Kind.UNAVAILABLE, "ProxyError", Verdict.FAIL, "export NO_PROXY=host.test"),
        (Kind.PERMISSION, None, Verdict.FAIL, "lacks rights"),
        (Kind.MISCONFIGURED, "no answer", Verdict.FAIL, "no answer of the Responses API"),
        (Kind.UPSTREAM, "server_error", Verdict.WARN, "status page"),
    ],
)
def test_why_a_model_does_not_answer(kind: Kind, cause: str | None, verdict: Verdict, said: str) -> None:
    """Each reason has its sentence and its line; what passes by itself is a warning."""
    found = _model(Failure(kind, "Something.", cause=cause))

    assert found[0] is verdict
    assert said in found[1]


def test_what_was_said_of_the_upstream_is_not_said_again() -> None:
    """One reason, one line to set; what nobody looked at is not green."""
    (finding,) = check_upstream.models(_settings(), _both(_DOWN))

    assert (finding.verdict, finding.advice) == (Verdict.UNKNOWN, "")


def test_what_the_upstream_is_taken_for() -> None:
    """By its address, by the setting, or by a look; and what it lacks."""
    azure = Settings(upstream=UpstreamSettings(url="https://x.openai.azure.com/openai/v1"))
    told = Settings(upstream=UpstreamSettings(url="https://api.openai.com/v1", profile="bedrock"))

    assert check_upstream.server(azure, _ANSWERED).text == "taken for azure by its address, which takes everything"
    assert "taken for bedrock as set, without input_tokens" in check_upstream.server(told, _ANSWERED).text
    assert check_upstream.server(_settings(), _both(_DOWN)).verdict is Verdict.UNKNOWN
