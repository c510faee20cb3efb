"""The `computer` tool: one function whose `action` says what to do with mouse, keyboard and screen.

It stays a function, also where the upstream has a `computer` tool of its own: that one speaks of other actions (a click
has a button there, a drag a path), ends every turn with a screenshot that the client was not asked for, and wants its
safety checks acknowledged.  A client of Anthropic's tool answers Anthropic's actions one by one, so that is what the
model has to call.

Source: `BetaToolComputerUse...Param` of the Anthropic SDK 2.12.0, the reference implementation and the tool's page.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from stages.canonical.request import JsonObject, ServerTool, Tool
from stages.tools.client.making import Maker, client_function, described, numbers, schema

_NAME = "computer"
"""What every version is called."""

_FIRST = {
    "key": "press a key or a combination (`text`, such as Return, ctrl+s, alt+Tab)",
    "type": "type `text`",
    "mouse_move": "move the mouse to `coordinate`",
    "left_click": "click",
    "left_click_drag": "press the left button, move to `coordinate`, release",
    "right_click": "click with the right button",
    "middle_click": "click with the middle button",
    "double_click": "click twice",
    "screenshot": "take a picture of the screen",
    "cursor_position": "tell where the mouse is",
}
_SECOND = {
    **_FIRST,
    "left_click_drag": "press the left button at `start_coordinate`, move to `coordinate`, release",
    "left_mouse_down": "press the left button and keep it down",
    "left_mouse_up": "release the left button",
    "scroll": "turn the wheel `scroll_amount` clicks in `scroll_direction`, at `coordinate`",
    "hold_key": "hold the key `text` down for `duration` seconds",
    "wait": "wait `duration` seconds",
    "triple_click": "click three times",
}
_ZOOM = {"zoom": "take an enlarged picture of `region`"}

_POINT = "x and y in pixels of the screenshot, from its upper left corner."
_FIRST_FIELDS = {
    "coordinate": numbers(2, f"Where to move the mouse: {_POINT}"),
    "text": described("string", "What to type, or the key to press."),
}
_SECOND_FIELDS = {
    "coordinate": numbers(2, f"Where the action happens, if not where the mouse is: {_POINT}"),
    "start_coordinate": numbers(2, f"Where a drag begins: {_POINT}"),
    "text": described("string", "What to type, the key to press or hold, or keys to hold during a click or a scroll."),
    "scroll_direction": described("string", "Which way to scroll.", enum=["up", "down", "left", "right"]),
    "scroll_amount": described("integer", "How many clicks of the wheel."),
    "duration": described("number", "How many seconds to wait, or to hold the key."),
}
_REGION = {"region": numbers(4, "The part of the screen to enlarge: x0, y0, x1, y1 in pixels of the screenshot.")}

_DESCRIPTION = (
    "Use the mouse, the keyboard and the screen of a computer. You see it through screenshots alone: take one before "
    "you act, and again to see what an action did. Click in the middle of what you mean."
)
_SIZES = ("display_width_px", "display_height_px")
_TOLD = frozenset({*_SIZES, "display_number"})


def _computer(
    tool: ServerTool, *, actions: dict[str, str], fields: dict[str, JsonObject], zooms: bool = False
) -> list[Tool]:
    if zooms and tool.body.get("enable_zoom") is True:
        actions, fields = actions | _ZOOM, fields | _REGION
    listed = "; ".join(f"`{action}`: {does}" for action, does in actions.items())
    action = described("string", f"What to do. {listed}.", enum=list(actions))
    told = _TOLD | ({"enable_zoom"} if zooms else set())
    return [
        client_function(
            tool, _NAME, _DESCRIPTION + _screen(tool), schema({"action": action, **fields}, "action"), told=told
        )
    ]


def _screen(tool: ServerTool) -> str:
    """Say what the declaration says of the screen; the model has no other way to know."""
    width, height = (tool.body.get(size) for size in _SIZES)
    size = f" The screen is {width} pixels wide and {height} high." if width and height else ""
    number = tool.body.get("display_number")
    return size + (f" Its X11 display number is {number}." if isinstance(number, int) else "")


_later = partial(_computer, actions=_SECOND, fields=_SECOND_FIELDS)

COMPUTER: Mapping[str, Maker] = {
    "computer_20241022": partial(_computer, actions=_FIRST, fields=_FIRST_FIELDS),
    "computer_20250124": _later,
    "computer_20251124": partial(_later, zooms=True),
}
"""Each version's `type`, and what makes its function."""
