"""The `bash` tool: a shell that lives as long as the client keeps it.

Source: Anthropic's page of the tool, and its reference implementation; both dates have the same two parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

from stages.canonical.request import ServerTool, Tool
from stages.tools.client.making import Maker, client_function, described, schema

_NAME = "bash"
"""What every version is called."""

_DESCRIPTION = (
    "Run a command in a bash shell. The shell is one session: working directory, variables and background jobs are "
    "still there at the next call. There is no terminal, so nothing interactive (editors, pagers, password prompts) "
    "works; ask for non-interactive behaviour with flags. If the shell hangs or is broken, restart it."
)

_SCHEMA = schema(
    {
        "command": described("string", "The command to run. Required unless `restart` is true."),
        "restart": described("boolean", "True ends the shell and starts a new one; no command is run then."),
    }
)


def _bash(tool: ServerTool) -> list[Tool]:
    return [client_function(tool, _NAME, _DESCRIPTION, _SCHEMA)]


BASH: Mapping[str, Maker] = {"bash_20241022": _bash, "bash_20250124": _bash}
"""Each version's `type`, and what makes its function."""
