"""A real browser without a window, spoken to over its own protocol (Chrome DevTools, on a pair of pipes)."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from stages.wire import json

CHROMIUM = shutil.which("chromium")
"""The browser's program; None where there is none."""

SECONDS = 60
"""Seconds that one visit may take."""

_QUIETLY = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip


@attrs.define
class Browser:
    """One page of a browser."""

    _told: trio.abc.SendStream
    _heard: trio.abc.ReceiveStream
    _session: str = attrs.field(default="", init=False)
    _number: int = attrs.field(default=0, init=False)
    _rest: bytes = attrs.field(default=b"", init=False)

    async def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command, and wait for what comes of it."""
        self._number += 1
        said: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        await self._told.send_all(json.encode(said | ({"sessionId": self._session} if self._session else {})) + b"\0")
        while (answer := await self._next()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def begin(self) -> None:
        """Open a page."""
        target = await self.do("Target.createTarget", url="about:blank")
        attached = await self.do("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]

    async def look(self, script: str) -> Any:
        """Say what an expression comes to on the page."""
        return (await self.do("Runtime.evaluate", expression=script))["result"].get("value")

    async def sees(self, script: str) -> None:
        """Wait until an expression is true."""
        while not await self.look(script):  # noqa: ASYNC110 - another program draws
            await trio.sleep(0.05)

    async def press(self, key: str, code: int) -> None:
        """Press a key, and let go of it."""
        for kind in ("rawKeyDown", "keyUp"):
            await self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    async def picture(self, file: Path, *, scheme: str, width: int, height: int) -> None:
        """Take a picture of the page in a colour scheme."""
        await self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.do("Emulation.setDeviceMetricsOverride", **size)
        taken = await self.do("Page.captureScreenshot")
        await trio.Path(file).write_bytes(base64.b64decode(taken["data"]))

    async def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = await self._heard.receive_some(2**16)
            assert piece, "the browser has ended"
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.decode(line)
        return told


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Browser]:
    """Start a browser whose profile lies in `folder`, and end it afterwards."""
    commands, answers = os.pipe(), os.pipe()
    words = [str(CHROMIUM), *_QUIETLY, f"--user-data-dir={folder}"]
    joined = f'exec "$@" 3<&{commands[0]} 4>&{answers[1]}'
    process = await trio.lowlevel.open_process(
        ["bash", "-c", joined, "bash", *words], pass_fds=[commands[0], answers[1]], stdout=-3, stderr=-3
    )
    for end in (commands[0], answers[1]):
        os.close(end)
    async with trio.lowlevel.FdStream(commands[1]) as told, trio.lowlevel.FdStream(answers[0]) as heard:
        try:
            with trio.fail_after(SECONDS):
                page = Browser(told, heard)
                await page.begin()
                yield page
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
