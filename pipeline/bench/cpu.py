"""Processor time of other processes, user and system together: from `/proc`, or from `ps` where there is none.

`getrusage` could tell the same of children, but only once they have ended, and a server is measured while it runs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

PROC = Path("/proc")
"""Where Linux tells about processes."""

Table = dict[int, tuple[int, float]]
"""Process id to its parent's, and its seconds so far."""

_LISTENING = "0A"  # the kernel's name for the state


def cpu_seconds(roots: Iterable[int], processes: Table | None = None) -> float:
    """Add up the time of these processes and of all that descend from them.

    What has ended counts no more, so compare two readings only while nothing comes or goes. To a hundredth of a second.
    """
    processes = list_processes() if processes is None else processes
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in processes.items():
        children.setdefault(parent, []).append(pid)
    counted: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in counted:
            counted.add(pid)
            waiting += children.get(pid, ())
    return sum(processes[pid][1] for pid in counted if pid in processes)


def machine_seconds(proc: Path = PROC) -> float | None:
    """Tell how long the machine's processors have been busy with anything; None where the system does not tell."""
    try:
        fields = (proc / "stat").read_text().splitlines()[0].split()
    except OSError:
        return None
    user, nice, system, _idle, _waiting, *rest = map(int, fields[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def list_processes() -> Table:
    """List all processes with their times."""
    return dict(from_proc() if (PROC / "self" / "stat").exists() else from_ps(_ps()))


def from_proc(proc: Path = PROC) -> Iterator[tuple[int, tuple[int, float]]]:
    """Read each process's `stat`, where its parent is the second field after its name, and its times 12th and 13th."""
    tick = os.sysconf("SC_CLK_TCK")
    for folder in proc.glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text(errors="replace")
        except OSError:  # it has just ended
            continue
        fields = text[text.rindex(")") + 2 :].split()  # a program's name may hold spaces
        yield int(folder.name), (int(fields[1]), (int(fields[11]) + int(fields[12])) / tick)


def _ps() -> str:
    program = shutil.which("ps") or "/bin/ps"
    words = [program, "-A", "-o", "pid=,ppid=,time="]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603 - constant words


def from_ps(text: str) -> Iterator[tuple[int, tuple[int, float]]]:
    """Read lines of `PID PPID [[DAYS-]HOURS:]MINUTES:SECONDS[.FRACTION]`."""
    for line in text.splitlines():
        pid, parent, time = line.split()
        days, _, clock = time.rpartition("-")
        seconds = 0.0
        for part in clock.split(":"):
            seconds = seconds * 60 + float(part)
        yield int(pid), (int(parent), seconds + 86_400 * int(days or 0))


def listeners(port: int) -> tuple[int, ...]:
    """Find the processes that listen on a port of this machine; none where the system does not tell us."""
    inodes = {inode for name in ("tcp", "tcp6") for inode in _listening(PROC / "net" / name, port)}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    return tuple(sorted({int(link.parts[2]) for link in PROC.glob("[0-9]*/fd/*") if _target(link) in wanted}))


def _listening(sockets: Path, port: int) -> Iterator[str]:
    try:
        lines = sockets.read_text().splitlines()[1:]
    except OSError:
        return
    for fields in map(str.split, lines):
        if fields[3] == _LISTENING and re.search(r":([0-9A-F]+)$", fields[1])[1] == f"{port:04X}":  # type: ignore[index]
            yield fields[9]


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # not ours to look at, or gone
        return ""
