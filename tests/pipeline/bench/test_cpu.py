"""Processor time of other processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.bench import cpu

_PROC = pytest.mark.skipif(not cpu.PROC.joinpath("self", "stat").exists(), reason="no /proc here")

_TICKS = 2 / os.sysconf("SC_CLK_TCK")
"""Seconds that two times together may be rounded by."""

# Long enough for a few ticks of the system's clock.
_WORK = "import time\nwhile time.process_time() < 0.15: pass\n"
_PARENT = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdout=1); {_WORK}"


def test_a_tree_is_added_up() -> None:
    """Whoever descends from a root counts, once; nobody else does."""
    processes = {1: (0, 100.0), 10: (1, 1.0), 11: (10, 2.0), 12: (11, 4.0), 20: (1, 8.0)}

    assert cpu.cpu_seconds([10, 11], processes) == 7.0
    assert cpu.cpu_seconds([20], processes) == 8.0
    assert cpu.cpu_seconds([99], processes) == 0.0


@pytest.mark.parametrize("name", ["python", "a (b) c", ""])
def test_what_proc_tells(name: str, tmp_path: Path) -> None:
    """User and system time together, in seconds, whatever the program calls itself; what is no process is left out."""
    second = os.sysconf("SC_CLK_TCK")
    _write(tmp_path / "42" / "stat", f"42 ({name}) S 7 1 1 0 -1 4194304 9 9 0 0 {3 * second} {second // 2} 99 99 20 0")
    _write(tmp_path / "self" / "stat", "no process")
    (tmp_path / "43").mkdir()  # has ended since the folder was listed

    assert dict(cpu.from_proc(tmp_path)) == {42: (7, 3.5)}


def test_the_time_of_this_process_is_what_it_knows_itself() -> None:
    """Between what the process is told before and after, to a tick for each of the two times."""
    before = sum(os.times()[:2])
    parent, seconds = cpu.list_processes()[os.getpid()]
    after = sum(os.times()[:2])

    assert parent == os.getppid()
    assert before - _TICKS <= seconds <= after + _TICKS


def test_a_child_counts_with_its_parent() -> None:
    """A server with workers is measured as a whole."""
    work = _WORK + "print('done', flush=True); sys.stdin.read()".replace("sys.", "__import__('sys').")
    words = [sys.executable, "-c", _PARENT + "sys.stdin.read()", work]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        table = cpu.list_processes()
        children = [pid for pid, (of, _) in table.items() if of == parent.pid]
        together, alone = cpu.cpu_seconds([parent.pid], table), table[parent.pid][1]
        parent.kill()
        for child in children:
            os.kill(child, 9)

    assert len(children) == 1
    assert together == pytest.approx(alone + table[children[0]][1])
    assert together > alone


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:01.50", 1.5), ("00:00:02", 2.0), ("01:02:03", 3723.0), ("2-00:00:01", 172_801.0)],
)
def test_what_ps_prints(text: str, seconds: float) -> None:
    """With fractions, hours or days, as the systems have it."""
    assert dict(cpu.from_ps(f"  42   1 {text}\n")) == {42: (1, seconds)}


@_PROC
def test_who_listens_is_found_by_the_port() -> None:
    """This process, while it listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert cpu.listeners(port) == (os.getpid(),)

    assert cpu.listeners(port) == ()


def test_what_the_machine_did(tmp_path: Path) -> None:
    """All but idling and waiting for a disk; the guests of a virtual machine are in its users' time already."""
    second = os.sysconf("SC_CLK_TCK")
    idle = 1_000 * second
    _write(tmp_path / "stat", f"cpu  {second} {second} {second} {idle} {idle} {second} {second} {second} {idle} {idle}")

    assert cpu.machine_seconds(tmp_path) == 6.0


def test_a_machine_that_does_not_tell(tmp_path: Path) -> None:
    """Then nothing is known."""
    assert cpu.machine_seconds(tmp_path) is None


@_PROC
def test_this_machine_tells() -> None:
    """What it has done grows, and is more than this process did."""
    before = cpu.machine_seconds()
    after = cpu.machine_seconds()

    assert before is not None
    assert after is not None
    assert 0 < before <= after


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text + "\n")
