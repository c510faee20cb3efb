"""`dragoman completion`."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from pipeline.cli import COMMANDS, main
from pipeline.commands.completion import SHELLS, combined_parser

_ASK = """
source /dev/stdin
COMP_WORDS=({words}); COMP_CWORD={at}; COMP_LINE="{words}"; COMP_POINT=${{#COMP_LINE}}
_shtab_dragoman
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def test_every_command_and_flag_is_in_it() -> None:
    """A command that is new is completed as well, because there is one table of them."""
    told = combined_parser(COMMANDS).format_help()

    assert all(name in told for name in COMMANDS)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All flags of all commands are in it."""
    pytest.importorskip("shtab")

    assert main(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("serve", "statusline", "workers", "scenarios"))


@pytest.mark.parametrize(
    ("words", "at", "found"), [("dragoman se", 1, "serve"), ("dragoman serve --wor", 2, "--workers")]
)
def test_bash_completes(words: str, at: int, found: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A real bash, which reads the script and is asked."""
    pytest.importorskip("shtab")
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    main(["completion", "bash"])
    script = capsys.readouterr().out

    done = subprocess.run(
        [bash, "--norc", "-c", _ASK.format(words=words, at=at)],
        input=script,
        capture_output=True,
        text=True,
        check=True,
    )

    assert found in done.stdout.split()


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence says what to install."""
    monkeypatch.setitem(sys.modules, "shtab", None)

    assert main(["completion", "bash"]) == 1
    assert "pip install 'dragoman[completion]'" in capsys.readouterr().err
