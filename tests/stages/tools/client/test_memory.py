"""The memory: what its six commands take, as the SDK has them."""

from __future__ import annotations

from typing import Any, get_args

from anthropic.types.beta import BetaMemoryTool20250818Command

from tests.stages.tools.client.declarations import function, shape, shape_of

COMMANDS: tuple[Any, ...] = get_args(get_args(BetaMemoryTool20250818Command)[0])


def test_every_command_of_the_sdk_can_be_said() -> None:
    """Command by command, the same names; only the command itself is common to all of them."""
    schema = function("memory_20250818", "memory").input_schema
    names = [get_args(command.model_fields["command"].annotation)[0] for command in COMMANDS]
    fields = [shape(command)[0] for command in COMMANDS]

    assert sorted(schema["properties"]["command"]["enum"]) == sorted(names)
    assert shape_of(schema) == (set.union(*fields), set.intersection(*fields))


def test_the_model_is_told_what_the_memory_is_for() -> None:
    """Anthropic says it in a system prompt of its own; nobody else would say it here."""
    tool = function("memory_20250818")

    assert tool.name == "memory"
    assert "/memories" in (tool.description or "")
