"""Whoever imports a package has declared it: what comes along with another library may leave with it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.house.sources import modules, tree

OURS = {"pipeline", "stages", "tests"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNNING = PROJECT["dependencies"]
DEVELOPING = [*RUNNING, *PROJECT["optional-dependencies"]["dev"]]
EXTRAS = [text for extra in ("completion", "offline", "otel") for text in PROJECT["optional-dependencies"][extra]]
OPTIONAL = [*RUNNING, *EXTRAS]


def imported(module: Path) -> Iterator[str]:
    """Name the packages of others that a module imports, anywhere in it."""
    for node in ast.walk(tree(module)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(name), level=0):
                yield name.partition(".")[0]
            case _:
                pass


def _plain(distribution: str) -> str:
    name = re.match(r"[\w.-]+", distribution)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


@pytest.mark.parametrize(
    ("folder", "requirements"), [("stages", RUNNING), ("pipeline", OPTIONAL), ("tests", DEVELOPING)]
)
def test_every_import_is_declared(folder: str, requirements: list[str]) -> None:
    """The program's under `dependencies` or an extra of its own, the tests' also under `dev`."""
    declared, homes = set(map(_plain, requirements)), packages_distributions()
    foreign = {name for module in modules(folder) for name in imported(module)} - OURS - sys.stdlib_module_names

    assert foreign
    assert {name for name in foreign if declared.isdisjoint(map(_plain, homes.get(name, [name])))} == set()
