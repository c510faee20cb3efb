"""The computer toolset: what the `computer` tool did by an `action`, as 17 functions.

Source: `ComputerMemberName` and the `Computer...Input` types of the Anthropic SDK 2.12.0.
"""

from __future__ import annotations

from stages.canonical.request import JsonObject
from stages.tools.client.making import described, numbers, schema
from stages.tools.client.toolset import MemberFunction, Toolset

_POINT = numbers(2, "x and y in pixels of the screenshot, from its upper left corner.")
_HERE = numbers(2, "x and y in pixels of the screenshot, from its upper left corner; without it, where the mouse is.")
_HELD = described("string", "Keys to hold meanwhile, such as ctrl or ctrl+shift.")
_KEYS = "such as Return, Escape, Page_Down, ctrl+s or alt+Tab"


def _click(description: str) -> MemberFunction:
    return MemberFunction(description, schema({"coordinate": _HERE, "text": _HELD}))


def _plain(description: str, properties: dict[str, JsonObject] | None = None) -> MemberFunction:
    """Make a function all of whose parameters are required."""
    properties = properties or {}
    return MemberFunction(description, schema(properties, *properties))


COMPUTER_TOOLSET = Toolset(
    "computer",
    {
        "key": MemberFunction(
            "Press a key or a combination of keys.",
            schema(
                {
                    "text": described("string", f"The key or combination, {_KEYS}."),
                    "repeat": described("integer", "How many times; once if not said."),
                },
                "text",
            ),
        ),
        "hold_key": _plain(
            "Hold a key or a combination of keys down for a while.",
            {
                "text": described("string", f"The key or combination, {_KEYS}."),
                "duration": described("integer", "How many seconds."),
            },
        ),
        "type": _plain("Type text on the keyboard.", {"text": described("string", "The text.")}),
        "cursor_position": _plain("Tell where the mouse is, in pixels of the screenshot."),
        "mouse_move": _plain(
            "Move the mouse, to hover over something; to click somewhere, click there directly.",
            {"coordinate": _POINT},
        ),
        "left_mouse_down": _plain("Press the left mouse button where the mouse is, and keep it down."),
        "left_mouse_up": _plain("Release the left mouse button."),
        "left_click": _click("Click with the left mouse button."),
        "left_click_drag": MemberFunction(
            "Press the left mouse button at one point, move to another, release.",
            schema({"start_coordinate": _POINT, "coordinate": _POINT, "text": _HELD}, "start_coordinate", "coordinate"),
        ),
        "right_click": _click("Click with the right mouse button."),
        "middle_click": _click("Click with the middle mouse button."),
        "double_click": _click("Click twice with the left mouse button."),
        "triple_click": _click("Click three times with the left mouse button."),
        "scroll": MemberFunction(
            "Scroll with the mouse wheel; rather use this than the keys for a page up or down.",
            schema(
                {
                    "scroll_direction": described("string", "Which way.", enum=["up", "down", "left", "right"]),
                    "scroll_amount": described("integer", "How many clicks of the wheel."),
                    "coordinate": _HERE,
                    "text": _HELD,
                },
                "scroll_direction",
                "scroll_amount",
            ),
        ),
        "wait": _plain("Wait for a while.", {"duration": described("integer", "How many seconds.")}),
        "screenshot": _plain("Take a picture of the screen: the only way to see what is on it."),
        "zoom": _plain(
            "Take an enlarged picture of a part of the screen, to read what is too small in a screenshot.",
            {"region": numbers(4, "x0, y0, x1, y1 in pixels of the screenshot.")},
        ),
    },
)
"""The members, in the order in which the SDK lists them; all of them are on unless `configs` says otherwise."""
