"""`dragoman check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.cli import main
from pipeline.commands.claude import PROGRAM
from tests.pipeline.commands.helpers import program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have a client that tells its version."""
    monkeypatch.setenv(PROGRAM, program(tmp_path, "echo 1.2.3"))


def test_a_setup_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    """It works, on the emulator, and that is said."""
    assert main(["check", "--port", "0"]) == 0

    said = capsys.readouterr().out
    assert "warn  key:" in said
    assert "ok    Claude Code:  1.2.3" in said
    assert "upstream emulator, since nothing was given" in said
    assert said.endswith("Nothing stands in the way.\n")


def test_wrong_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """All mistakes are findings; what depends on settings is not looked at."""
    assert main(["check", "--port", "x", "--upstream", "y"]) == 1

    said = capsys.readouterr().out
    assert said.count("fail  settings:") == 2
    assert "key:" not in said


def test_an_upstream_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Each failing check says what to do."""
    assert main(["check", "--port", "0", "--upstream", "http://127.0.0.1:9/v1"]) == 1

    said = capsys.readouterr().out
    assert "fail  upstream:" in said
    assert "-> start the server" in said


def test_the_file_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Who wonders where a setting comes from sees it."""
    (tmp_path / "dragoman.toml").write_text('upstream = "emulator"\n')

    main(["check", "--port", "0"])

    assert (
        f"read from {tmp_path / 'dragoman.toml'}; upstream emulator, chosen by dragoman.toml" in capsys.readouterr().out
    )
