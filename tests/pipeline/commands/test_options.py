"""Flags that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.commands import options


def _parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    options.add_listening(parser)
    options.add_sources(parser)
    return parser.parse_args(words)


def test_flags_become_settings() -> None:
    """Text goes to `config` as it was typed."""
    settings = options.settings_of(_parsed("--host", "::1", "--port", "9", "--upstream", "emulator"))

    assert (settings.host, settings.port, settings.upstream_chosen_by) == ("::1", 9, "--upstream")


def test_unused_flags_say_nothing() -> None:
    """Defaults and other sources stay in force."""
    assert options.flags_of(_parsed()) == {}
    assert options.file_of(_parsed()) is None


def test_the_file_of_this_run(tmp_path: Path) -> None:
    """The flag goes before the file in the working directory."""
    (tmp_path / "dragoman.toml").touch()

    assert options.file_of(_parsed()) == tmp_path / "dragoman.toml"
    assert options.file_of(_parsed("--config", "x.toml")) == Path("x.toml")


def test_a_child_gets_the_same_flags() -> None:
    """What is written again is parsed to the same."""
    words = ["--port", "9", "--upstream", "http://host/v1", "--config", "x.toml"]

    again = options.given_again(_parsed(*words))

    assert _parsed(*again) == _parsed(*words)
