"""A public name stands in one module only: who reads it anywhere knows what is meant, and a search finds one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.house.sources import modules, tree

ROLES = {
    "pipeline.commands: what each command offers": {"configure", "run"},
    "a program of its own": {"main"},
    "stages.wire: both directions of a format": {"encode", "decode"},
}
"""Words that stand in several modules because each of these plays the same part: an interface, told by its name."""


def public(module: ast.Module) -> Iterator[str]:
    """Name what a module defines at its top for others; a type variable is for itself."""
    for node in module.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"))):
                pass
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case _:
                pass


def homes(program: Mapping[Path, ast.Module]) -> dict[str, list[str]]:
    """Find the modules in which each public name of a program stands."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, module in program.items():
        for name in public(module):
            if not name.startswith("_"):
                found[name].add(path.as_posix())
    return {name: sorted(paths) for name, paths in found.items()}


def test_a_public_name_stands_in_one_module() -> None:
    """But for the few that are an interface; and each of those is one."""
    found = homes({path: tree(path) for path in modules("stages", "pipeline")})
    roles = set[str]().union(*ROLES.values())

    assert {name: paths for name, paths in found.items() if len(paths) > 1 and name not in roles} == {}
    assert [name for name in sorted(roles) if len(found.get(name, ())) < 2] == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def a(): ...\nasync def b(): ...\nclass C: ...", ["a", "b", "C"]),
        ("A = B = 1\nC: int = 2\nfrom x import D\nE.f = 3", ["A", "B", "C"]),
        ("def a():\n    b = 1\nT = TypeVar('T')", ["a"]),
    ],
)
def test_what_counts_as_a_name(text: str, names: list[str]) -> None:
    """What stands at the top and is made there."""
    assert list(public(ast.parse(text))) == names
