"""`dragoman completion`: what a shell needs to complete commands and flags, written by shtab out of the parsers.

The script is written once and read by the shell; completing then starts no Python, unlike argcomplete, which asks the
program at each press of a key.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping

from pipeline.commands.screen import CommandError, say

SHELLS = ("bash", "zsh", "fish", "tcsh")
"""Shells that a script can be written for."""

_EPILOG = """\
for this user, with bash:
  dragoman completion bash > ~/.local/share/bash-completion/completions/dragoman
with zsh, into a folder of $fpath:
  dragoman completion zsh > ~/.zfunc/_dragoman
with fish:
  dragoman completion fish > ~/.config/fish/completions/dragoman.fish
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that is to complete")
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter


def run(arguments: argparse.Namespace) -> int:
    """Print the script for a shell; return 0.

    Raises:
        CommandError: The package that writes it is not installed.
    """
    try:
        import shtab
    except ImportError:
        raise CommandError("completion is written by shtab: pip install 'dragoman[completion]'") from None
    say(shtab.complete(combined_parser(arguments.commands), arguments.shell))
    return 0


def combined_parser(commands: Mapping[str, str]) -> argparse.ArgumentParser:
    """Make one parser of all commands, which otherwise are parsed by one of their own each."""
    parser = argparse.ArgumentParser(prog="dragoman")
    parser.add_argument("--version", action="store_true", help="say which version this is")
    each = parser.add_subparsers()
    for name, about in commands.items():
        importlib.import_module(f"pipeline.commands.{name}").configure(each.add_parser(name, help=about))
    return parser
