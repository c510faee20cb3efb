"""A proxy for one run of a client."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import attrs
import pytest

from pipeline.commands.listening import bind, url_of
from pipeline.commands.probe import Answerer, who_answers
from pipeline.commands.proxy import end_child, proxy
from pipeline.commands.screen import CommandError
from pipeline.settings import Settings, Timing, UpstreamSettings
from pipeline.settings.ownership import own_secret
from tests.support.process import serving_process
from tests.support.waiting import TIMEOUT

if TYPE_CHECKING:
    import socket
    from pathlib import Path

_FLAGS = ["--upstream", "emulator"]


def _settings(port: int) -> Settings:
    return Settings(port=port, upstream=UpstreamSettings(url="emulator"), timing=Timing(shutdown_grace=2.0))


@pytest.fixture
def port() -> int:
    """Give a port that was free a moment ago."""
    with bind("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


def test_a_proxy_lives_as_long_as_its_run(port: int, tmp_path: Path) -> None:
    """It is there at once, its log is told, another run has one of its own, and nobody answers afterwards."""
    with proxy(_settings(port), _FLAGS) as found:
        assert found.base_url == f"http://127.0.0.1:{port}"
        assert who_answers(found.base_url, TIMEOUT) is Answerer.DRAGOMAN
        with proxy(_settings(port), _FLAGS) as other:
            assert other.base_url != found.base_url  # the first ends with its run, and must not take another along
        assert who_answers(found.base_url, TIMEOUT) is Answerer.DRAGOMAN

    assert who_answers(found.base_url) is Answerer.NOBODY
    assert found.log == tmp_path / "state" / "dragoman" / f"claude-{port}.log"
    assert found.log.exists()


def test_whose_it_is_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server of this user's with these settings is used; with others, or of another user, it is named and left."""
    own_secret(os.environ, make=True)
    with serving_process(tmp_path, log_to=str(tmp_path / "own.log"), timing_shutdown_grace=2) as own:
        settings = _settings(own.port)
        with proxy(settings, _FLAGS) as same:
            assert same.base_url == f"http://127.0.0.1:{own.port}"
        assert capsys.readouterr().err == ""
        with proxy(attrs.evolve(settings, mode="strict"), _FLAGS) as other:
            assert other.base_url != same.base_url
        assert "of yours runs with other settings (upstream emulator)" in capsys.readouterr().err
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "of another user"))
        own_secret(os.environ, make=True)
        with proxy(settings, _FLAGS) as other:
            assert other.base_url != same.base_url
        assert "not known to be yours" in capsys.readouterr().err


def test_a_port_of_somebody_else(capsys: pytest.CaptureFixture[str]) -> None:
    """The proxy takes a free one instead, and says so."""
    with bind("127.0.0.1", 0) as listener:
        taken = _settings(listener.getsockname()[1])
        answer = threading.Thread(target=_hang_up, args=(listener,))
        answer.start()
        with proxy(taken, _FLAGS) as found:
            answer.join()
            assert found.base_url != url_of(listener)
            assert who_answers(found.base_url, TIMEOUT) is Answerer.DRAGOMAN
    assert "another program answers" in capsys.readouterr().err


@attrs.define
class Busy:
    """A child that still answers something; it ends when it was told so often enough."""

    signals: list[str] = attrs.field(factory=list)
    patience: list[float | None] = attrs.field(factory=list)
    interrupted: bool = False
    ends_by: str = "kill"
    stdin: None = None

    def wait(self, timeout: float | None = None) -> int:
        """Wait in vain; the person at the terminal may not want to."""
        self.patience.append(timeout)
        if self.ends_by in self.signals:
            return 0
        if self.interrupted and len(self.patience) == 2:
            raise KeyboardInterrupt
        raise subprocess.TimeoutExpired("child", timeout or 0)

    def poll(self) -> int | None:
        """Tell whether it has ended."""
        return 0 if self.ends_by in self.signals else None

    def terminate(self) -> None:
        """Hear that."""
        self.signals.append("terminate")

    def send_signal(self, number: int) -> None:
        """Hear that."""
        self.signals.append(signal.Signals(number).name)

    def kill(self) -> None:
        """Hear that."""
        self.signals.append("kill")


@pytest.mark.parametrize(
    ("child", "signals"),
    [
        (Busy(ends_by="terminate"), ["terminate"]),
        (Busy(), ["terminate", "kill"]),
        (Busy(interrupted=True, ends_by="SIGINT"), ["terminate", "SIGINT"]),
        (Busy(interrupted=True), ["terminate", "SIGINT", "kill"]),
    ],
)
def test_the_proxy_is_ended(child: Busy, signals: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It has its grace, which Ctrl-C takes away, as was said before; in the end it is gone in any case."""
    end_child(child, 10.0)  # type: ignore[arg-type] # as far as it is asked

    assert child.signals == signals
    assert ("Ctrl-C ends that at once" in capsys.readouterr().err) is (len(signals) > 1)


def _hang_up(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.close()


def test_a_proxy_that_does_not_start() -> None:
    """What it said is repeated: its log is somewhere that nobody looks."""
    with pytest.raises(CommandError, match=r"(?s)did not start.*workers \(from --workers\)"):
        proxy(_settings(0), ["--workers", "none"]).__enter__()


def test_a_log_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home without room for a log is no reason not to start."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))

    with pytest.raises(CommandError, match=r"(?s)did not start.*workers \(from --workers\)"):
        proxy(_settings(0), ["--workers", "none"]).__enter__()
