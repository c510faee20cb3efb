"""What a running dragoman says about its models, and what Claude Code is told of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from pipeline.commands.claude import _window
from pipeline.commands.client_environment import COMPACT_WINDOW, WINDOW_VARIABLE, window_variables
from pipeline.commands.screen import CommandError
from pipeline.commands.told_models import ToldModel, told_models

ANSWERS: dict[str, Any] = {
    "/v1/models/claude-opus": {"display_name": "Opus (tiny)", "max_input_tokens": 65_536},
    "/v1/models/claude-sonnet": {"display_name": "Sonnet (my (old) model)", "max_input_tokens": None},
    "/v1/models/gpt%2F5": {"display_name": "gpt/5", "max_input_tokens": 1},
    "/v1/models/odd": ["?"],
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer from the table, if the key is right."""
        known = self.headers.get("x-api-key") in (None, "k-1")
        body = json.dumps(ANSWERS.get(self.path, {"type": "error"}) if known else {}).encode()
        self.send_response(200 if known else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def base_url() -> Iterator[str]:
    """Where something answers like a dragoman."""
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_what_is_told(base_url: str) -> None:
    """The model behind a name, and what it holds where that is known; what cannot be told is left out."""
    told = told_models(base_url, ["claude-opus", "claude-sonnet", "gpt/5", "odd", "gone"], "k-1")

    assert told == {
        "claude-opus": ToldModel("tiny", 65_536),
        "claude-sonnet": ToldModel("my (old) model", None),
        "gpt/5": ToldModel("gpt/5", 1),
    }
    with pytest.raises(CommandError, match="export ANTHROPIC_AUTH_TOKEN"):
        told_models(base_url, ["claude-opus"], "wrong")


def test_nobody_there() -> None:
    """Then nothing is told."""
    assert told_models("http://127.0.0.1:9", ["claude-opus"], None, 0.5) == {}


@pytest.mark.parametrize(
    ("told", "window"),
    [
        ([], 200_000),
        ([ToldModel("tiny", None)], 200_000),
        ([ToldModel("tiny", 65_536), ToldModel("big", 262_144)], 65_536),
        ([ToldModel("big", 262_144)], 262_144),
        ([ToldModel("gpt-6.2-sol", 922_000)], 200_000),
        ([ToldModel("gpt-5", 65_536)], 65_536),
    ],
)
def test_which_window_is_believed(told: list[ToldModel], window: int) -> None:
    """The server's own; what the tables say of a model only as far as it is known that OpenAI's is behind."""
    assert _window(told, 200_000) == window


def test_the_variables() -> None:
    """The one for names that the client knows takes nothing small."""
    assert window_variables(200_000) == {WINDOW_VARIABLE: "200000", COMPACT_WINDOW: "200000"}
    assert window_variables(65_536) == {WINDOW_VARIABLE: "65536"}
