"""Each module's coverage by its own test file alone: coverage borrowed from a neighbour's test does not count.

Reads the `.coverage` file that `make coverage` has just written, with one context a test. The convention:
`stages/x/y.py` belongs to `tests/stages/x/test_y.py` or `tests/stages/test_y.py` (where the first was split by idea,
also to `test_y_*.py` beside it); a package that is tested as a whole to `tests/stages/test_x.py`; `pipeline` likewise.

    python -m tests.house.individual_coverage [--fail-under PERCENT] [WORD ...]
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

import attrs
import coverage
from coverage.exceptions import NoDataError

from tests.conftest import ROOT
from tests.house.sources import modules

IMPORTING = "^$"
"""The context of what runs when a module is imported: it counts for everybody."""


@attrs.frozen
class Row:
    """One line of the table."""

    module: Path
    tests: tuple[Path, ...]
    percent: float
    """Lines and branches covered, 0 to 100, as coverage counts them."""


def own_tests(module: Path, existing: Collection[Path]) -> tuple[Path, ...]:
    """List the test files that belong to a module, of those that exist.

    Args:
        module: relative to the repository, such as `stages/wire/sse.py`.
        existing: all test files, relative to the repository.
    """
    top, *between = module.parent.parts
    name = between.pop() if module.name == "__init__.py" and between else module.stem
    beside = Path("tests", top, *between)
    folders = {beside, Path("tests", top)}
    packages = {f"test_{package}" for package in between}
    found = {path for path in existing if path.parent in folders and path.stem in packages | {f"test_{name}"}}
    split = {path for path in existing if path.parent == beside and path.stem.startswith(f"test_{name}_")}
    return tuple(sorted(found | split))


def _percent(data: coverage.Coverage, module: Path, tests: Iterable[Path]) -> float | None:
    contexts = [IMPORTING, *(f"^{re.escape(test.as_posix())}::" for test in tests)]
    try:
        return data.report(include=[str(ROOT / module)], contexts=contexts, file=io.StringIO())
    except NoDataError:
        # Never imported, or nothing in it that runs.
        return None


def measure(words: Collection[str]) -> list[Row]:
    """Measure the modules whose path contains one of the words (all without words), least covered first."""
    data = coverage.Coverage(data_file=str(ROOT / ".coverage"), config_file=str(ROOT / "pyproject.toml"))
    data.load()
    existing = modules("tests")
    rows = []
    for module in modules("stages", "pipeline"):
        tests = own_tests(module, existing)
        if any(word in str(module) for word in words or [""]) and _has_code(module):
            rows.append(Row(module, tests, _percent(data, module, tests) or 0.0))
    return sorted(rows, key=lambda row: (row.percent, row.module))


def _has_code(module: Path) -> bool:
    """Tell whether there is anything to test: a package's docstring alone is not."""
    return module.name != "__init__.py" or "def " in (ROOT / module).read_text(encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 1 when a module lies under `--fail-under`, else 0."""
    parser = argparse.ArgumentParser(description="each module's coverage by its own test file")
    parser.add_argument("--fail-under", type=float, default=0.0, metavar="PERCENT")
    parser.add_argument("words", nargs="*", metavar="WORD", help="only modules whose path contains one of these")
    options = parser.parse_args(arguments)
    rows = measure(options.words)
    for row in rows:
        tests = ", ".join(str(test) for test in row.tests) or "(no test file of its own)"
        print(f"{row.percent:6.1f} %  {row.module!s:44}  {tests}")
    low = [row for row in rows if row.percent < options.fail_under]
    print(f"{len(rows)} modules, {sum(not row.tests for row in rows)} without a test file, {len(low)} under the limit")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
