"""Which test file belongs to which module."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.individual_coverage import own_tests

EXISTING = tuple(
    Path("tests", name)
    for name in (
        "stages/test_encoder.py",
        "stages/test_json_buffer.py",
        "stages/test_mapper.py",
        "stages/test_sse.py",
        "stages/mapper/test_tools.py",
        "stages/wire/test_json.py",
        "stages/wire/test_json_numbers.py",
        "pipeline/test_cli.py",
        "laws/test_cuts.py",
    )
)


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        ("stages/encoder.py", ["stages/test_encoder.py"]),
        ("stages/wire/sse.py", ["stages/test_sse.py"]),
        ("stages/wire/json.py", ["stages/wire/test_json.py", "stages/wire/test_json_numbers.py"]),
        ("stages/mapper/tools.py", ["stages/mapper/test_tools.py", "stages/test_mapper.py"]),
        ("stages/mapper/__init__.py", ["stages/test_mapper.py"]),
        ("pipeline/cli.py", ["pipeline/test_cli.py"]),
        ("pipeline/encoder.py", []),
    ],
)
def test_own_tests(module: str, tests: list[str]) -> None:
    """A module is covered by the file of its name, those split from it, or its package's; by no neighbour's."""
    assert own_tests(Path(module), EXISTING) == tuple(Path("tests", test) for test in tests)
