"""`dragoman statusline`: what Claude Code's status line says of a session, `gpt-6.2-astra · $0.18 · cache 94 %`.

Claude Code runs it again and again, with a JSON object about the session on its standard input, and shows its first
line.  So it imports little, asks the proxy once and briefly, and says what it knows: a line that is late is worse than
a short one.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

from pipeline.commands.client_environment import BASE_URL, own_token
from pipeline.commands.screen import say

SETTINGS_FLAG = "--settings"
"""The client's flag for settings of one run."""

_FIELD = "statusLine"
_TIMEOUT = 2.0
_MOST = 2**20  # bytes of what the client says, and of what the proxy answers


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--proxy", metavar="URL", help=f"the dragoman that the session talks to; else {BASE_URL}")
    parser.epilog = (
        "Claude Code runs it with a session on standard input; `dragoman claude` sets it up unless you have a status "
        'line of your own. By hand: {"statusLine": {"type": "command", "command": "dragoman statusline"}}'
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the line; exit code 0 also where little is known, since a client would show nothing of a failure."""
    told = _told(sys.stdin.buffer)
    base_url = arguments.proxy or os.environ.get(BASE_URL) or ""
    model, session = told.get("model"), told.get("session_id")
    asked = str(model.get("id", "")) if isinstance(model, dict) else ""
    found = fetch_usage(base_url, session, own_token(os.environ)) if base_url and isinstance(session, str) else None
    say("dragoman: no answer" if found is None else line(found, asked))
    return 0


def line(models: Sequence[Mapping[str, Any]], asked: str) -> str:
    """Write the line.

    Args:
        models: what each model has done in the session, the latest first.
        asked: the model that the client has chosen; side questions may go to others.
    """
    if not models:
        return "dragoman"
    chosen = next((each for each in models if each["asked_model"] == asked), None)
    shown = chosen or max(models, key=lambda each: each["output_tokens"])
    costs = [each["cost_usd"] for each in models]
    cost = f"${sum(costs):.2f}" if None not in costs else ""
    return " · ".join(filter(None, (shown["upstream_model"], cost, f"cache {100 * shown['cache_hit_rate']:.0f} %")))


def fetch_usage(base_url: str, session: str, key: str | None) -> list[dict[str, Any]] | None:
    """Ask a dragoman what a session has used; None where none answers in time.

    Args:
        base_url: where it listens.
        session: the session's id; its mark alone is sent.
        key: the client's key, where it has one.
    """
    from pipeline.telemetry.session_marks import session_mark

    try:
        at = urlsplit(base_url)
        kind = http.client.HTTPSConnection if at.scheme == "https" else http.client.HTTPConnection
        connection = kind(at.hostname or "", at.port, timeout=_TIMEOUT)
        headers = {"x-api-key": key} if key else {}
        path = f"{at.path.rstrip('/')}/dragoman/usage?session={quote(session_mark(session))}"
        connection.request("GET", path, headers=headers)
        answer = json.loads(connection.getresponse().read(_MOST))
        connection.close()
    except (OSError, ValueError, http.client.HTTPException):
        return None
    models = answer.get("models") if isinstance(answer, dict) else None
    return models if isinstance(models, list) else None


def handed_over(words: Sequence[str], environment: Mapping[str, str], folder: Path, base_url: str) -> list[str]:
    """Arguments that give the client this status line; none where its user has one, or settings of the run's own.

    Args:
        words: the client's own arguments.
        environment: the user's.
        folder: where the client runs, whose settings count.
        base_url: where the proxy listens.
    """
    if any(word.partition("=")[0] == SETTINGS_FLAG for word in words):
        return []
    if any(_FIELD in _settings_in(file) for file in _settings_files(environment, folder)):
        return []
    # Wherever the client runs it, and whatever lies there: ours is found, and nothing else.
    here = f"PYTHONPATH={Path(__file__).resolve().parents[2]}"
    command = ["env", here, sys.executable, "-P", "-m", "pipeline.cli", "statusline", "--proxy", base_url]
    return [SETTINGS_FLAG, json.dumps({_FIELD: {"type": "command", "command": shlex.join(command)}})]


def _settings_files(environment: Mapping[str, str], folder: Path) -> list[Path]:
    """The files in which the client looks for settings: the user's, and the project's shared and local ones."""
    home = environment.get("CLAUDE_CONFIG_DIR") or str(Path(environment.get("HOME") or "~").expanduser() / ".claude")
    project = folder / ".claude"
    return [Path(home) / "settings.json", project / "settings.json", project / "settings.local.json"]


def _settings_in(file: Path) -> Mapping[str, Any]:
    try:
        read = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _told(stream: IO[bytes]) -> dict[str, Any]:
    """Read what the client says of the session; empty where it says nothing that can be read."""
    try:
        told = json.loads(stream.read(_MOST))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
