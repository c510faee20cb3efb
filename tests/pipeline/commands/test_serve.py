"""`dragoman serve`."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pipeline.cli import main
from pipeline.commands.listening import bind
from pipeline.commands.probe import Answerer, who_answers
from pipeline.commands.screen import Screen
from pipeline.commands.serve import announce, upstream_in_words
from pipeline.settings import ClientKey, Secret, Settings, UpstreamSettings
from pipeline.workers import server_command
from tests.support.waiting import TIMEOUT

_KEY = "sk-do-not-show"


@contextmanager
def _serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command; give its process and the URL that it says it listens on."""
    with bind("127.0.0.1", 0) as listener:
        _, environment = server_command([], listener)
    command = [sys.executable, "-P", "-m", "pipeline.cli", "serve", "--port", "0", *words]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.kill()


def _hello(base_url: str) -> httpx.Response:
    body = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}
    headers = {"anthropic-version": "2023-06-01", "x-api-key": "any"}
    return httpx.post(base_url + "/v1/messages", json=body, headers=headers, trust_env=False, timeout=TIMEOUT)


def test_it_serves_until_it_is_told_to_stop() -> None:
    """The first line says where, a message is answered, and SIGTERM is a good ending."""
    with _serving() as (process, base_url):
        assert who_answers(base_url, TIMEOUT) is Answerer.DRAGOMAN
        assert _hello(base_url).json()["type"] == "message"
        process.send_signal(signal.SIGTERM)

        assert process.wait(TIMEOUT) == 0
        assert process.stdout is not None
        assert "no key: answering from the built-in emulator" in process.stdout.read()


def test_workers_share_the_port() -> None:
    """When one dies another takes its place, and Ctrl-C ends all."""
    with _serving("--workers", "2") as (process, base_url):
        assert _hello(base_url).is_success
        before = _children(process.pid)
        os.kill(before[0], signal.SIGKILL)
        assert _hello(base_url).is_success
        process.send_signal(signal.SIGINT)

        assert process.wait(TIMEOUT) == 0
        assert len(before) == 2
    assert who_answers(base_url) is Answerer.NOBODY


def _children(pid: int) -> list[int]:
    listed = list(Path(f"/proc/{pid}/task").glob("*/children"))  # each is its thread's, and trio starts them in one
    if not listed:
        pytest.skip("only Linux lists the children of a process so")
    return [int(child) for thread in listed for child in thread.read_text().split()]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use(workers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, and exit code 1."""
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert main(["serve", "--port", str(port), "--workers", workers]) == 1

    assert f"port {port} of 127.0.0.1 is in use" in capsys.readouterr().err


def test_what_is_announced() -> None:
    """Address, upstream, and the lines that run Claude Code; never a key."""
    stream = io.StringIO()
    upstream = UpstreamSettings(url="https://host/v1", api_key=Secret(_KEY))
    settings = Settings(
        upstream=upstream, upstream_chosen_by="--upstream", workers=3, client_keys=(ClientKey.of(_KEY),)
    )

    announce(Screen(stream), settings, "http://127.0.0.1:1")

    said = stream.getvalue()
    assert "https://host/v1 (with a key; chosen by --upstream)" in said
    assert "ANTHROPIC_BASE_URL=http://127.0.0.1:1 ANTHROPIC_AUTH_TOKEN=<one of your client keys>" in said
    assert (
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS=200000 CLAUDE_CODE_AUTO_COMPACT_WINDOW=200000"
        " CLAUDE_CODE_AUTO_MODE_SERVER=0 claude\n"
    ) in said
    assert "workers:  3" in said
    assert _KEY not in said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(upstream=UpstreamSettings(url="emulator"), upstream_chosen_by="nothing was given"), "no key: "),
        (Settings(upstream=UpstreamSettings(url="emulator"), upstream_chosen_by="--upstream"), "chosen by --upstream"),
        (Settings(upstream=UpstreamSettings(url="http://h")), "http://h/v1 (without a key"),
    ],
)
def test_the_upstream_in_words(settings: Settings, said: str) -> None:
    """The emulator is never mistaken for a model."""
    assert said in upstream_in_words(settings)
