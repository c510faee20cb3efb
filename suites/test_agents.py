"""OpenCode and Qwen Code, two terminals that speak the Messages API: an answer, and a tool that does something.

They have no suites for servers, so each is run as its users run it, once for each.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

MODULES = Path(os.environ.get("DRAGOMAN_AGENT_MODULES", Path(__file__).parent / "agents" / "node_modules"))
MODEL = "claude-haiku-4-5"
TIMEOUT = 900.0
"""Seconds for one run: they begin slowly where much else runs."""


def _opencode(base_url: str, folder: Path, prompt: str) -> list[str]:
    provider = {"options": {"baseURL": f"{base_url}/v1", "apiKey": "any"}, "models": {MODEL: {"tool_call": True}}}
    settings = {
        "autoupdate": False,
        "share": "disabled",
        "model": f"anthropic/{MODEL}",
        "small_model": f"anthropic/{MODEL}",
        "permission": {"bash": "allow"},
        "provider": {"anthropic": provider},
    }
    (folder / "opencode.json").write_text(json.dumps(settings), encoding="utf-8")
    return ["opencode", "run", *prompt.split(" ")]  # a word with a space in it would be quoted


def _qwen(_: str, __: Path, prompt: str) -> list[str]:
    return ["qwen", "--auth-type", "anthropic", "--yolo", "-p", prompt]


AGENTS = {"opencode": (_opencode, "bash"), "qwen": (_qwen, "run_shell_command")}
"""How each is called, and its tool for commands."""


def _run(agent: str, base_url: str, folder: Path, prompt: str) -> str:
    program, *arguments = AGENTS[agent][0](base_url, folder, prompt)
    command = shutil.which(program, path=MODULES / ".bin")
    if command is None or not shutil.which("node"):
        pytest.skip(f"{program} or node is not here")
    home = folder.parent / "home"
    home.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ANTHROPIC_"))},
        "HOME": str(home),
        "ANTHROPIC_BASE_URL": base_url,
        "ANTHROPIC_API_KEY": "any",
        "ANTHROPIC_MODEL": MODEL,
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
    }
    done = subprocess.run(
        [command, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty project."""
    place = tmp_path / "project"
    place.mkdir()
    return place


@pytest.mark.parametrize("agent", AGENTS)
def test_an_answer(base_url: str, folder: Path, agent: str) -> None:
    """It is printed."""
    assert len(_run(agent, base_url, folder, "hello there").split()) > 5


@pytest.mark.parametrize("agent", AGENTS)
def test_a_tool(base_url: str, folder: Path, agent: str) -> None:
    """It runs the command that the model asks for, and goes on with what came of it."""
    arguments = {"command": "echo rain > weather.txt", "description": "Writes", "is_background": False}
    call = f"[[call:{AGENTS[agent][1]} {json.dumps(arguments)}]]"
    told = _run(agent, base_url, folder, f"Please do this: {call}")

    assert (folder / "weather.txt").read_text(encoding="utf-8") == "rain\n"
    assert told.strip()
