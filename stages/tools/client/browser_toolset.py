"""The browser toolset: a browser of the client's, used by its pixels and by the elements of its pages.

Source: `BrowserMemberInput` and the `Browser...Input` types of the Anthropic SDK 2.12.0, and its table of members,
which tells those that are off unless switched on.
"""

from __future__ import annotations

from stages.canonical.request import JsonObject
from stages.tools.client.making import described, numbers, schema
from stages.tools.client.toolset import MemberFunction, Toolset

_TAB = described("string", "The tab, by its id; without it, the active one.")
_AT = schema(
    {
        "type": described("string", "Always `coordinate`.", enum=["coordinate"]),
        "x": described("integer", "Pixels from the left edge of the viewport."),
        "y": described("integer", "Pixels from the top edge of the viewport."),
    },
    "type",
    "x",
    "y",
)
_POINT = _AT | {"description": "A point of the viewport, in pixels of the screenshot."}
_REF = schema(
    {
        "type": described("string", "Always `ref`.", enum=["ref"]),
        "ref": described("string", "The reference, such as ref_7."),
    },
    "type",
    "ref",
)
_ELEMENT = _REF | {
    "description": "An element, by the reference that read_page or find gave it. References belong to their tab and "
    "no longer hold after a navigation or when much of the page has changed."
}
_TARGET: JsonObject = {
    "description": "Where: a point of the viewport, or an element by the reference that read_page or find gave it.",
    "anyOf": [_AT, _REF],
}
_HELD = described("string", "Modifier keys to hold meanwhile, such as shift or ctrl+shift.")


def _of_tab(
    description: str, properties: dict[str, JsonObject] | None = None, *optional: str, enabled: bool = True
) -> MemberFunction:
    """Make a function that works in a tab; its parameters are required unless they are named as optional."""
    properties = properties or {}
    required = [name for name in properties if name not in optional]
    return MemberFunction(description, schema({**properties, "tab_id": _TAB}, *required), enabled)


def _click(description: str) -> MemberFunction:
    return _of_tab(description, {"target": _TARGET, "modifiers": _HELD}, "modifiers")


def _tab(description: str) -> MemberFunction:
    return MemberFunction(description, schema({"tab_id": described("string", "The tab, by its id.")}, "tab_id"))


BROWSER_TOOLSET = Toolset(
    "browser",
    {
        "navigate": _of_tab(
            "Open an address, or go back, forward or reload.",
            {"url": described("string", "The address, with or without https://, or `back`, `forward` or `reload`.")},
        ),
        "list_tabs": MemberFunction("List the open tabs: id, title and address of each.", schema({})),
        "new_tab": MemberFunction("Open an empty tab, which becomes the active one, and tell its id.", schema({})),
        "switch_tab": _tab("Make a tab the active one."),
        "close_tab": _tab("Close a tab."),
        "read_page": _of_tab(
            "Read the page as a tree of its elements, with references such as [ref_7] that other functions take as "
            "targets. At most 50,000 characters come back: read a subtree, or less deep, if that is too little.",
            {
                "filter": described(
                    "string",
                    "`interactive` shows only what can be acted on, `all` also what is outside the viewport; without "
                    "it, all that is visible.",
                    enum=["all", "interactive"],
                ),
                "depth": described("integer", "How deep to read; 15 levels if not said."),
                "ref": described("string", "The element whose subtree to read; the whole page if not said."),
            },
            "filter",
            "depth",
            "ref",
        ),
        "get_page_text": _of_tab("Read the page's text without its structure; good for articles and documentation."),
        "read_console": _of_tab("Read what the page has written to the console since the last time.", enabled=False),
        "read_network": _of_tab("List the page's network requests since the last time.", enabled=False),
        "find": _of_tab(
            "Find elements by a description in plain words; at most 20 come back, with their references.",
            {"query": described("string", "What to look for, such as: button that adds to the cart.")},
        ),
        "form_input": _of_tab(
            "Set a form element: text, the option of a list by value or text, true or false for a checkbox.",
            {
                "target": _ELEMENT,
                "value": {"type": ["string", "number", "boolean"], "description": "The value to set."},
            },
        ),
        "file_upload": _of_tab(
            "Give files to a file input; at least one of `paths` and `document_ids` is needed.",
            {
                "target": _ELEMENT,
                "paths": described("array", "Paths where the browser runs.", items={"type": "string"}),
                "document_ids": described("array", "Files that were made ready, by id.", items={"type": "string"}),
            },
            "paths",
            "document_ids",
            enabled=False,
        ),
        "scroll_to": _of_tab("Scroll until an element is in view.", {"target": _ELEMENT}),
        "screenshot": _of_tab("Take a picture of the viewport."),
        "zoom": _of_tab(
            "Take an enlarged picture of a part of the viewport, for what is too small in a screenshot.",
            {"region": numbers(4, "x0, y0, x1, y1 in pixels of the viewport.")},
        ),
        "left_click": _click("Click with the left mouse button."),
        "right_click": _click("Click with the right mouse button."),
        "middle_click": _click("Click with the middle mouse button."),
        "double_click": _click("Click twice with the left mouse button."),
        "triple_click": _click("Click three times with the left mouse button, which mostly selects a paragraph."),
        "hover": _of_tab("Move the mouse over something without a click.", {"target": _TARGET}),
        "left_click_drag": _of_tab(
            "Press the left mouse button at one point, move to another, release.", {"from": _POINT, "target": _POINT}
        ),
        "left_mouse_down": _of_tab("Press the left mouse button and keep it down.", {"target": _POINT}),
        "left_mouse_up": _of_tab("Release the left mouse button.", {"target": _POINT}),
        "mouse_move": _of_tab("Move the mouse to a point without a click.", {"target": _POINT}),
        "scroll": _of_tab(
            "Scroll with the mouse wheel.",
            {
                "target": _POINT,
                "scroll_direction": described("string", "Which way.", enum=["up", "down", "left", "right"]),
                "scroll_amount": described("integer", "Clicks of the wheel, 1 to 10; 3 if not said."),
            },
            "scroll_amount",
        ),
        "type": _of_tab("Type text where the focus is.", {"text": described("string", "The text, literally.")}),
        "key": _of_tab(
            "Press a key or a combination of keys, or several one after the other.",
            {
                "text": described("string", "Such as Return, ctrl+a, or Backspace Backspace for two presses."),
                "repeat": described("integer", "How many times; once if not said."),
            },
            "repeat",
        ),
        "hold_key": _of_tab(
            "Hold a key or a combination of keys down for a while.",
            {
                "text": described("string", "The key or combination, as for `key`."),
                "duration": described("number", "How many seconds, 30 at most."),
            },
        ),
        "wait": _of_tab("Wait for a while.", {"duration": described("number", "How many seconds, 30 at most.")}),
        "javascript_exec": _of_tab(
            "Run JavaScript in the page and tell the value of its last expression; write no `return`.",
            {"text": described("string", "The code.")},
            enabled=False,
        ),
    },
)
"""The members, in the order in which the SDK lists them."""
