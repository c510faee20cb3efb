"""`python -m pipeline`."""

from __future__ import annotations

import runpy
import sys

import pytest

from pipeline import cli


def test_it_is_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Run as a module, the package takes the command's arguments and gives its exit code."""
    monkeypatch.setattr(sys, "argv", ["pipeline", "emulate", "--delay", "-1"])

    with pytest.raises(SystemExit) as left:
        runpy.run_module("pipeline", run_name="__main__")

    assert left.value.code == 1
    assert "--delay must be a number of seconds" in capsys.readouterr().err


def test_its_name_is_dragoman(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Help shows the command as it is mostly typed."""
    monkeypatch.setattr(sys, "argv", ["pipeline"])

    with pytest.raises(SystemExit) as left:
        runpy.run_module("pipeline", run_name="__main__")

    assert left.value.code == cli.WRONG_USAGE
    assert capsys.readouterr().out.startswith("usage: dragoman")


def test_an_import_runs_nothing() -> None:
    """Tools that import every module find a module, and no program."""
    assert "main" in runpy.run_module("pipeline.__main__", run_name="pipeline.__main__")
