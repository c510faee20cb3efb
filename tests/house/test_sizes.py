"""The budget of sizes: one idea per file, and functions that fit in the head (docs/architecture.md)."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from tests.conftest import ROOT
from tests.house.sources import body_lines, functions, modules

PRODUCT = ("stages", "pipeline")
MAX_FILE, MEDIAN_FILE = 400, 150
MAX_FUNCTION, MEDIAN_FUNCTION = 60, 8


def _file_sizes(*packages: str) -> dict[str, int]:
    sizes = {str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules(*packages)}
    return {name: lines for name, lines in sizes.items() if lines}


def _function_sizes(*packages: str) -> dict[str, int]:
    return {
        f"{path}:{function.lineno} {function.name}": body_lines(function)
        for path in modules(*packages)
        for function in functions(path)
    }


def _over(sizes: dict[str, int], limit: int) -> dict[str, int]:
    return {name: lines for name, lines in sizes.items() if lines > limit}


def test_no_file_is_too_long() -> None:
    """No file of the program or its tests is longer than 400 lines."""
    assert _over(_file_sizes(*PRODUCT, "tests"), MAX_FILE) == {}


def test_files_are_short() -> None:
    """Half of the program's files have at most 150 lines; empty ones do not count."""
    assert median(_file_sizes(*PRODUCT).values()) <= MEDIAN_FILE


def test_no_function_is_too_long() -> None:
    """No function of the program or its tests has a body of more than 60 lines."""
    assert _over(_function_sizes(*PRODUCT, "tests"), MAX_FUNCTION) == {}


def test_functions_are_short() -> None:
    """Half of the program's functions have a body of at most 8 lines."""
    assert median(_function_sizes(*PRODUCT).values()) <= MEDIAN_FUNCTION


def test_a_docstring_is_not_counted() -> None:
    """A function's size is that of what it does: measured on this module's first test, of one line."""
    this_module = Path(__file__).resolve().relative_to(ROOT)
    first = next(node for node in functions(this_module) if node.name == "test_no_file_is_too_long")

    assert body_lines(first) == 1
