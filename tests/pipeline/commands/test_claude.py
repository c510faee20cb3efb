"""`dragoman claude`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from pipeline.cli import main
from pipeline.commands import claude
from pipeline.commands.listening import bind
from pipeline.commands.probe import Answerer, ProbeResult, who_answers
from pipeline.commands.screen import CommandError
from pipeline.workers import server_command
from tests.pipeline.commands.helpers import program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("words", "own", "others"),
    [
        ([], [], []),
        (["-p", "hello"], [], ["-p", "hello"]),
        (["--port", "1", "-p", "--port 3", "--port", "3"], ["--port", "1"], ["-p", "--port 3", "--port", "3"]),
        (["--upstream=emulator", "--model", "opus"], ["--upstream=emulator"], ["--model", "opus"]),
        (["--", "--port", "1"], [], ["--port", "1"]),
        (["--config", "--"], ["--config", "--"], []),
        (["--port"], ["--port"], []),
        (["--help"], ["--help"], []),
        (["-p", "--help"], [], ["-p", "--help"]),
    ],
)
def test_our_arguments_come_first(words: list[str], own: list[str], others: list[str]) -> None:
    """From the first that is not ours, everything is the client's, verbatim."""
    assert claude.split_arguments(words) == (own, others)


def test_the_client_in_the_path(tmp_path: Path) -> None:
    """The program is found as a shell would find it, or by the variable."""
    found = program(tmp_path, "exit 0")

    assert claude.find_client({"PATH": str(tmp_path)}) == found
    assert claude.find_client({"PATH": "", claude.PROGRAM: found}) == found


def test_no_client(tmp_path: Path) -> None:
    """The sentence says how to install it, or which variable is wrong."""
    with pytest.raises(CommandError, match="npm install -g @anthropic-ai/claude-code"):
        claude.find_client({"PATH": str(tmp_path)})
    with pytest.raises(CommandError, match=r"DRAGOMAN_CLAUDE names .*missing"):
        claude.find_client({"PATH": "", claude.PROGRAM: str(tmp_path / "missing")})


@pytest.mark.parametrize(
    ("script", "code"),
    [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137), ("", 0)],
)
def test_the_exit_code_is_the_clients(script: str, code: int) -> None:
    """A signal counts as shells count it."""
    assert claude.in_the_foreground(sys.executable, ["-c", script], os.environ) == code


def test_the_client_gets_its_environment() -> None:
    """And nothing else of ours."""
    script = "import os; raise SystemExit(os.environ['X'] != 'y' or 'DRAGOMAN_NOT' in os.environ)"

    assert claude.in_the_foreground(sys.executable, ["-c", script], {"X": "y"}) == 0


def test_ctrl_c_belongs_to_the_client() -> None:
    """The signal does not end us, the client gets its default back, and afterwards all is as before."""
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)]
    script = (
        "import os, signal\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"  # as in any program not told to ignore
        "os.kill(os.getppid(), signal.SIGINT)\n"
        "raise SystemExit(5)"
    )

    assert claude.in_the_foreground(sys.executable, ["-c", script], os.environ) == 5
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)] == before


def test_our_end_is_the_clients_end() -> None:
    """Whoever ends us means the client."""
    script = "import os, signal; os.kill(os.getppid(), signal.SIGTERM); signal.pause()"

    assert threading.current_thread() is threading.main_thread()
    assert claude.in_the_foreground(sys.executable, ["-c", script], os.environ) == 128 + signal.SIGTERM


_CLIENT = """
import json, os, signal, sys, urllib.request
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.killpg(os.getpgrp(), signal.SIGINT)  # what a terminal does on Ctrl-C
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
answer = json.load(opener.open(os.environ["ANTHROPIC_BASE_URL"] + "/healthz", timeout=20))
told = {name: value for name, value in os.environ.items() if name.startswith(("ANTHROPIC_", "CLAUDE_"))}
json.dump([answer["service"], sys.argv[1:], told], open("seen.json", "w"))
raise SystemExit(6)
"""


def test_the_whole_command(tmp_path: Path) -> None:
    """The client reaches a proxy that survives Ctrl-C, gets its arguments and environment; we give its exit code."""
    (tmp_path / "client.py").write_text(_CLIENT)
    client = program(tmp_path, f'exec {sys.executable} "{tmp_path}/client.py" "$@"')
    with bind("127.0.0.1", 0) as listener:
        _, environment = server_command([], listener)
        port = str(listener.getsockname()[1])
    words = ["claude", "--port", port, "-p", "a b", "--port", "x"]

    done = subprocess.run(
        [sys.executable, "-P", "-m", "pipeline.cli", *words],
        env={**environment, claude.PROGRAM: client},
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 6, done.stderr
    assert f"proxy http://127.0.0.1:{port}, started for this run (log: " in done.stderr
    assert "upstream: no key: answering from the built-in emulator" in done.stderr
    assert "opus is gpt-6.2-astra, sonnet is gpt-6.2-sol" in done.stderr
    assert "the client ended with 6; what the proxy has logged: " in done.stderr
    service, arguments, told = json.loads((tmp_path / "seen.json").read_text())
    assert (service, arguments[0], arguments[2:]) == ("dragoman", "--settings", ["-p", "a b", "--port", "x"])
    assert "statusLine" in json.loads(arguments[1])
    assert told["ANTHROPIC_BASE_URL"] == f"http://127.0.0.1:{port}"
    assert told["CLAUDE_CODE_AUTO_MODE_SERVER"] == "0"
    assert who_answers(told["ANTHROPIC_BASE_URL"]) is Answerer.NOBODY


def test_a_program_that_the_system_cannot_run(tmp_path: Path) -> None:
    """It is a sentence with the line to type, and no traceback."""
    (file := tmp_path / "claude").write_bytes(b"\x7fELF of another machine")
    file.chmod(0o755)

    with pytest.raises(CommandError, match=r"cannot be run: (?s:.+)npm install -g @anthropic-ai/claude-code"):
        claude.in_the_foreground(str(file), [], os.environ)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            ProbeResult(Answerer.NOBODY, why="Connection refused"),
            "nobody answers at https://team.test: Connection refu",
        ),
        (ProbeResult(Answerer.SOMEBODY_ELSE), "is no dragoman"),
    ],
)
def test_a_proxy_that_is_named_must_be_there(
    found: ProbeResult, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The client is not started into nothing, unless its user insists."""
    monkeypatch.setenv(claude.PROGRAM, program(tmp_path, "exit 7"))
    monkeypatch.setattr(claude, "look", lambda _: found)
    monkeypatch.setattr(claude, "told_models", lambda *_: {})

    assert main(["claude", "--proxy", "https://team.test"]) == 1
    assert said in capsys.readouterr().err
    assert main(["claude", "--proxy", "https://team.test", "--no-check"]) == 7
    assert main(["claude", "--proxy", "team.test"]) == 1
    assert "--proxy https://team.test" in capsys.readouterr().err


def test_a_base_url_that_is_replaced(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no dragoman answers, the command would not do what it is for; it says so."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")

    assert claude.running_elsewhere() is None
    assert "is replaced" in capsys.readouterr().err
