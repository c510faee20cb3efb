"""The real Claude Code at a terminal, as a person has it before them: keys go in, a screen comes out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio

from stages.wire import json
from tests.support.claude import KEY, TIMEOUT, Desk

ENTER = "\r"
ESCAPE = "\x1b"
DOWN = "\x1b[B"

SIZE = (40, 120)
"""Lines and columns."""

_SECONDS = 30
_QUIET = {
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
    # What it would ask of others all the same goes nowhere: nothing listens there.
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
}
_TITLE = re.compile(rb"\x1b\][02];([^\x07\x1b]*)(?:\x07|\x1b\\)")
_END = 8
"""Characters at the end of a prompt by which it is known on the screen."""

_CONTROL = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]")


@attrs.define
class Terminal:
    """What stands between a person and the client.

    Attributes:
        seen: all that the client has written, controls included.
    """

    _keys: trio.abc.SendStream
    seen: bytearray = attrs.field(factory=bytearray, init=False, repr=False)

    @property
    def titles(self) -> list[str]:
        """What the window was called, one after another."""
        return [title.decode(errors="replace") for title in _TITLE.findall(self.seen)]

    @property
    def text(self) -> str:
        """All words that were on the screen; what moves the cursor counts as a space, and runs of it as one."""
        return " ".join(_CONTROL.sub(b" ", bytes(self.seen)).decode(errors="replace").split())

    async def ask(self, prompt: str) -> None:
        """Type a prompt and send it off, once it is on the screen.

        What comes at once is taken for pasted text, and Enter for a new line in it, until the client has taken it in.
        """
        await self.press(prompt)
        await self.shows(prompt.rsplit(maxsplit=1)[-1][-_END:])
        await trio.sleep(1)
        await self.press(ENTER)

    async def answer(self, question: str, *keys: str) -> None:
        """Wait for a question and answer it; it takes no keys at first, lest somebody answers it by chance."""
        await self.shows(question)
        for key in keys:
            await trio.sleep(1)
            await self.press(key)

    async def press(self, keys: str) -> None:
        """Press keys."""
        await self._keys.send_all(keys.encode())

    async def shows(self, words: str) -> None:
        """Wait until words are on the screen; what is drawn over something alike may lack letters.

        Raises:
            AssertionError: They do not come; it says what came instead.
        """
        with trio.move_on_after(_SECONDS):
            while words not in self.text:  # noqa: ASYNC110 - another program draws
                await trio.sleep(0.05)
            return
        raise AssertionError(f"no {words!r} on the screen: {self.text[-2000:]}")


@asynccontextmanager
async def terminal(desk: Desk, size: tuple[int, int] = SIZE, **environment: str) -> AsyncIterator[Terminal]:
    """Start the client at a terminal, with its first questions answered, and wait until it is ready.

    Args:
        desk: whose client it is.
        size: lines and columns.
        environment: more variables for it.
    """
    _settle(desk)
    surroundings = desk.surroundings({**_QUIET, **environment})
    # Naming the session counts as traffic that is not essential.
    del surroundings["env"]["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    ends = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    process = await trio.lowlevel.open_process([*desk.command], **{**surroundings, **ends}, start_new_session=True)
    os.close(theirs)
    with trio.fail_after(TIMEOUT):
        async with trio.lowlevel.FdStream(ours) as line, trio.open_nursery() as nursery:
            screen = Terminal(line)
            nursery.start_soon(_watch, line, screen.seen)
            try:
                await screen.shows("\u276f")
                yield screen
            finally:
                process.kill()
                with trio.CancelScope(shield=True):
                    await process.wait()
            nursery.cancel_scope.cancel()


def _settle(desk: Desk) -> None:
    """Write down what the client asks at its very first start: look, key, and whether the folder can be trusted."""
    answers = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
        "projects": {str(desk.work): {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}},
    }
    path = desk.home / ".claude.json"
    path.write_bytes(json.encode(answers))
    owner = desk.home.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


async def _watch(line: trio.abc.ReceiveStream, seen: bytearray) -> None:
    try:
        async for data in line:
            seen += data
    except trio.BrokenResourceError:
        pass  # so a terminal says that nobody is at its other end any more
