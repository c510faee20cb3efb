"""No test holds seconds against a number: on a busy machine everything takes longer, and nothing is wrong.

What something costs is counted (`tests.support.counting`), or measured by `make bench`; what waits, waits on trio's
clock, which tests let jump.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.house.sources import modules, tree

CLOCKS = {
    f"time.{name}{unit}"
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime")
    for unit in ("", "_ns")
} | {"os.times", "resource.getrusage", "timeit.timeit", "timeit.repeat", "timeit.default_timer", "time.sleep"}
"""What tells real time, or the time of processors, or waits for it."""

ALLOWED = {
    "tests/fuzz/test_hostile_bytes.py": "bounds a run in time, and gives descriptors time to come back",
    "tests/support/process.py": "gives a real process time to do what is waited for",
    "tests/house/installed.py": "gives a server that has been started time to answer",
    "tests/pipeline/bench/test_cpu.py": "compares the bench's clock with the system's, whatever they show",
    "tests/pipeline/bench/test_measuring.py": "the same",
    "tests/pipeline/endpoints/batches/bulk.py": "is no test: says what a large batch takes",
}
"""Who may read such a clock, and what for."""


_IMPORTED = re.compile(r"^\s*(from|import) (os|resource|time|timeit)\b", re.MULTILINE)
# Where none of them is imported, none is read: most modules need not be looked through.


def clocks_of(module: Path) -> set[str]:
    """Name the clocks that a module of the repository mentions."""
    return set(clocks_read(tree(module))) if _IMPORTED.search((ROOT / module).read_text("utf-8")) else set()


def clocks_read(module: ast.Module) -> Iterator[str]:
    """Name the clocks that a module mentions, under whatever name it imports them."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        match node:
            case ast.Import(names=imported):
                names |= {alias.asname or alias.name: alias.name for alias in imported}
            case ast.ImportFrom(module=str(home), names=imported):
                names |= {alias.asname or alias.name: f"{home}.{alias.name}" for alias in imported}
            case _:
                pass
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name) if names.get(name) in CLOCKS:
                yield names[name]
            case ast.Attribute(value=ast.Name(id=home), attr=name) if f"{names.get(home)}.{name}" in CLOCKS:
                yield f"{names[home]}.{name}"
            case _:
                pass


@pytest.mark.parametrize(
    ("text", "clocks"),
    [
        ("import time\ntime.perf_counter() < 3", ["time.perf_counter"]),
        ("import time as t\nmap(t.monotonic_ns, [])", ["time.monotonic_ns"]),
        ("from time import process_time as spent\nspent()", ["time.process_time"]),
        ("import os\nos.times()[0]", ["os.times"]),
        ("import trio\ntrio.current_time()\ntime = 3\nreply.time", []),
    ],
)
def test_clocks_are_found(text: str, clocks: list[str]) -> None:
    """By their own names or others, called or handed on."""
    assert list(clocks_read(ast.parse(text))) == clocks


def test_no_test_reads_a_clock() -> None:
    """But those that say what for; and whoever is allowed to, does."""
    found = {module.as_posix(): clocks_of(module) for module in modules("tests")}

    assert {name: clocks for name, clocks in found.items() if clocks and name not in ALLOWED} == {}
    assert [name for name in ALLOWED if not found[name]] == []


def test_clocks_that_jump_are_arguments() -> None:
    """pytest-trio looks for its clock among a test's arguments: asked for by `usefixtures`, it does nothing."""
    asked = [
        f"{module}:{node.lineno}"
        for module in modules("tests")
        if "usefixtures" in (ROOT / module).read_text("utf-8")
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".usefixtures")
        if any(isinstance(name, ast.Constant) and "_clock" in str(name.value) for name in node.args)
    ]

    assert asked == []
