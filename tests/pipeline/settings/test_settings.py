"""The settings, built from all sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import settings
from pipeline.settings import ConfigurationError, load

_KEY = "sk-do-not-show"


def _mistakes(
    flags: dict[str, object] | None = None, environment: dict[str, str] | None = None, file: Path | None = None
) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(flags or {}, environment or {}, file)
    return caught.value.mistakes


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the path of a file that each test fills."""
    return tmp_path / "dragoman.toml"


def test_nothing_given_means_the_emulator() -> None:
    """Who has no key can try everything, and is told so."""
    settings = load({}, {}, None)

    assert settings.upstream.url == "emulator"
    assert settings.upstream_chosen_by == "nothing was given"
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8765, 1)


def test_a_key_alone_means_openai() -> None:
    """The usual case needs one variable."""
    settings = load({}, {"OPENAI_API_KEY": _KEY}, None)

    assert settings.upstream.url == "https://api.openai.com/v1"
    assert settings.upstream.api_key is not None
    assert settings.upstream.api_key.reveal() == _KEY
    assert _KEY not in repr(settings)


def test_a_url_alone_means_a_local_engine() -> None:
    """Engines at home ask for no key."""
    settings = load({}, {"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1"}, None)

    assert settings.upstream.url == "http://127.0.0.1:8080/v1"
    assert settings.upstream.api_key is None
    assert settings.upstream_chosen_by == "OPENAI_BASE_URL"


def test_precedence(file: Path) -> None:
    """Flags before our variables before the file before OpenAI's variables before defaults."""
    file.write_text('port = 1\nhost = "localhost"\nlog_level = "debug"\n[upstream]\nurl = "http://file/v1"\n')
    environment = {"DRAGOMAN_PORT": "2", "DRAGOMAN_HOST": "::1", "OPENAI_BASE_URL": "http://openai/v1"}

    settings = load({"port": "3"}, environment, file)

    assert (settings.port, settings.host, settings.log_level) == (3, "::1", "debug")
    assert (settings.upstream.url, settings.upstream_chosen_by) == ("http://file/v1", "dragoman.toml")
    assert settings.log_format == "console"


def test_every_setting_has_a_variable() -> None:
    """One value for each kind of setting, by its variable."""
    settings = load(
        {},
        {
            "DRAGOMAN_UPSTREAM_API_KEY": _KEY,
            "DRAGOMAN_UPSTREAM_PROFILE_OVERRIDES": "developer_role=false,min_output_tokens=64",
            "DRAGOMAN_UPSTREAM_HTTP2": "on",
            "DRAGOMAN_MODELS": "opus=gpt-6.2-astra,haiku=gpt-6-luna",
            "DRAGOMAN_CLIENT_KEYS": "one,two",
            "DRAGOMAN_LIMITS_BODY_BYTES": "1000",
            "DRAGOMAN_TIMING_COMMIT_AFTER": "0.5",
        },
        None,
    )

    assert settings.upstream.profile_overrides == {"developer_role": False, "min_output_tokens": 64}
    assert settings.upstream.http2
    assert settings.models == {"opus": "gpt-6.2-astra", "haiku": "gpt-6-luna"}
    assert [key.name for key in settings.client_keys] == ["key-1", "key-2"]
    assert (settings.limits.body_bytes, settings.timing.commit_after) == (1000, 0.5)


def test_all_mistakes_of_all_sources_at_once(file: Path) -> None:
    """Each line names the setting, where it came from, and what would be right."""
    file.write_text('prot = 1\n[timing]\nping_after = "soon"\n')

    mistakes = _mistakes({"port": "many"}, {"DRAGOMAN_WORKERS": "0", "DRAGOMAN_WROKERS": "2"}, file)

    assert sorted(mistakes) == [
        "DRAGOMAN_WROKERS (in the environment): no such setting; did you mean DRAGOMAN_WORKERS?",
        "port (from --port): not understood; a whole number from 0 to 65535 would be right",
        "prot (from dragoman.toml): no such setting; did you mean port?",
        "timing.ping_after (from dragoman.toml): not understood; a number of seconds above 0 would be right",
        "workers (from DRAGOMAN_WORKERS): not understood; a whole number from 1 to 256 would be right",
    ]


def test_no_mistake_shows_a_value() -> None:
    """A key in the wrong variable is a common accident, and errors end up in logs."""
    mistakes = _mistakes(
        {"upstream": _KEY}, {"DRAGOMAN_PORT": _KEY, "DRAGOMAN_CLIENT_KEYS": f"{_KEY} x", "OPENAI_API_KEY": f"{_KEY} x"}
    )

    assert len(mistakes) == 4
    assert _KEY not in str(ConfigurationError(mistakes))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", ""])
def test_others_are_let_in_only_with_keys(host: str) -> None:
    """An address that others can reach, without client keys, refuses to start."""
    (mistake,) = _mistakes({"host": host})

    assert "DRAGOMAN_CLIENT_KEYS" in mistake
    assert load({"host": host}, {"DRAGOMAN_CLIENT_KEYS": "k"}, None).host == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_loopback_needs_no_keys(host: str) -> None:
    """Only this machine can reach these."""
    assert load({"host": host}, {}, None).host == host


def test_a_rule_waits_for_its_settings() -> None:
    """Wrong client keys are one mistake, not also "no client keys"."""
    (mistake,) = _mistakes({"host": "0.0.0.0"}, {"DRAGOMAN_CLIENT_KEYS": "two words"})

    assert mistake.startswith("client_keys (from DRAGOMAN_CLIENT_KEYS)")


def test_pings_come_before_nudges() -> None:
    """The two clocks run on the same silence."""
    (mistake,) = _mistakes(environment={"DRAGOMAN_TIMING_NUDGE_AFTER": "5"})

    assert mistake.startswith("timing.nudge_after")


def test_the_plain_key_for_our_own_client() -> None:
    """`dragoman claude` must present a key, of which settings keep only the hash."""
    key = settings.plain_client_key({}, {"DRAGOMAN_CLIENT_KEYS": "one,two"}, None)

    assert key is not None
    assert key.reveal() == "one"
    assert settings.plain_client_key({}, {}, None) is None


def test_a_command_that_prints_the_key_goes_before_the_key_of_other_programs() -> None:
    """`OPENAI_API_KEY` may be set for somebody else; two keys of ours are a mistake, and the upstream is OpenAI."""
    command = {"DRAGOMAN_UPSTREAM_KEY_COMMAND": "print-key"}
    settings = load({}, {**command, "OPENAI_API_KEY": _KEY}, None)

    assert (settings.upstream.api_key, settings.upstream.key_command) == (None, "print-key")
    assert settings.upstream.url == "https://api.openai.com/v1"
    with pytest.raises(
        ConfigurationError,
        match=r"upstream\.key_command \(.+COMMAND\): there is upstream\.api_key as well",
    ):
        load({}, {**command, "DRAGOMAN_UPSTREAM_API_KEY": _KEY}, None)


def test_headers_are_kept_like_keys(file: Path) -> None:
    """They may be keys; neither the settings nor a mistake shows them."""
    file.write_text(
        f'[upstream]\nurl = "https://h/v1"\n[upstream.headers]\nX-Key = "{_KEY}"\n[upstream.query]\na = "b"\n'
    )
    settings = load({}, {}, file)

    assert settings.upstream.headers["x-key"].reveal() == _KEY
    assert _KEY not in repr(settings)
    assert settings.upstream.query == {"a": "b"}


def test_a_file_that_holds_the_key(tmp_path: Path) -> None:
    """It goes before the key of other programs, stands alone, and must be there."""
    file = tmp_path / "key"
    file.write_text("sk-x")
    held = {"DRAGOMAN_UPSTREAM_API_KEY_FILE": str(file)}
    settings = load({}, {**held, "OPENAI_API_KEY": _KEY}, None)

    assert (settings.upstream.api_key, settings.upstream.keyed) == (None, True)
    assert settings.upstream.url == "https://api.openai.com/v1"
    with pytest.raises(
        ConfigurationError,
        match=r"upstream\.key_command \(.+COMMAND\): there is upstream\.api_key_file as well",
    ):
        load({}, {**held, "DRAGOMAN_UPSTREAM_KEY_COMMAND": "print-key"}, None)
    file.unlink()
    with pytest.raises(
        ConfigurationError,
        match=r"upstream\.api_key_file \(from DRAGOMAN_UPSTREAM_API_KEY_FILE\): there is no such file",
    ):
        load({}, held, None)
