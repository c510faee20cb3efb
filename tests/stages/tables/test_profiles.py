"""Upstream servers: what is sent to none that would refuse it."""

from __future__ import annotations

import pytest

from stages.tables.profiles import PROFILES, Profile, guess
from tests.support.cases import cases


@cases(("name", "profile"), PROFILES.items())
def test_profiles_make_sense(name: str, profile: Profile) -> None:
    """Each is found by its own name, and takes reasoning back in one of three ways."""
    assert profile.name == name
    assert profile.reasoning_replay in {"encrypted", "content", "none"}
    assert profile.min_output_tokens >= 1
    assert profile.include or profile.reasoning_replay != "encrypted"


def test_the_emulator_takes_what_openai_takes() -> None:
    """The oracle stands for the real thing."""
    emulator, openai = PROFILES["emulator"], PROFILES["openai"]

    assert {**_fields(emulator), "name": "openai"} == _fields(openai)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://x.openai.azure.com/openai/v1", "azure"),
        ("https://X.services.ai.azure.com/openai/v1", "azure"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", "bedrock"),
        ("https://bedrock-mantle.us-east-1.api.aws/v1", "bedrock"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://notopenrouter.ai/api/v1", "openai"),
        ("emulator", "emulator"),
        ("http://localhost:8080/v1", "openai"),
    ],
)
def test_hosts_tell_and_unknown_servers_are_treated_as_whole(url: str, name: str) -> None:
    """Leaving things out would lose them on a server that has them."""
    assert guess(url) is PROFILES[name]


def _fields(profile: Profile) -> dict[str, object]:
    return {name: getattr(profile, name) for name in Profile.__slots__ if not name.startswith("_")}  # type: ignore[attr-defined]
