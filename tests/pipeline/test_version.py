"""The version of this program."""

from __future__ import annotations

import importlib.metadata
import re
from typing import TYPE_CHECKING

from pipeline.version import version

if TYPE_CHECKING:
    import pytest


def test_the_version_is_that_of_the_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    """What packaging says is what we say."""
    monkeypatch.setattr(importlib.metadata, "version", {"dragoman": "7.8.9"}.__getitem__)

    assert version.__wrapped__() == "7.8.9"


def test_a_bare_checkout_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an installed distribution there is no number to tell."""

    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)

    assert re.fullmatch(r"\(.+\)", version.__wrapped__())


def test_packaging_is_asked_once() -> None:
    """Every service tells its version, and finding it means to parse a file."""
    version()
    before = version.cache_info().misses
    version()

    assert version.cache_info().misses == before
