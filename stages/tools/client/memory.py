"""The `memory` tool: files under `/memories` that the client keeps from one conversation to the next.

Source: the six `BetaMemoryTool20250818...Command` types of the Anthropic SDK 2.12.0, and Anthropic's page of the tool.
"""

from __future__ import annotations

from collections.abc import Mapping

from stages.canonical.request import ServerTool, Tool
from stages.tools.client.making import Maker, client_function, described, numbers, schema

_NAME = "memory"
"""What the tool is called."""

# The page says that Anthropic adds such an instruction to the system prompt; here the description has to carry it.
_DESCRIPTION = (
    "Keep notes in files under /memories, which are still there in later conversations. Look there before you begin a "
    "task (`view` of /memories), since earlier work may have left something to know, and write down what would be lost "
    "if this conversation ended now. Keep the files tidy: correct or delete what no longer holds, and make a new file "
    "only when none fits. `view` shows a file or lists a directory, `create` writes a file, `str_replace` replaces one "
    "passage, `insert` puts text after a line, `delete` removes a file or a directory, `rename` moves one."
)

_SCHEMA = schema(
    {
        "command": described(
            "string", "What to do.", enum=["view", "create", "str_replace", "insert", "delete", "rename"]
        ),
        "path": described("string", "With all commands but `rename`: a path that begins with /memories."),
        "view_range": numbers(2, "With `view`, of a file: the first and the last line to show, counted from 1."),
        "file_text": described("string", "With `create`: what the file is to contain."),
        "old_str": described("string", "With `str_replace`: the passage as it stands in the file."),
        "new_str": described("string", "With `str_replace`: what takes its place."),
        "insert_line": described(
            "integer", "With `insert`: the number of the line after which the text goes; 0 is the top."
        ),
        "insert_text": described("string", "With `insert`: the text to put in."),
        "old_path": described("string", "With `rename`: where it is now."),
        "new_path": described("string", "With `rename`: where it goes; nothing may be there yet."),
    },
    "command",
)


def _memory(tool: ServerTool) -> list[Tool]:
    return [client_function(tool, _NAME, _DESCRIPTION, _SCHEMA)]


MEMORY: Mapping[str, Maker] = {"memory_20250818": _memory}
"""Each version's `type`, and what makes its function."""
