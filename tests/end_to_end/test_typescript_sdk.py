"""Anthropic's own client for TypeScript, from npm, drives every call of files and batches: `make client`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import trio

from pipeline.settings import Settings, StorageSettings, UpstreamSettings
from stages.wire import json
from tests.support import npm
from tests.support.judges import judge_body
from tests.support.serving import serving

pytestmark = pytest.mark.client

PACKAGE = "@anthropic-ai/sdk"
PROGRAM = Path(__file__).parent / "typescript" / "files_and_batches.mjs"
TIMEOUT = 120
"""Seconds that the program may take."""


@cache
def package() -> Path:
    """Install the client once, and give its folder.

    Raises:
        Unavailable: With the reason.
    """
    folder = npm.INSTALLS / "sdk"
    complaint = npm.install(folder, f"{PACKAGE}@latest")
    found = folder / "node_modules" / PACKAGE
    if not (found / "index.mjs").exists():
        raise npm.Unavailable(f"npm installs no {PACKAGE} here: {complaint}")
    return found


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("where", ["upstream", "local"])
async def test_every_call(tmp_path: Path, where: str) -> None:
    """The program's own assertions hold, and by the judge each of its answers could be Anthropic's."""
    try:
        command = [npm.node(), str(PROGRAM), str(package())]
    except npm.Unavailable as reason:
        pytest.skip(str(reason))
    storage = StorageSettings(where=where, folder=str(tmp_path), concurrency=2)  # type: ignore[arg-type] # one of the two
    upstream = UpstreamSettings(url="emulator", retries=0)
    async with serving(Settings(upstream=upstream, storage=storage, log_level="error")) as url:
        with trio.fail_after(TIMEOUT):
            done = await trio.run_process([*command, url], capture_stdout=True, capture_stderr=True, check=False)

    assert done.returncode == 0, done.stderr.decode()
    answers = [json.decode(line) for line in done.stdout.splitlines()]
    answers = [told for told in answers if "json" in told["type"]]  # a download is what it is
    lines = [(told["status"], json.decode(line.encode())) for told in answers for line in told["body"].splitlines()]
    # The judge knows the old shape of lists alone.
    judged = [(status, body) for status, body in lines if "next_page" not in body]
    assert [found for status, body in judged for found in judge_body(body, status)] == []
    assert {(told["method"], told["status"]) for told in answers} >= {("GET", 200), ("POST", 200), ("DELETE", 200)}
