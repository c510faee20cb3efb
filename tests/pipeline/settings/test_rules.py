"""What must hold between settings."""

from __future__ import annotations

import pytest

from pipeline.settings.catalogue import Settings, Timing, UpstreamSettings
from pipeline.settings.rules import SETTINGS_RULES, is_loopback


def _broken(settings: Settings) -> list[str]:
    return [mistake for _, rule in SETTINGS_RULES for mistake in rule(settings)]


def test_the_defaults_break_no_rule() -> None:
    """What we choose ourselves must be right."""
    assert not _broken(Settings())


@pytest.mark.parametrize(("host", "loopback"), [("LocalHost", True), ("127.9.9.9", True), ("::", False), ("x", False)])
def test_loopback(host: str, loopback: bool) -> None:
    """A name that we cannot judge counts as reachable by others."""
    assert is_loopback(host) is loopback


def test_an_address_for_others_without_keys() -> None:
    """Whoever reaches the proxy would spend the key."""
    (mistake,) = _broken(Settings(host="0.0.0.0"))

    assert "client_keys" in mistake


def test_nudges_before_pings() -> None:
    """Both are counted from the same silence."""
    (mistake,) = _broken(Settings(timing=Timing(ping_after=10, nudge_after=9)))

    assert mistake.startswith("timing.nudge_after")


@pytest.mark.parametrize(
    ("upstream", "said"),
    [
        (UpstreamSettings(profile="lama.cpp"), "did you mean llama.cpp?"),
        (UpstreamSettings(profile="zzz"), "there are openai, "),
        (UpstreamSettings(profile_overrides={"developer_rule": False}), "did you mean developer_role?"),
        (UpstreamSettings(profile_overrides={"developer_role": 1}), "true or false would be right"),
        (UpstreamSettings(profile_overrides={"min_output_tokens": "1"}), "a whole number would be right"),
        (UpstreamSettings(profile_overrides={"name": "x"}), "no such name"),
    ],
)
def test_profiles_and_their_fields_are_known(upstream: UpstreamSettings, said: str) -> None:
    """A profile that does not exist would be the default in silence."""
    (mistake,) = _broken(Settings(upstream=upstream))

    assert said in mistake


def test_a_good_profile() -> None:
    """A known name and a field of the right type pass."""
    assert not _broken(Settings(upstream=UpstreamSettings(profile="vllm", profile_overrides={"effort": False})))
