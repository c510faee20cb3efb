"""The shell: one function, whatever the date."""

from __future__ import annotations

import pytest

from tests.stages.tools.client.declarations import function, shape_of


@pytest.mark.parametrize("kind", ["bash_20241022", "bash_20250124"])
def test_a_shell_takes_a_command_or_a_restart(kind: str) -> None:
    """Neither is required, since each is meant without the other."""
    tool = function(kind, "bash")

    assert tool.name == "bash"
    assert shape_of(tool.input_schema) == ({"command", "restart"}, set())
    assert {name: each["type"] for name, each in tool.input_schema["properties"].items()} == {
        "command": "string",
        "restart": "boolean",
    }
