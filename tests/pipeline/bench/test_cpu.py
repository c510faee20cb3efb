"""Processor time of other processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import pytest

from pipeline.bench import cpu

_PROC = pytest.mark.skipif(not cpu.PROC.joinpath("self", "stat").exists(), reason="no /proc here")

_WORK = "import time\nwhile time.process_time() < 0.15: pass\n"
_PARENT = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], stdout=1); {_WORK}"


def test_a_tree_is_added_up() -> None:
    """Whoever descends from a root counts, once; nobody else does."""
    processes = {1: (0, 100.0), 10: (1, 1.0), 11: (10, 2.0), 12: (11, 4.0), 20: (1, 8.0)}

    assert cpu.cpu_seconds([10, 11], processes) == 7.0
    assert cpu.cpu_seconds([20], processes) == 8.0
    assert cpu.cpu_seconds([99], processes) == 0.0


def test_the_time_of_this_process_grows_with_its_work() -> None:
    """What the system tells fits what we know."""
    before, own = cpu.list_processes()[os.getpid()][1], time.process_time()
    while time.process_time() < own + 0.1:
        pass

    assert cpu.list_processes()[os.getpid()][1] - before == pytest.approx(0.1, abs=0.06)


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
    assert together - alone >= 0.1


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


@_PROC
def test_the_machine_is_at_least_as_busy_as_we_are() -> None:
    """Our own work is part of it, to a clock tick or two on each processor."""
    before, own = cpu.machine_seconds(), time.process_time()
    while time.process_time() < own + 0.2:
        pass
    after = cpu.machine_seconds()

    assert before is not None
    assert after is not None
    assert after - before >= 0.1
