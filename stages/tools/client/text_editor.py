"""The text editor tool, in its two shapes: with `undo_edit` under its first name, without it under the second.

Source: Anthropic's page of the tool and its reference implementation. One fact was measured by others: the model of
the later versions calls what `insert` puts in `insert_text` (anthropics/anthropic-sdk-python#1155), which the page says
by now as well; the earlier ones call it `new_str`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from stages.canonical.request import JsonObject, ServerTool, Tool
from stages.tools.client.making import Maker, client_function, described, numbers, schema

EARLIER_NAME = "str_replace_editor"
"""What the tool was called up to the version of January 2025."""

_NAME = "str_replace_based_edit_tool"
"""What it has been called since."""

_COMMANDS = ("view", "create", "str_replace", "insert")
_DESCRIPTION = (
    "Look at text files and change them. `view` shows a file with numbered lines, or lists a directory; `create` "
    "writes a new file; `str_replace` replaces one passage, which must occur exactly once in the file, so give "
    "enough of the lines around it; `insert` puts text after a line."
)
_UNDO = " `undo_edit` takes back the last change made to a file."
_SHORTENED = " A file that is viewed is cut off after {} characters; `view_range` shows the rest."


def _schema(commands: tuple[str, ...], inserted: str) -> JsonObject:
    texts = {
        "file_text": described("string", "With `create`: what the file is to contain."),
        "old_str": described(
            "string", "With `str_replace`: the passage as it stands in the file, white space included."
        ),
        "new_str": described("string", "With `str_replace`: what takes its place; without it the passage is deleted."),
    }
    if inserted == "new_str":
        texts["new_str"]["description"] += " With `insert`: the text to put in."
    else:
        texts[inserted] = described("string", "With `insert`: the text to put in.")
    return schema(
        {
            "command": described("string", "What to do.", enum=list(commands)),
            "path": described("string", "Absolute path of the file; `view` takes a directory as well."),
            **texts,
            "insert_line": described(
                "integer", "With `insert`: the number of the line after which the text goes; 0 is the top."
            ),
            "view_range": numbers(
                2, "With `view`, of a file: the first and the last line to show, counted from 1; -1 as last is the end."
            ),
        },
        "command",
        "path",
    )


def _earlier(tool: ServerTool) -> list[Tool]:
    return [client_function(tool, EARLIER_NAME, _DESCRIPTION + _UNDO, _schema((*_COMMANDS, "undo_edit"), "new_str"))]


def _later(tool: ServerTool, *, told: frozenset[str]) -> list[Tool]:
    most = tool.body.get("max_characters")
    shortened = _SHORTENED.format(most) if "max_characters" in told and isinstance(most, int) else ""
    return [client_function(tool, _NAME, _DESCRIPTION + shortened, _schema(_COMMANDS, "insert_text"), told=told)]


TEXT_EDITOR: Mapping[str, Maker] = {
    "text_editor_20241022": _earlier,
    "text_editor_20250124": _earlier,
    "text_editor_20250429": partial(_later, told=frozenset()),
    "text_editor_20250728": partial(_later, told=frozenset({"max_characters"})),
}
"""Each version's `type`, and what makes its function."""
