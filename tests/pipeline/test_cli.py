"""The command `dragoman`."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from pipeline import cli

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run where no settings lie about."""
    monkeypatch.chdir(tmp_path)
    for name in ("DRAGOMAN_CONFIG", "DRAGOMAN_PORT", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_without_a_command_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Who types the bare name wants to know what there is."""
    code = cli.main([])

    assert code == cli.WRONG_USAGE
    shown = capsys.readouterr().out
    assert all(name in shown for name in cli.COMMANDS)


@pytest.mark.parametrize("command", sorted(cli.COMMANDS))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command is a module that configures a parser."""
    with pytest.raises(SystemExit) as left:
        cli.main([command, "--help"])

    assert left.value.code == 0
    assert f"dragoman {command}" in capsys.readouterr().out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` names the program and leaves."""
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])

    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("dragoman ")


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The complaint lists what there is."""
    with pytest.raises(SystemExit) as left:
        cli.main(["sevre"])

    assert left.value.code == cli.WRONG_USAGE
    assert "'serve'" in capsys.readouterr().err


def test_wrong_settings_are_told_all_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Every mistake on a line of its own, no traceback."""
    code = cli.main(["serve", "--port", "many", "--workers", "none"])

    said = capsys.readouterr().err
    assert code == cli.WRONG_USAGE
    assert "port (from --port)" in said
    assert "workers (from --workers)" in said
    assert "Traceback" not in said


def test_a_command_that_cannot_do_its_work_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    """An expected trouble is one sentence and exit code 1."""
    assert cli.main(["emulate", "--delay", "-1"]) == 1
    assert capsys.readouterr().err == "dragoman: --delay must be a number of seconds from 0 to 60\n"


def test_start_up_imports_only_what_is_needed() -> None:
    """The list of commands appears without trio, httpx, hypercorn or the emulator."""
    script = "import sys, pipeline.cli; pipeline.cli.main([]); print(*sys.modules, file=sys.stderr)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=_ROOT)

    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert not loaded & {"trio", "httpx", "hypercorn", "attrs", "stages", "tiktoken"}


_ROOT = cli.__file__.rpartition("/pipeline/")[0]


@pytest.mark.parametrize(
    ("interrupt", "code"),
    [
        (KeyboardInterrupt(), 130),
        (BaseExceptionGroup("tasks", [BaseExceptionGroup("more", [KeyboardInterrupt()])]), 130),
    ],
)
def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, interrupt: BaseException, code: int) -> None:
    """The code that shells know, also where trio brings it in a group."""

    def run(_arguments: object) -> int:
        raise interrupt

    command = SimpleNamespace(configure=lambda _parser: None, run=run)
    monkeypatch.setitem(sys.modules, "pipeline.commands.bench", command)

    assert cli.main(["bench"]) == code


def test_a_reader_that_has_enough() -> None:
    """`dragoman settings | head` ends as any program of the shell does: silently, as if killed by the pipe."""
    command = [sys.executable, "-m", "pipeline", "settings"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, said = process.communicate()

    assert (process.returncode, said) == (cli.NO_READER, b"")
