"""Whose a dragoman is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipeline.settings import Secret, Settings, UpstreamSettings
from pipeline.settings.client_keys import client_keys
from pipeline.settings.ownership import ONE_RUN, new_challenge, own_secret, proof

if TYPE_CHECKING:
    from pathlib import Path

_AT = ("127.0.0.1", 8765)


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    """Nobody else can read it, and whoever asks later gets the same."""
    environment = {"XDG_STATE_HOME": str(tmp_path)}

    assert own_secret(environment) is None
    made = own_secret(environment, make=True)

    assert made is not None
    assert own_secret(environment, make=True) == own_secret(environment) == made
    assert [file.name for file in (tmp_path / "dragoman").iterdir()] == ["secret"]
    assert (tmp_path / "dragoman" / "secret").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_others_could_read_is_none(tmp_path: Path) -> None:
    """Nor does a server prove anything that ends with the run which started it, or that has no place to look."""
    environment = {"XDG_STATE_HOME": str(tmp_path)}
    own_secret(environment, make=True)

    assert own_secret({**environment, ONE_RUN: "1"}) is None
    (tmp_path / "dragoman" / "secret").chmod(0o640)
    assert own_secret(environment) is None
    assert own_secret({"XDG_STATE_HOME": os.devnull}, make=True) is None


@pytest.mark.parametrize(
    "other",
    [
        {"secret": b"other"},
        {"challenge": "b" * 64},
        {"address": ("127.0.0.1", 8766)},
        {"address": ("::1", 8765)},
        {"settings": None},
        {"settings": Settings(mode="strict")},
        {"settings": Settings(upstream=UpstreamSettings(api_key=Secret("k-2")))},
        {"settings": Settings(client_keys=client_keys(["c"]))},
        {"settings": Settings(models={"opus": "gpt-5"})},
    ],
)
def test_a_proof_fits_one_question(other: dict[str, object]) -> None:
    """Another secret, challenge, address or setting has another; the address as both ends of a connection see it."""
    asked: dict[str, object] = {"secret": b"s", "challenge": "a" * 64, "address": _AT, "settings": Settings()}

    assert proof(**asked) == proof(**{**asked, "settings": Settings(port=1)})  # type: ignore[arg-type]
    assert proof(**asked) == proof(**{**asked, "address": ("::ffff:127.0.0.1", 8765)})  # type: ignore[arg-type]
    assert proof(**asked) != proof(**{**asked, **other})  # type: ignore[arg-type]


def test_what_is_no_challenge_is_not_answered() -> None:
    """The secret signs nothing else."""
    assert proof(b"s", "GET /", _AT) is None
    assert proof(b"s", new_challenge(), _AT) is not None
