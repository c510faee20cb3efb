"""The real Claude Code from npm, run without a person: a clean home, a clean environment, a folder of its own."""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import attrs
import trio

from stages.wire import json
from tests.support import npm
from tests.support.npm import Unavailable

VERSIONS = ("latest", "2.0.77", "1.0.128")
"""What is tried: today's, and two old ones that people still run."""

TIMEOUT = 120
"""Seconds that one run may take."""

KEY = "sk-ant-nobody"
"""The client's key, which no server has given out."""

PATH = "/usr/local/bin:/usr/bin:/bin"
"""Where the client finds programs."""

_PACKAGE = "@anthropic-ai/claude-code"
_NOBODY = 65534  # the client refuses to skip permissions for root
_TOLD = ("--output-format", "stream-json", "--verbose")
_MODE = "--permission-mode"
_UNASKED = (_MODE, "bypassPermissions")


@functools.cache
def install(version: str) -> tuple[str, ...]:
    """Install one version (or dist-tag) once and give the command that runs it.

    Raises:
        Unavailable: With the reason.
    """
    node, folder = npm.node(), npm.INSTALLS / "claude-code" / version
    found = _program(folder, node)
    if found is None or version == "latest":
        complaint = npm.install(folder, f"{_PACKAGE}@{version}")
        found = _program(folder, node)
        if found is None:
            raise Unavailable(f"npm installs no {_PACKAGE}@{version} here: {complaint}")
    return found


def _program(folder: Path, node: str) -> tuple[str, ...] | None:
    """Find what npm has put there: a native program in newer versions, a script for node in older ones."""
    packages = folder / "node_modules" / "@anthropic-ai"
    for native in sorted(packages.glob("claude-code-*/claude")):
        if os.access(native, os.X_OK):
            return (str(native),)
    script = packages / "claude-code" / "cli.js"
    return (node, str(script)) if script.exists() else None


@attrs.frozen
class Run:
    """What one run of the client said.

    Attributes:
        events: the lines of its `stream-json` output.
        stderr: what it complained about.
        returncode: its exit code.
    """

    events: tuple[dict[str, Any], ...]
    stderr: str
    returncode: int

    @property
    def final(self) -> dict[str, Any]:
        """The last line, which sums the run up."""
        last = self.events[-1] if self.events else {}
        assert last.get("type") == "result", f"no result; exit {self.returncode}: {self.stderr[-500:]}"
        return last

    def blocks(self, role: str, kind: str) -> list[dict[str, Any]]:
        """All content blocks of one type that one side (`assistant` or `user`) sent, oldest first."""
        said = [event["message"]["content"] for event in self.events if event["type"] == role]
        return [block for content in said if isinstance(content, list) for block in content if block["type"] == kind]


@attrs.frozen
class Desk:
    """Where one person works: a version of the client, its home, and the folder that it works on.

    Attributes:
        command: the client's program.
        url: the server that it is to use.
        home: its HOME; the same one twice lets `-c` continue.
        work: its working directory.
    """

    command: tuple[str, ...]
    url: str
    home: Path
    work: Path

    async def ask(self, prompt: str, *options: str, environment: Mapping[str, str] | None = None) -> Run:
        """Run the client on one prompt, to its end.

        Args:
            prompt: what is asked.
            options: more arguments, as `-c`; tools run unasked unless `--permission-mode` is among them.
            environment: more variables for the client.
        """
        with trio.fail_after(TIMEOUT):
            done = await trio.run_process(
                [*self.command, "-p", prompt, *_TOLD, *(() if _MODE in options else _UNASKED), *options],
                capture_stdout=True,
                capture_stderr=True,
                check=False,
                **self.surroundings(environment),
            )
        lines = [line for line in done.stdout.split(b"\n") if line.startswith(b"{")]
        return Run(tuple(map(json.decode, lines)), done.stderr.decode(errors="replace"), done.returncode)

    async def talk(self, *prompts: str) -> tuple[Run, ...]:
        """Say one thing after another to one and the same client; give a run for each, up to its result."""
        runs = []
        async with self._hired(("--input-format", "stream-json"), {"stdin": PIPE}) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            async with aclosing(_lines(process.stdout)) as lines:
                for prompt in prompts:
                    message = {"role": "user", "content": prompt}
                    await process.stdin.send_all(json.encode({"type": "user", "message": message}) + b"\n")
                    runs.append(await _turn(lines))
        return tuple(runs)

    @asynccontextmanager
    async def started(self, prompt: str) -> AsyncIterator[trio.Process]:
        """Start the client on a prompt, for the caller to watch or to interrupt; what it writes is read and dropped."""
        async with self._hired((prompt,), {}) as process, trio.open_nursery() as nursery:
            assert process.stdout is not None
            nursery.start_soon(_drain, process.stdout)
            yield process
            nursery.cancel_scope.cancel()

    @asynccontextmanager
    async def _hired(self, said: tuple[str, ...], pipes: Mapping[str, int]) -> AsyncIterator[trio.Process]:
        """Have the client run until the block is left; whoever asks reads what it prints, nobody its complaints."""
        command = [*self.command, "-p", *said, *_TOLD, *_UNASKED]
        surroundings = {**self.surroundings(None), "stdout": PIPE, "stderr": subprocess.DEVNULL, **pipes}
        with trio.fail_after(TIMEOUT):
            process = await trio.lowlevel.open_process(command, **surroundings)
            try:
                yield process
            finally:
                process.kill()
                with trio.CancelScope(shield=True):
                    await process.wait()

    def surroundings(self, environment: Mapping[str, str] | None) -> dict[str, Any]:
        """What to start the client's process with: variables, folder, no input, and nobody's rights."""
        variables = {
            "HOME": str(self.home),
            "PATH": PATH,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "SHELL": "/bin/bash",
            "USER": "person",
            "TMPDIR": str(self.home / "tmp"),
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_API_KEY": KEY,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            **(environment or {}),
        }
        as_nobody = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        return {"env": variables, "cwd": self.work, "stdin": subprocess.DEVNULL, **as_nobody}


@contextmanager
def desk(version: str, url: str) -> Iterator[Desk]:
    """Set a desk up for one version, and clear it away.

    Raises:
        Unavailable: The client cannot be installed here.
    """
    command = install(version)
    with tempfile.TemporaryDirectory(prefix="dragoman-desk-", ignore_cleanup_errors=True) as room:
        folders = [Path(room), *(Path(room) / name for name in ("home", "home/tmp", "work"))]
        for folder in folders:
            folder.mkdir(exist_ok=True)
            if os.getuid() == 0:
                os.chown(folder, _NOBODY, _NOBODY)
        yield Desk(command, url, Path(room) / "home", Path(room) / "work")


async def _lines(stream: trio.abc.ReceiveStream) -> AsyncGenerator[bytes, None]:
    rest = b""
    async for data in stream:
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield line


async def _turn(lines: AsyncIterator[bytes]) -> Run:
    """Read what the client says until it sums the turn up."""
    events: list[dict[str, Any]] = []
    while not events or events[-1].get("type") != "result":
        line = await anext(lines)
        if line.startswith(b"{"):
            events.append(json.decode(line))
    return Run(tuple(events), "", 0)


async def _drain(stream: trio.abc.ReceiveStream) -> None:
    async for _ in stream:
        pass
