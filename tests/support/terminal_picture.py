"""Pictures of a terminal: `dragoman check`, and the real Claude Code with its status line: `make picture`."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import attrs
import pyte
import trio

from tests.conftest import ROOT
from tests.support.browser import browser
from tests.support.claude import Desk, desk
from tests.support.terminal import terminal

ROWS, COLUMNS = 33, 112
CHECK_COLUMNS = 124
_PROMPTS = ("Who answers here?", "And what stands between us?")
_SETTLED = 5.0  # seconds in which an answer of the emulator, and the status line behind it, are certain to be there
_LACKING = str.maketrans({"\u23f5": "\u25b6"})
# A character that few fonts have, and one that looks alike.

_NAMED = {
    "black": "#1d1f26", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b", "blue": "#61afef",
    "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#dcdfe4", "default": "#dcdfe4",
}  # fmt: skip
_STYLE = """
body{margin:0;background:#12141a}pre{margin:0;padding:22px 26px;color:#dcdfe4;
font:15px/1.32 "DejaVu Sans Mono",monospace}b{font-weight:700}
"""


@attrs.frozen
class _Launched(Desk):
    """A desk at which `dragoman claude` is started, as its user would."""

    def surroundings(self, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Let the launcher say where the proxy is."""
        found = super().surroundings(environment)
        kept = {name: value for name, value in found["env"].items() if not name.startswith("ANTHROPIC_")}
        kept |= {"PATH": f"{self.home / 'bin'}:{kept['PATH']}", "XDG_STATE_HOME": str(self.home / "state")}
        return {"env": kept, "cwd": self.work, "stdin": found["stdin"]}


async def take(folder: Path) -> None:
    """Take both pictures."""
    with desk("latest", "") as found:
        await _draw(await trio.to_thread.run_sync(_check, found), folder / "check.png", CHECK_COLUMNS)
    await take_client(folder / "terminal.png")


def _check(found: Desk) -> bytes:
    """Run `dragoman check` as a terminal shows it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, CHECK_COLUMNS, 0, 0))
    told = {"PATH": f"{Path(found.command[0]).parent}:/usr/bin:/bin", "HOME": str(found.home), "TERM": "xterm-256color"}
    words = [sys.executable, "-P", "-m", "pipeline.cli", "check", "--upstream", "emulator"]
    subprocess.run(words, env={**told, "PYTHONPATH": str(ROOT)}, cwd=found.work, stdout=theirs, check=False)
    return os.read(ours, 2**16)


async def take_client(file: Path) -> None:
    """Start the client, ask one thing, wait for the status line, and draw what stands on the screen."""
    with desk("latest", "") as found:
        (found.home / "bin").mkdir()
        (found.home / "bin" / "claude").symlink_to(found.command[0])
        (code := found.home / "code").mkdir()
        words = (sys.executable, "-P", "-m", "pipeline.cli", "claude", "--upstream", "emulator", "--port", "0")
        here = _Launched(words, "", found.home, code)
        async with terminal(here, (ROWS, COLUMNS), PYTHONPATH=str(ROOT)) as screen:
            for prompt in _PROMPTS:
                await screen.ask(prompt)
                await screen.shows("cache ")
                await trio.sleep(_SETTLED)
            seen = bytes(screen.seen)
    await _draw(seen, file, COLUMNS)


async def _draw(seen: bytes, file: Path, columns: int) -> None:
    drawn = page(seen, columns)
    with tempfile.TemporaryDirectory() as folder:
        html = Path(folder) / "screen.html"
        html.write_text(drawn)
        async with browser(Path(folder) / "profile") as visit:
            await visit.do("Page.navigate", url=html.as_uri())
            await visit.sees("document.readyState == 'complete'")
            height = await visit.look("document.querySelector('pre').offsetHeight")
            width = await visit.look("document.querySelector('pre').scrollWidth")
            await visit.picture(file, scheme="dark", width=max(1066, int(width)), height=int(height))


def page(seen: bytes, columns: int) -> str:
    """Write as HTML what a terminal shows after these bytes; empty lines at its end are left out."""
    screen = pyte.Screen(columns, ROWS)
    pyte.ByteStream(screen).feed(seen)
    lines = ["".join(_pieces(screen.buffer[row], columns)) for row in range(ROWS)]
    last = max((row for row in range(ROWS) if screen.display[row].strip()), default=0)
    text = "\n".join(lines[: last + 1])
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style><pre>{text}</pre>"


def _pieces(line: Mapping[int, Any], columns: int) -> Iterator[str]:
    cells = [line[column] for column in range(columns)]
    for (front, back, bold), same in groupby(cells, lambda cell: (*_colours(cell), cell.bold)):
        text = escape("".join(cell.data for cell in same).translate(_LACKING))
        text = f"<b>{text}</b>" if bold else text
        yield f'<span style="color:{front};background:{back}">{text}</span>'


def _colours(cell: Any) -> tuple[str, str]:
    front = _colour(cell.fg)
    back = "transparent" if cell.bg == "default" else _colour(cell.bg)
    return ("#12141a" if back == "transparent" else back, front) if cell.reverse else (front, back)


def _colour(name: str) -> str:
    return _NAMED.get(name.removeprefix("bright")) or (f"#{name}" if len(name) == 6 else _NAMED["default"])


if __name__ == "__main__":
    trio.run(take, Path(sys.argv[1]).resolve())
