"""The table of hosted tools as a whole."""

from __future__ import annotations

import pytest

from stages.tools.server import BY_ITEM, BY_PREFIX, BY_UPSTREAM, PROGRESS, SERVER_TOOLS, row_of


@pytest.mark.parametrize(
    ("kind", "upstream"),
    [
        ("web_search_20260209", "web_search"),
        ("code_execution_20250522", "code_interpreter"),
        ("mcp_toolset", "mcp"),
        ("tool_search_tool_regex", "tool_search"),
        ("web_fetch_20250910", None),
        ("advisor_20260301", None),
        ("bash_20250124", None),
    ],
)
def test_each_tool_has_one_row(kind: str, upstream: str | None) -> None:
    """By the type that the client says."""
    row = row_of(kind)

    assert (row.upstream if row else None) == upstream


def test_rows_do_not_overlap() -> None:
    """What one of them reads, no other does."""
    assert len(BY_UPSTREAM) == len(BY_PREFIX) == len(SERVER_TOOLS)
    assert len(BY_ITEM) == sum(len(row.items) for row in SERVER_TOOLS)


def test_progress_is_about_those_items() -> None:
    """Each event that is passed over has an item that says it again; a server's list of tools is never shown."""
    items = {name.split(".")[0].removesuffix("_code").removesuffix("_arguments") for name in PROGRESS}

    assert items - BY_ITEM.keys() == {"mcp_list_tools"}
