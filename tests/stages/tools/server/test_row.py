"""Ids of blocks and of the items that they were."""

from __future__ import annotations

from typing import Any

import pytest

from stages.tools.server.row import MCP_TOOL, SERVER_TOOL, CallBlock, ResultBlock, item_id, item_prefix, undo


def test_an_item_keeps_its_id() -> None:
    """An id of the usual form goes through the client and back."""
    assert item_id({"id": "ws_1"}, "ws_") == "ws_1"
    assert undo(SERVER_TOOL + "ws_1", "ws_") == "ws_1"
    assert undo(MCP_TOOL + "mcp_1", "mcp_") == "mcp_1"


@pytest.mark.parametrize("ident", [None, 7, "", "ws 1", "other_1", "ws_" + "x" * 80])
def test_an_id_of_another_form_is_made_up(ident: Any) -> None:
    """It is always the same, and always one that a block may have."""
    made = item_id({"id": ident}, "ws_")

    assert made == item_id({"id": ident}, "ws_")
    assert undo(SERVER_TOOL + made, "ws_") == made


@pytest.mark.parametrize("block_id", [None, 7, "", "ws_1", "srvtoolu_01ABC", "srvtoolu_ws_1-2", "srvtoolu_mcp_1"])
def test_foreign_ids_are_nobodys(block_id: Any) -> None:
    """What we did not make is not undone."""
    assert undo(block_id, "ws_") is None


@pytest.mark.parametrize(
    ("block_id", "prefix"),
    [("srvtoolu_ws_1", "ws_"), ("mcptoolu_mcp_1", "mcp_"), ("srvtoolu_01AB", ""), ("toolu_ws_1", ""), (None, "")],
)
def test_the_beginning_of_an_id_tells_the_tool(block_id: Any, prefix: str) -> None:
    """It is all that is left of an item's type."""
    assert item_prefix(block_id) == prefix


def test_what_is_told_is_in_no_repr() -> None:
    """Arguments and results are content."""
    assert "secret" not in repr((CallBlock("i", "n", {"a": "secret"}), ResultBlock({"b": "secret"})))
