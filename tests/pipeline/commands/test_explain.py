"""`dragoman explain`, where there is nothing to explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A wrong path is said in one line, without a traceback."""
    path = tmp_path / "none.json"

    assert main(["explain", "--upstream", "emulator", str(path)]) == 1

    assert capsys.readouterr().err == f"dragoman: {path} cannot be read: No such file or directory\n"


def test_a_directory(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Whatever keeps a file from being read is named."""
    assert main(["explain", "--upstream", "emulator", str(tmp_path)]) == 1

    assert capsys.readouterr().err == f"dragoman: {tmp_path} cannot be read: Is a directory\n"
