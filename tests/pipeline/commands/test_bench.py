"""`dragoman bench`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.cli import main
from stages.wire import json


def test_a_short_bench_through_a_real_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three processes, one scenario: a table, and the same as JSON, with a CPU time for the server."""
    file = tmp_path / "figures.json"

    code = main(["bench", "--no-stages", "--scenarios", "s20", "--json", str(file)])

    value = json.decode(file.read_bytes())["servers"]["dragoman"]["scenarios"]["s20"]
    assert code == 0
    said = capsys.readouterr()
    assert "CPU ms/req" in said.out
    assert said.err.splitlines()[0] == "loads on a real server: 1 measurements"
    assert said.err.splitlines()[1].startswith("1/1  s20: ")
    assert value["completed"] > 0
    assert value["failed"] == {}
    assert value["ms_per_request"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scenarios", "s21"], "no such scenario: s21"),
        (["--rounds", "0"], "--rounds must be a number from 1 to 50"),
        (["--against", "http://127.0.0.1:1"], "--against needs --upstream-port"),
        (["--against", "http://example.org", "--upstream-port", "1"], "no other machine is put under load"),
        (["--scenarios", "none", "--no-stages", "--json", "/no/such/folder"], "cannot write /no/such/folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is started, and without a traceback."""
    assert main(["bench", *words]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of files differs")
def test_a_load_that_the_system_is_too_small_for_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said, and nothing is started for it."""
    monkeypatch.setattr("pipeline.bench.children.raise_file_limit", lambda _: 100)

    assert main(["bench", "--no-stages", "--scenarios", "p1000"]) == 0
    assert "p1000 is left out: it needs 2100 open files, the limit is 100" in capsys.readouterr().err
