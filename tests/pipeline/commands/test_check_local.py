"""Checks of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.commands import check_local
from pipeline.commands.claude import PROGRAM
from pipeline.commands.findings import Verdict
from pipeline.commands.listening import bind
from pipeline.commands.probe import Answerer, ProbeResult, look
from pipeline.settings import Settings
from tests.pipeline.commands.helpers import program

if TYPE_CHECKING:
    from pathlib import Path


def test_python() -> None:
    """This one will do; an older one would not."""
    assert check_local.python().verdict is Verdict.OK
    assert check_local.python((3, 10)).verdict is Verdict.FAIL


def test_a_free_port() -> None:
    """Any port is free when any will do."""
    assert check_local.port(Settings(port=0)).verdict is Verdict.OK


def test_a_port_of_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever listens there and is not a dragoman stands in the way."""
    monkeypatch.setattr(check_local, "look", lambda url, settings: look(url, 0.1, settings))
    with bind("127.0.0.1", 0) as listener:
        finding = check_local.port(Settings(port=listener.getsockname()[1]))

    assert finding.verdict is Verdict.FAIL
    assert "--port" in finding.advice


@pytest.mark.parametrize(
    ("found", "verdict", "said"),
    [
        (ProbeResult(Answerer.DRAGOMAN, "emulator", own=True, same=True), Verdict.OK, "yours"),
        (ProbeResult(Answerer.DRAGOMAN, "emulator", own=True), Verdict.WARN, "other settings (upstream emulator)"),
        (ProbeResult(Answerer.DRAGOMAN, "emulator"), Verdict.WARN, "not known to be yours"),
    ],
)
def test_a_dragoman_that_runs(found: ProbeResult, verdict: Verdict, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose it is matters: another user's would read what it is sent."""
    monkeypatch.setattr(check_local, "look", lambda *_, **__: found)

    finding = check_local.port(Settings())

    assert finding.verdict is verdict
    assert said in finding.text


def test_an_address_that_is_not_ours() -> None:
    """192.0.2.0/24 is nobody's."""
    assert check_local.port(Settings(host="192.0.2.7", port=0)).verdict is Verdict.FAIL


def test_the_vocabulary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is looked for where tiktoken keeps it, under the SHA-1 of its address; nothing is downloaded."""
    monkeypatch.setattr(check_local, "offline", lambda: False)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert check_local.tokenizer().verdict is Verdict.WARN

    (tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790").touch()
    assert check_local.tokenizer().verdict is Verdict.OK


def test_the_vocabulary_of_the_offline_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the extra is installed, nothing has to be downloaded."""
    monkeypatch.setattr(check_local, "offline", lambda: True)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))

    assert check_local.tokenizer().verdict is Verdict.OK


def test_claude_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its own words for its version; a warning where it is absent or broken, for other clients need it not."""
    monkeypatch.setenv(PROGRAM, program(tmp_path, "echo '2.1.330 (Claude Code)'"))
    assert check_local.claude_code().text == "2.1.330 (Claude Code)"

    monkeypatch.setenv(PROGRAM, program(tmp_path, "exit 3"))
    assert "does not run" in check_local.claude_code().text

    monkeypatch.setenv(PROGRAM, str(tmp_path / "missing"))
    assert check_local.claude_code().verdict is Verdict.WARN
