"""The text editor: four commands, a fifth in its earlier shape, and one parameter that changed its name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stages.tools.client.declarations import function, shape_of

COMMON = {"command", "path", "file_text", "old_str", "new_str", "insert_line", "view_range"}
EARLIER = ("text_editor_20241022", "text_editor_20250124")
LATER = ("text_editor_20250429", "text_editor_20250728")


@pytest.mark.parametrize("kind", EARLIER)
def test_the_earlier_editor(kind: str) -> None:
    """It undoes, and inserts `new_str`."""
    tool = function(kind)

    assert tool.name == "str_replace_editor"
    assert tool.input_schema["properties"]["command"]["enum"] == [
        "view",
        "create",
        "str_replace",
        "insert",
        "undo_edit",
    ]
    assert shape_of(tool.input_schema) == (COMMON, {"command", "path"})
    assert "With `insert`" in tool.input_schema["properties"]["new_str"]["description"]
    assert "undo_edit" in (tool.description or "")


@pytest.mark.parametrize("kind", LATER)
def test_the_later_editor(kind: str) -> None:
    """It does not undo, and inserts `insert_text`, as its model was measured to do."""
    tool = function(kind)

    assert tool.name == "str_replace_based_edit_tool"
    assert tool.input_schema["properties"]["command"]["enum"] == ["view", "create", "str_replace", "insert"]
    assert shape_of(tool.input_schema) == (COMMON | {"insert_text"}, {"command", "path"})
    assert "With `insert`" not in tool.input_schema["properties"]["new_str"]["description"]
    assert "undo_edit" not in (tool.description or "")


@pytest.mark.parametrize(
    ("kind", "most", "said", "kept"),
    [
        ("text_editor_20250728", 10_000, True, {}),
        ("text_editor_20250728", None, False, {}),
        ("text_editor_20250728", "10000", False, {}),
        ("text_editor_20250429", 10_000, False, {"max_characters": 10_000}),
    ],
)
def test_how_much_of_a_file_is_shown(kind: str, most: Any, said: bool, kept: dict[str, Any]) -> None:
    """The model hears of the limit where the version has one; elsewhere it is a field like any unknown one."""
    tool = function(kind, max_characters=most)

    assert ("10000 characters" in (tool.description or "")) is said
    assert tool.extra == kept
