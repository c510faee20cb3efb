"""Flags that several commands share, and the settings they become."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import settings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_SETTING_FLAGS = ("host", "port", "upstream", "workers", "log_format")
"""Flags named as the settings that they set."""


def add_listening(parser: ArgumentParser) -> None:
    """Add `--host` and `--port`."""
    parser.add_argument("--host", metavar="ADDRESS", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", metavar="N", help="port to listen on; 0 takes any that is free (8765)")


def add_sources(parser: ArgumentParser) -> None:
    """Add `--upstream` and `--config`."""
    parser.add_argument("--upstream", metavar="URL|emulator", help="base URL of the Responses API, as https://host/v1")
    parser.add_argument("--config", metavar="FILE", help="TOML file with settings (./dragoman.toml if present)")


def flags_of(arguments: Namespace) -> dict[str, object]:
    """Take the settings out of parsed arguments; values stay text, for `settings.load` judges them together."""
    return {name: getattr(arguments, name) for name in _SETTING_FLAGS if getattr(arguments, name, None) is not None}


def file_of(arguments: Namespace) -> Path | None:
    """Choose the configuration file of this run."""
    return settings.find_file(getattr(arguments, "config", None), os.environ, Path.cwd())


def file_text(arguments: Namespace) -> bytes:
    """Read the configuration file of this run as it stands; empty where there is none."""
    file = file_of(arguments)
    return file.read_bytes() if file is not None else b""


def settings_of(arguments: Namespace) -> settings.Settings:
    """Load the settings of this run.

    Raises:
        ConfigurationError: With all mistakes; `cli` shows them.
    """
    return settings.load(flags_of(arguments), os.environ, file_of(arguments))


def set_again(arguments: Namespace) -> list[str]:
    """Write the flags of this run that are settings, as they would be typed."""
    return [piece for name, value in flags_of(arguments).items() for piece in (_flag(name), str(value))]


def given_again(arguments: Namespace) -> list[str]:
    """Write the flags of this run as they would be typed, for a child process that is to have the same settings."""
    again = set_again(arguments)
    if getattr(arguments, "config", None):
        again += ["--config", str(arguments.config)]
    return again


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
