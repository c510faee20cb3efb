"""The house as syntax trees: which modules there are, and what stands in them."""

from __future__ import annotations

import ast
import gc
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

Function = ast.FunctionDef | ast.AsyncFunctionDef
"""Any `def`, whether it waits or not."""

Documented = Function | ast.ClassDef
"""What carries a name and may carry a docstring."""


@cache
def modules(*packages: str) -> tuple[Path, ...]:
    """List all modules of the packages, relative to the repository, sorted.

    Args:
        packages: folder names below the repository's root, such as `stages`.
    """
    found = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    return tuple(sorted(path.relative_to(ROOT) for path in found if "__pycache__" not in path.parts))


@cache
def tree(module: Path) -> ast.Module:
    """Parse one module, given relative to the repository."""
    parsed = ast.parse((ROOT / module).read_text(encoding="utf-8"), filename=str(module))
    gc.freeze()  # it is kept: looked through again with every tree that follows, it would cost three times its parsing
    return parsed


def functions(module: Path) -> Iterator[Function]:
    """Walk all functions and methods of a module, nested ones included."""
    return (node for node in ast.walk(tree(module)) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Count the lines of a function's body, from its first statement after the docstring to its end."""
    begin = 1 if ast.get_docstring(function) is not None else 0
    body = function.body[begin:]
    return function.body[-1].end_lineno - body[0].lineno + 1 if body and function.body[-1].end_lineno else 0


def public_names(node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, Documented]]:
    """Walk the public classes, functions and methods of a module, each with its dotted name.

    A class with an underscore is its module's own, but what it offers under a public name is called from elsewhere.

    Left out: names with an underscore, overloads (the implementation speaks for them), setters (the property speaks
    for them), and what is made within a function and belongs to it alone.
    """
    for child in node.body:
        if not isinstance(child, Documented) or _speaks_elsewhere(child):
            continue
        if not child.name.startswith("_"):
            yield prefix + child.name, child
        if isinstance(child, ast.ClassDef):
            yield from public_names(child, prefix=f"{prefix}{child.name}.")


def _speaks_elsewhere(node: Documented) -> bool:
    decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return not decorators.isdisjoint({"overload", "setter", "deleter"})


def git(*arguments: str) -> list[str] | None:
    """Run git in the repository and return the NUL-separated items it prints; None outside a checkout."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [item for item in done.stdout.decode().split("\0") if item]
