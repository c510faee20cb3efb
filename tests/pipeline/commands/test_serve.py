"""`dragoman serve`."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from pipeline.cli import main
from pipeline.commands.listening import bind
from pipeline.commands.probe import Answerer, who_answers
from pipeline.commands.screen import Screen
from pipeline.commands.serve import announce, upstream_in_words
from pipeline.settings import Secret, Settings, UpstreamSettings
from pipeline.settings.client_keys import client_keys
from pipeline.workers import server_command
from stages.wire import json
from tests.support.waiting import TIMEOUT, until

_KEY = "sk-do-not-show"


@contextmanager
def _process(
    *words: str, stderr: IO[str] | None = None, manager: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process of its own."""
    with bind("127.0.0.1", 0) as listener:
        _, environment = server_command([], listener)
    environment |= {"NOTIFY_SOCKET": str(manager)} if manager is not None else {}
    command = [sys.executable, "-P", "-m", "pipeline.cli", "serve", "--port", "0", *words]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _manager(path: Path) -> Iterator[Callable[[], list[str]]]:
    """Be a service manager; give what returns the first line of each word that it was told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(0)

        def heard() -> list[str]:
            words = []
            with suppress(BlockingIOError):
                while True:
                    words.append(manager.recv(4096).decode().partition("\n")[0])
            return words

        yield heard


@contextmanager
def _serving(*words: str, log: IO[str] | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command; give its process and the URL that it says it listens on."""
    with _process(*words, stderr=log) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()[-1]


def _asking(words: str, **fields: object) -> dict[str, Any]:
    body = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": words}], **fields}
    return {"json": body, "headers": {"x-api-key": "any"}, "trust_env": False, "timeout": TIMEOUT}


def _hello(base_url: str) -> httpx.Response:
    return httpx.post(base_url + "/v1/messages", **_asking("hello"))


async def _told(log: Path, word: str, times: int = 1) -> str:
    heard = ""

    def told() -> bool:
        nonlocal heard
        heard = log.read_text()
        return heard.count(word) >= times

    await until(told)
    return heard


def test_it_serves_until_it_is_told_to_stop() -> None:
    """The first line says where, a message is answered, and SIGTERM is a good ending."""
    with _serving() as (process, base_url):
        assert who_answers(base_url, TIMEOUT) is Answerer.DRAGOMAN
        assert _hello(base_url).json()["type"] == "message"
        process.send_signal(signal.SIGTERM)

        assert process.wait(TIMEOUT) == 0
        assert process.stdout is not None
        assert "no key: answering from the built-in emulator" in process.stdout.read()


async def test_workers_share_the_port(tmp_path: Path) -> None:
    """One that dies is a line, and another takes its place; new settings bring new ones; Ctrl-C ends all.

    Streams are whole beside all of that, and with a log for machines there is nothing but its lines.
    """
    file, log = tmp_path / "dragoman.toml", tmp_path / "log"
    file.write_text('workers = 2\n[upstream]\nurl = "emulator"\n')
    words = ["--config", str(file), "--log-format", "json"]
    with (
        _manager(tmp_path / "s") as heard,
        log.open("w") as written,
        _process(*words, stderr=written, manager=tmp_path / "s") as process,
    ):
        await _told(log, '"started"', 3)
        base_url = json.decode((await _told(log, '"started"')).partition("\n")[0])["url"]
        before = _children(process.pid)
        slow = _asking("[[slow 0.2]]", stream=True)
        with httpx.stream("POST", base_url + "/v1/messages", **slow) as stream:
            file.write_text('workers = 2\nmode = "strict"\n[upstream]\nurl = "emulator"\n')
            process.send_signal(signal.SIGHUP)
            await _told(log, '"reloaded"')
            file.write_text("workers = none")  # whoever takes the place of a dead one does not read this
            os.kill((set(_children(process.pid)) - set(before)).pop(), signal.SIGKILL)
            assert b"message_stop" in stream.read()
        await _told(log, '"started"', 6)
        assert _hello(base_url).is_success
        await until(lambda: _answered(base_url) == 2)
        assert [_answered(base_url) for _ in range(6)] == [2] * 6, "whichever is asked, for all, and for the dead"
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
        assert heard() == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    lines = [json.decode(line) for line in log.read_text().splitlines()]
    (ended,) = [line for line in lines if line["event"] == "worker_ended"]
    assert (ended["how"], ended["restart_in"]) == ("signal 9", 0.0)
    assert who_answers(base_url) is Answerer.NOBODY


async def test_settings_are_read_anew(tmp_path: Path) -> None:
    """A stream keeps what it began with, new requests get what is in; wrong settings change nothing, and say why."""
    file, log = tmp_path / "dragoman.toml", tmp_path / "log"
    file.write_text('[upstream]\nurl = "emulator"\n')
    with log.open("w") as written, _serving("--config", str(file), log=written) as (process, base_url):
        slow = _asking("[[slow 0.1]]", stream=True)
        with httpx.stream("POST", base_url + "/v1/messages", **slow) as stream:
            file.write_text(f'[upstream]\nurl = "http://127.0.0.1:9/v1"\napi_key = "{_KEY}"\n')
            process.send_signal(signal.SIGHUP)
            await _told(log, "reloaded")
            assert _hello(base_url).status_code >= 500
            file.write_text(f'wrong = 1\n[upstream]\napi_key = "{_KEY} {_KEY}"\n')
            process.send_signal(signal.SIGHUP)
            said = await _told(log, "reload_failed")
            assert _hello(base_url).status_code >= 500
            assert b"message_stop" in stream.read()
        assert "upstream.url" in said
        assert "wrong (from dragoman.toml): no such setting" in said
        assert _KEY not in said
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0


def _answered(base_url: str) -> float:
    """Messages that were answered, as `/metrics` has them."""
    text = httpx.get(base_url + "/metrics").text
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if 'http_route="/v1/messages"' in line)


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
        assert main(["serve", "--port", str(port), "--workers", workers, "--log-format", "json"]) == 1

    assert f"port {port} of 127.0.0.1 is in use" in json.decode(capsys.readouterr().err)["why"]


def test_wrong_settings_where_machines_read(capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody could read as a line is one, and nothing else is said."""
    assert main(["serve", "--port", "x", "--log-format", "json"]) == 2

    said = capsys.readouterr()
    line = json.decode(said.err)
    assert (line["event"], line["why"].partition(" ")[0], said.out) == ("not_started", "port", "")


def test_what_is_announced() -> None:
    """Address, upstream, and the lines that run Claude Code; never a key."""
    stream = io.StringIO()
    upstream = UpstreamSettings(url="https://host/v1", api_key=Secret(_KEY))
    settings = Settings(upstream=upstream, upstream_chosen_by="--upstream", workers=3, client_keys=client_keys([_KEY]))

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
