"""What commands say to the person at the terminal: lines, and a little colour where it is wanted."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

_RESET = "\x1b[0m"


class CommandError(Exception):
    """A command cannot do its work; the message is a sentence for the person who typed it. Ends with exit code 1."""


@attrs.frozen
class Screen:
    """A place to write lines to.

    Args:
        stream: Where the text goes.
        coloured: Whether escape sequences may be written. Without them nothing is lost but looks.
    """

    stream: TextIO
    coloured: bool = False

    def line(self, text: str = "") -> None:
        """Write one line and show it at once."""
        self.write(text + "\n")

    def write(self, text: str) -> None:
        """Write text as it is and show it at once: streams are watched while they arrive.

        What the terminal's encoding lacks is escaped: a demo must not end because of a dash.
        """
        encoding = self.stream.encoding or "utf-8"
        self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self.stream.flush()

    def dim(self, text: str) -> str:
        """Make `text` recede."""
        return self._styled("2", text)

    def bold(self, text: str) -> str:
        """Make `text` stand out."""
        return self._styled("1", text)

    def green(self, text: str) -> str:
        """Show `text` as what is right, or what goes upstream."""
        return self._styled("32", text)

    def yellow(self, text: str) -> str:
        """Show `text` as what should be looked at."""
        return self._styled("33", text)

    def red(self, text: str) -> str:
        """Show `text` as what is wrong."""
        return self._styled("31", text)

    def cyan(self, text: str) -> str:
        """Show `text` as a name of the protocol."""
        return self._styled("36", text)

    def _styled(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}{_RESET}" if self.coloured else text


def screen(stream: TextIO | None = None, environment: Mapping[str, str] | None = None) -> Screen:
    """Open standard output, or `stream`, with colour if it is a terminal that has some and `NO_COLOR` is not set."""
    stream = sys.stdout if stream is None else stream
    environment = os.environ if environment is None else environment
    wanted = not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    return Screen(stream, coloured=wanted and stream.isatty())


def say(text: str = "") -> None:
    """Write a line to standard output."""
    screen().line(text)


def complain(text: str) -> None:
    """Write a line to standard error."""
    screen(sys.stderr).line(text)
