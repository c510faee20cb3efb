"""`dragoman statusline`."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from pipeline.commands.statusline import fetch_usage, handed_over, line
from pipeline.settings import ClientKey, Settings, UpstreamSettings
from tests.support.running import REQUEST
from tests.support.serving import serving

SESSION = "0198c0de-1111-4222-8333-444455556666"


def _model(asked: str, used: str, output: int, cost: float | None, rate: float = 0.94) -> dict[str, Any]:
    return {
        "asked_model": asked, "upstream_model": used, "output_tokens": output, "cost_usd": cost, "cache_hit_rate": rate
    }  # fmt: skip


@pytest.mark.parametrize(
    ("models", "asked", "said"),
    [
        ([_model("opus", "gpt-6.2-astra", 9, 0.181)], "opus", "gpt-6.2-astra · $0.18 · cache 94 %"),
        (
            [_model("haiku", "gpt-6-mini", 1, 0.01), _model("opus", "gpt-6.2-astra", 9, 0.17)],
            "opus",
            "gpt-6.2-astra · $0.18 · cache 94 %",
        ),
        ([_model("haiku", "small", 1, 0.0, 0.0), _model("opus", "big", 9, 0.0)], "?", "big · $0.00 · cache 94 %"),
        ([_model("opus", "llama", 9, None)], "opus", "llama · cache 94 %"),
        ([], "opus", "dragoman"),
    ],
)
def test_the_line(models: list[dict[str, Any]], asked: str, said: str) -> None:
    """The model that was chosen, the cost of all; no cost where one is not known."""
    assert line(models, asked) == said


def test_who_has_a_status_line_keeps_it(tmp_path: Path) -> None:
    """In any of the client's files, or in settings of the run."""
    home = {"HOME": str(tmp_path / "home")}
    project = tmp_path / "project"
    ours = handed_over(["-p", "hi"], home, project, "http://here")
    assert ours[0] == "--settings"
    assert handed_over(["--settings", "{}"], home, project, "http://here") == []
    assert handed_over(["--settings={}"], home, project, "http://here") == []
    for file in (tmp_path / "home/.claude/settings.json", project / ".claude/settings.local.json"):
        file.parent.mkdir(parents=True)
        file.write_text("no JSON")
        assert handed_over([], home, project, "http://here") == ours
        file.write_text('{"statusLine": {}}')
        assert handed_over([], home, project, "http://here") == []
        file.unlink()


async def test_what_is_handed_over_asks_the_proxy(tmp_path: Path) -> None:
    """The very command, as the client runs it: a session on standard input, the key in the environment."""
    settings = Settings(upstream=UpstreamSettings(url="emulator"), client_keys=(ClientKey.of("sk-one", "one"),))
    told = {"session_id": SESSION, "model": {"id": "claude-sonnet-5-5"}, "cost": {"total_cost_usd": 99}}
    async with serving(settings) as url, httpx.AsyncClient() as client:
        headers = {"x-api-key": "sk-one", "x-claude-code-session-id": SESSION}
        await client.post(f"{url}/v1/messages", json=REQUEST, headers=headers)
        _, given = handed_over([], {"HOME": str(tmp_path)}, tmp_path, url)
        command = shlex.split(json.loads(given)["statusLine"]["command"])
        environment = {**os.environ, "ANTHROPIC_AUTH_TOKEN": "sk-one"}
        done = await trio.run_process(
            command, stdin=json.dumps(told).encode(), env=environment, capture_stdout=True, check=False
        )

    assert done.stdout.decode().startswith("gpt-6.2-sol · $0.")
    assert "cache" in done.stdout.decode()


@pytest.mark.parametrize("said", ["", "[]", '{"session_id": 7}', f'{{"session_id": "{SESSION}"}}'])
def test_where_nobody_answers(said: str) -> None:
    """It is a line all the same, and no failure."""
    command = [sys.executable, "-m", "pipeline.cli", "statusline", "--proxy", "http://127.0.0.1:9"]
    done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "dragoman: no answer\n", "")


@pytest.mark.parametrize("url", ["", "nothing", "http://127.0.0.1:port", "http://[", "ftp://127.0.0.1:9"])
def test_addresses_that_are_none(url: str) -> None:
    """Nothing is raised by what a user may have in his environment."""
    assert fetch_usage(url, SESSION, "key\nwith a line") is None
