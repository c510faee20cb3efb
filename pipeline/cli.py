"""The command `dragoman`. Only what the chosen command needs is imported: start-up is a feature."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Mapping[str, str] = {
    "serve": "run the proxy",
    "claude": "run Claude Code through the proxy, starting one if none runs",
    "statusline": "say what a session of Claude Code has cost, for its status line",
    "demo": "show one streamed, tool-using exchange on the built-in emulator; no key needed",
    "check": "say what is wrong with a setup, and what to do about it",
    "settings": "print every setting with its meaning, its value and where that came from, or a file to begin with",
    "keys": "make a key for a client, and the line by which the server knows it",
    "explain": "say what a request would become, and what became of each of its fields; nothing is sent",
    "emulate": "serve the built-in emulator of the Responses API on a port",
    "bench": "measure what the translation and whole requests cost on this machine",
    "completion": "write what a shell needs to complete commands and flags",
}
"""Commands and what they do; each is the module of its name in `pipeline.commands`."""

WRONG_USAGE = 2
"""Exit code for arguments and settings that are wrong; argparse uses the same."""

NO_READER = 141
"""Exit code where whoever read the output has left: 128 + SIGPIPE, as shells count."""

_INTERRUPTED = 130  # 128 + SIGINT, as shells count


class Command(Protocol):
    """What a module in `pipeline.commands` offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; return the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `dragoman` with `argv` (without the program's name; `sys.argv` by default); return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in COMMANDS:
        try:
            return _run(words[0], words[1:])
        except KeyboardInterrupt:
            return _INTERRUPTED
        except BaseExceptionGroup as group:  # trio's, where Ctrl-C came while several tasks ran
            if group.split(KeyboardInterrupt)[1] is not None:
                raise
            return _INTERRUPTED
    parser = _parser()
    parser.parse_args(words)  # shows help or version and leaves, or complains about an unknown command and leaves
    parser.print_help()
    return WRONG_USAGE


def _run(name: str, words: list[str]) -> int:
    command = cast("Command", importlib.import_module(f"pipeline.commands.{name}"))
    parser = argparse.ArgumentParser(prog=f"dragoman {name}", description=_sentence(COMMANDS[name]), allow_abbrev=False)
    command.configure(parser)
    split = parser.get_default("split")  # a command that hands arguments on says which are its own
    own, others = split(words) if split else (words, [])
    arguments = parser.parse_args(own, argparse.Namespace(others=others, commands=COMMANDS))
    return _guarded(command, arguments)


def _guarded(command: Command, arguments: argparse.Namespace) -> int:
    from pipeline.commands.screen import CommandError, complain
    from pipeline.settings import ConfigurationError

    try:
        return command.run(arguments)
    except ConfigurationError as error:
        complain("dragoman: these settings are wrong:")
        for mistake in error.mistakes:
            complain(f"  - {mistake}")
        return WRONG_USAGE
    except CommandError as error:
        complain(f"dragoman: {error}")
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is flushed at the exit
        return NO_READER


def _parser() -> argparse.ArgumentParser:
    from pipeline.version import version

    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:<{width}}  {about}" for name, about in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="dragoman",
        description="Clients of the Anthropic Messages API, on the OpenAI Responses API.",
        epilog=f"commands:\n{commands}\n\n`dragoman COMMAND --help` tells more about one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"dragoman {version()}")
    parser.add_argument("command", nargs="?", choices=COMMANDS, metavar="COMMAND", help="one of the commands below")
    return parser


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


if __name__ == "__main__":
    sys.exit(main())
