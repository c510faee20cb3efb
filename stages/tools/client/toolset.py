"""Toolsets: one entry in `tools` that stands for many functions, each of which the client may switch on and off.

Source: `BetaComputerToolset20260801`, `BetaBrowserToolset20260801` and their members' types in the Anthropic SDK
2.12.0; what the API refuses about an entry is from Anthropic's page "Tool reference".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from stages.canonical.request import JsonObject, ServerTool, Tool
from stages.tools.client.making import ToolsetMember, left_over, mark

_SWITCHES = ("enabled", "defer_loading")


@attrs.frozen
class MemberFunction:
    """A member as it is published.

    Attributes:
        description: what it does.
        schema: the JSON schema of its input.
        enabled: whether it is there when the client says nothing.
    """

    description: str
    schema: JsonObject
    enabled: bool = True


@attrs.frozen
class Toolset:
    """A family of functions.

    Attributes:
        name: what `toolset_name` says in calls and results.
        members: the functions, in the order in which they are declared.
    """

    name: str
    members: Mapping[str, MemberFunction]

    def functions(self, tool: ServerTool) -> list[Tool]:
        """Make the functions of an entry; the client's mark for the cache and unknown fields go to the last."""
        found: list[Tool] = [
            ToolsetMember(
                name=name,
                input_schema=member.schema,
                description=member.description,
                defer_loading=_switch(tool, name, "defer_loading", usual=False),
                toolset=self.name,
            )
            for name, member in self.members.items()
            if _switch(tool, name, "enabled", usual=member.enabled)
        ]
        if found:
            found[-1] = attrs.evolve(found[-1], cache_control=mark(tool), extra=left_over(tool, frozenset({"configs"})))
        return found

    def complaints(self, tool: ServerTool) -> Iterator[str]:
        """Say what is wrong with an entry's `configs`, each place first, from the entry on."""
        configs = tool.body.get("configs")
        if configs is None:
            return
        if not isinstance(configs, dict):
            yield "configs: Input should be a valid dictionary"
            return
        for name, config in configs.items():
            if name not in self.members:
                yield f"configs.{name}: Extra inputs are not permitted"
            elif config is not None:
                yield from (f"configs.{name}{complaint}" for complaint in _config_complaints(config))
        functions = self.functions(tool)
        if not functions:
            yield "configs: at least one member must be enabled; leave the entry out to have none"
        elif len({function.defer_loading for function in functions}) > 1:
            yield "configs: defer_loading must be the same for every enabled member"


def _config_complaints(config: Any) -> Iterator[str]:
    if not isinstance(config, dict):
        yield ": Input should be a valid dictionary"
        return
    for field, value in config.items():
        if field not in _SWITCHES:
            yield f".{field}: Extra inputs are not permitted"
        elif value is not None and not isinstance(value, bool):
            yield f".{field}: Input should be a valid boolean"


def _switch(tool: ServerTool, member: str, field: str, *, usual: bool) -> bool:
    """Read one switch of one member; what is not there, or makes no sense, is as usual."""
    configs = tool.body.get("configs")
    config = configs.get(member) if isinstance(configs, dict) else None
    value = config.get(field) if isinstance(config, dict) else None
    return value if isinstance(value, bool) else usual
