"""A proxy for one run of a client."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pipeline.commands.listening import bind, url_of
from pipeline.commands.probe import Answerer, who_answers
from pipeline.commands.proxy import proxy
from pipeline.commands.screen import CommandError
from pipeline.settings import Settings, Timing, UpstreamSettings
from tests.support.waiting import TIMEOUT

if TYPE_CHECKING:
    import socket
    from pathlib import Path

_FLAGS = ["--upstream", "emulator"]


def _settings(port: int) -> Settings:
    return Settings(port=port, upstream=UpstreamSettings(url="emulator"), timing=Timing(shutdown_grace=2))


@pytest.fixture
def port() -> int:
    """Give a port that was free a moment ago."""
    with bind("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


def test_a_proxy_lives_as_long_as_its_run(port: int, tmp_path: Path) -> None:
    """It is there at once, a second run uses it, and nobody answers afterwards."""
    with proxy(_settings(port), _FLAGS, reuse=True) as base_url:
        assert base_url == f"http://127.0.0.1:{port}"
        assert who_answers(base_url, TIMEOUT) is Answerer.DRAGOMAN
        with proxy(_settings(port), _FLAGS, reuse=True) as again:
            assert again == base_url
        assert who_answers(base_url, TIMEOUT) is Answerer.DRAGOMAN

    assert who_answers(base_url) is Answerer.NOBODY
    assert (tmp_path / "state" / "dragoman" / f"claude-{port}.log").exists()


def test_settings_of_ones_own_need_a_proxy_of_ones_own(port: int) -> None:
    """One that runs already may have other settings; then any free port will do."""
    with (
        proxy(_settings(port), _FLAGS, reuse=True) as running,
        proxy(_settings(port), _FLAGS, reuse=False) as other,
    ):
        assert running != other
        assert who_answers(other, TIMEOUT) is Answerer.DRAGOMAN


def test_a_port_of_somebody_else() -> None:
    """The proxy takes a free one instead."""
    with bind("127.0.0.1", 0) as listener:
        taken = _settings(listener.getsockname()[1])
        answer = threading.Thread(target=_hang_up, args=(listener,))
        answer.start()
        with proxy(taken, _FLAGS, reuse=True) as base_url:
            answer.join()
            assert base_url != url_of(listener)
            assert who_answers(base_url, TIMEOUT) is Answerer.DRAGOMAN


def _hang_up(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.close()


def test_a_proxy_that_does_not_start() -> None:
    """What it said is repeated: its log is somewhere that nobody looks."""
    with pytest.raises(CommandError, match=r"(?s)did not start.*workers \(from --workers\)"):
        proxy(_settings(0), ["--workers", "none"], reuse=True).__enter__()


def test_a_log_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home without room for a log is no reason not to start."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    with pytest.raises(CommandError, match=r"(?s)did not start.*workers \(from --workers\)"):
        proxy(_settings(0), ["--workers", "none"], reuse=True).__enter__()
