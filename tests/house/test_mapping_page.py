"""The page of the mapping is what the tables give, and each of its rows names a test that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.house.mapping_page import PAGE, page, tables
from tests.house.mapping_table import Table, code
from tests.house.sources import functions


@pytest.fixture(scope="module")
def listed() -> list[Table]:
    """All tables of the page."""
    return list(tables())


def is_there(test: str) -> bool:
    """Whether a test is there: its file, and its function where one is named."""
    path, _, name = test.partition("::")
    if not (path.startswith("tests/") and (ROOT / path).is_file()):
        return False
    return not name or name in {function.name for function in functions(Path(path))}


def test_the_page_is_what_the_tables_give() -> None:
    """Whoever changes a table runs `make mapping`."""
    assert PAGE.read_text(encoding="utf-8") == page(), "docs/mapping.md is not up to date: make mapping"


def test_every_row_is_proven(listed: list[Table]) -> None:
    """The test that a row names is there."""
    missing = {row[-1] for table in listed for row in table.rows if not is_there(row[-1])}

    assert missing == set()


def test_rows_are_whole(listed: list[Table]) -> None:
    """As many cells as there are columns, none of them empty, and no row twice; no title twice either."""
    for table in listed:
        assert table.rows, table.title
        assert {len(row) for row in table.rows} == {len(table.head) + 1}, table.title
        assert len(set(table.rows)) == len(table.rows), table.title
        assert [row for row in table.rows if not all(row)] == [], table.title
    assert len({table.title for table in listed}) == len(listed)


def test_what_counts_as_there() -> None:
    """A file alone will do; a function must be in it, and nothing outside of the tests counts."""
    here = "tests/house/test_mapping_page.py"

    assert is_there(here)
    assert is_there(f"{here}::test_what_counts_as_there")
    assert not is_there(f"{here}::test_that_nobody_has_written")
    assert not is_there("tests/house/test_nothing.py")
    assert not is_there("stages/mapper/field_report/defaults.py")


def test_a_table_is_markdown() -> None:
    """A bar in a cell does not end it; the last column loses the folder that all tests share."""
    table = Table("A title", "Why.", ("a",), [(code("x|y"), "tests/a.py::b")])

    assert table.markdown() == "## A title\n\nWhy.\n\n| a | test |\n| --- | --- |\n| `x\\|y` | `a.py::b` |\n"
