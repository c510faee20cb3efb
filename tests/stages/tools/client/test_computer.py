"""The computer: what it can do by version, and what the model is told of the screen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stages.tools.client.declarations import function

SCREEN: dict[str, Any] = {"display_width_px": 1280, "display_height_px": 800}


@pytest.mark.parametrize(
    ("kind", "fields", "actions", "parameters"),
    [
        ("computer_20241022", {}, 10, {"action", "coordinate", "text"}),
        ("computer_20250124", {}, 16, None),
        ("computer_20251124", {}, 16, None),
        ("computer_20251124", {"enable_zoom": False}, 16, None),
        ("computer_20251124", {"enable_zoom": True}, 17, None),
    ],
)
def test_what_each_version_can_do(kind: str, fields: dict[str, Any], actions: int, parameters: set[str] | None) -> None:
    """Every action of the version, and the parameters that they need; an action alone is required."""
    schema = function(kind, "computer", **SCREEN, **fields).input_schema
    later = {"action", "coordinate", "start_coordinate", "text", "scroll_direction", "scroll_amount", "duration"}
    wanted = parameters or (later | {"region"} if fields.get("enable_zoom") else later)

    assert len(schema["properties"]["action"]["enum"]) == actions
    assert ("zoom" in schema["properties"]["action"]["enum"]) is (actions == 17)
    assert set(schema["properties"]) == wanted
    assert schema["required"] == ["action"]


def test_every_action_is_explained() -> None:
    """The model does not know them from anywhere else."""
    action = function("computer_20251124", enable_zoom=True, **SCREEN).input_schema["properties"]["action"]

    assert all(f"`{name}`: " in action["description"] for name in action["enum"])


def test_the_screen_is_described() -> None:
    """Its size and number are said in words, and count as said."""
    tool = function("computer_20250124", **SCREEN, display_number=1, other=2)

    assert "1280 pixels wide and 800 high" in (tool.description or "")
    assert "X11 display number is 1." in (tool.description or "")
    assert tool.extra == {"other": 2}


@pytest.mark.parametrize("fields", [{}, {"display_width_px": 1280}, {"display_number": None}])
def test_a_screen_of_unknown_size(fields: dict[str, Any]) -> None:
    """What is not said cannot be told."""
    description = function("computer_20250124", **fields).description or ""

    assert "wide" not in description
    assert "X11" not in description


def test_a_zoom_that_the_version_does_not_know() -> None:
    """The field came with the last version; before, it is a field like any unknown one."""
    tool = function("computer_20250124", **SCREEN, enable_zoom=True)

    assert "zoom" not in tool.input_schema["properties"]["action"]["enum"]
    assert tool.extra == {"enable_zoom": True}
