"""The environment of the client."""

from __future__ import annotations

import pytest

from pipeline.commands.client_environment import client_environment, context_window, model_of
from pipeline.settings import Settings, UpstreamSettings

_URL = "http://127.0.0.1:8765"
_LOCAL = UpstreamSettings(url="http://127.0.0.1:8080/v1")


def test_what_the_client_is_told() -> None:
    """Base URL, credentials that need no prompt, the window, and the check of actions made locally."""
    made = client_environment({"PATH": "/bin"}, _URL, None, 123)

    assert made["PATH"] == "/bin"
    assert made["ANTHROPIC_BASE_URL"] == _URL
    assert made["ANTHROPIC_AUTH_TOKEN"] == "dragoman"
    assert made["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "123"
    assert made["CLAUDE_CODE_AUTO_MODE_SERVER"] == "0"
    assert "ANTHROPIC_API_KEY" not in made
    assert "NO_PROXY" not in made


def test_a_proxy_that_judges() -> None:
    """Is asked for its verdict."""
    assert "CLAUDE_CODE_AUTO_MODE_SERVER" not in client_environment({}, _URL, None, 123, judged=True)


def test_what_the_user_has_set_stays() -> None:
    """Only the base URL is ours: it is the purpose of the command."""
    user = {
        "ANTHROPIC_BASE_URL": "http://elsewhere",
        "ANTHROPIC_AUTH_TOKEN": "theirs",
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "5",
        "CLAUDE_CODE_AUTO_MODE_SERVER": "1",
    }

    assert client_environment(user, _URL, "our-key", 123) == {
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
        "CLAUDE_CODE_GATEWAY_HINT_HEADERS": "1",
        "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
        **user,
        "ANTHROPIC_BASE_URL": _URL,
    }


def test_a_key_of_the_proxy_is_presented() -> None:
    """A proxy that asks for keys gets one; the user's own key for Anthropic would not do."""
    assert client_environment({"ANTHROPIC_API_KEY": "theirs"}, _URL, "ours", 1)["ANTHROPIC_AUTH_TOKEN"] == "ours"


def test_a_key_of_the_user_will_do_where_none_is_asked() -> None:
    """Two credentials at once make the client warn."""
    assert "ANTHROPIC_AUTH_TOKEN" not in client_environment({"ANTHROPIC_API_KEY": "theirs"}, _URL, None, 1)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [({}, "127.0.0.1"), ({"no_proxy": "a,b"}, "a,b,127.0.0.1"), ({"NO_PROXY": "127.0.0.1"}, "127.0.0.1")],
)
def test_the_way_to_us_passes_no_proxy(listed: dict[str, str], expected: str) -> None:
    """A company's proxy does not reach our loopback; the user's own exceptions stay."""
    made = client_environment({"HTTPS_PROXY": "http://proxy:3128", **listed}, _URL, None, 1)

    assert made["NO_PROXY"] == expected


@pytest.mark.parametrize(
    ("settings", "model", "window"),
    [
        (Settings(), None, 922_000),
        (Settings(), "claude-gpt-5", 272_000),
        (Settings(models={"opus": "gpt-4o"}), None, 128_000),
        (Settings(upstream=_LOCAL), None, 200_000),
        (Settings(upstream=_LOCAL, models={"opus": "gpt-5.4", "sonnet": "gpt-5"}), None, 272_000),
    ],
)
def test_the_window_is_that_of_the_upstream_model(settings: Settings, model: str | None, window: int) -> None:
    """The smaller of what the client may choose; a cautious number for servers that we do not know."""
    assert context_window(settings, model) == window


@pytest.mark.parametrize(
    ("words", "user", "model"),
    [
        (["-p", "--model", "opus"], {}, "opus"),
        (["--model=opus"], {"ANTHROPIC_MODEL": "haiku"}, "opus"),
        (["--model"], {"ANTHROPIC_MODEL": "haiku"}, "haiku"),
        (["-p"], {}, None),
    ],
)
def test_the_model_that_the_client_will_use(words: list[str], user: dict[str, str], model: str | None) -> None:
    """Its flag goes before its variable."""
    assert model_of(words, user) == model


def test_the_rows_of_model_say_who_answers() -> None:
    """Under the client's own name where it believes in the window; what the user has set stays, wholly."""
    upstream = {"claude-opus": "gpt-6.2-astra", "claude-haiku": "gpt-6-luna"}
    large = client_environment({}, _URL, None, 200_000, upstream)
    small = client_environment({"ANTHROPIC_DEFAULT_HAIKU_MODEL": "x"}, _URL, None, 65_536, upstream)

    assert large["ANTHROPIC_DEFAULT_OPUS_MODEL"] == "claude-opus-5-5"
    assert large["ANTHROPIC_DEFAULT_OPUS_MODEL_NAME"] == "Opus: gpt-6.2-astra"
    assert "gpt-6-luna" in large["ANTHROPIC_DEFAULT_HAIKU_MODEL_DESCRIPTION"]
    assert small["ANTHROPIC_DEFAULT_OPUS_MODEL"] == "claude-gpt-6.2-astra"
    assert "ANTHROPIC_DEFAULT_HAIKU_MODEL_NAME" not in small
