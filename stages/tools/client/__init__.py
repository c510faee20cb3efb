"""Tools that Anthropic defines and the client runs: their models know the schemas, so requests carry none.

Another model does not know them. Here is what each of these tools does, in our words, and what it takes, as JSON
schemas: one file per family. A declaration becomes ordinary functions, and a call comes back to the client under the
names it knows. Tools that dragoman runs itself are functions upstream as well, and made here beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stages.canonical.request import ServerTool, Tool
from stages.tools.client import bash, browser_toolset, computer, computer_toolset, memory, text_editor
from stages.tools.client.making import Maker, ToolsetMember, declared_name, upstream_name
from stages.tools.client.toolset import Toolset
from stages.tools.hosted import advisor, web_fetch
from stages.wire.cache import by_identity

__all__ = ["TOOLSETS", "ToolsetMember", "complaints", "declared_name", "functions_of", "toolset_of", "upstream_name"]

TOOLSETS: Mapping[str, Toolset] = {
    "computer_toolset_20260801": computer_toolset.COMPUTER_TOOLSET,
    "browser_toolset_20260801": browser_toolset.BROWSER_TOOLSET,
}
"""Each toolset by its `type`; new members come with a new date only."""

_MAKERS: Mapping[str, Maker] = {
    **bash.BASH,
    **text_editor.TEXT_EDITOR,
    **memory.MEMORY,
    **computer.COMPUTER,
    **dict.fromkeys(advisor.ADVISOR.types, advisor.advisor_function),
    **dict.fromkeys(web_fetch.WEB_FETCH.types, web_fetch.web_fetch_function),
    **{kind: toolset.functions for kind, toolset in TOOLSETS.items()},
}


@by_identity
def functions_of(tool: ServerTool) -> list[Tool] | None:
    """Make the functions that a declaration stands for; None when the tool is one that the upstream would run.

    Members of a toolset come as `ToolsetMember`s, under their own names; `declared_name` tells what each is called
    upstream.
    """
    make = _MAKERS.get(tool.type)
    return None if make is None else make(tool)


def toolset_of(tool: ServerTool) -> str | None:
    """Tell a toolset's name, which no other tool of the request may have; None for every other tool."""
    toolset = TOOLSETS.get(tool.type)
    return None if toolset is None else toolset.name


def client_tool_complaints(tool: ServerTool) -> Iterator[str]:
    """Say what the API refuses about a declaration, in its words: the place within the entry, then the reason."""
    toolset = TOOLSETS.get(tool.type)
    if toolset is not None:
        yield from toolset.complaints(tool)
    elif tool.type in _MAKERS and tool.name is not None:
        published = _MAKERS[tool.type](ServerTool(tool.type, None, {}))[0].name
        if tool.name != published:
            yield f"name: Input should be '{published}'"
