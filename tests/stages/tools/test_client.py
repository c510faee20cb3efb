"""Which declarations are tools of the client's, and what of them is refused."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest
from anthropic.types import ToolUnionParam
from anthropic.types.beta import BetaToolUnionParam

from stages.schemas.repair import repair
from stages.tools.client import TOOLSETS, client_tool_complaints, functions_of, toolset_of
from tests.stages.tools.client.declarations import declared, functions
from tests.support.cases import cases

FAMILIES = ("bash_", "text_editor_", "memory_", "computer_", "browser_")


def _kinds(union: Any) -> set[str]:
    """The dated `type`s of the client tools that the SDK knows."""
    found = {kind for member in get_args(union) for kind in get_args(get_type_hints(member)["type"])}
    return {kind for kind in found if str(kind).startswith(FAMILIES)}


KINDS = sorted(_kinds(ToolUnionParam) | _kinds(BetaToolUnionParam))


def test_the_sdk_knows_twelve() -> None:
    """The list that the next test walks is not empty by mistake."""
    assert len(KINDS) == 12
    assert set(TOOLSETS) <= set(KINDS)


@cases("kind", KINDS)
def test_every_client_tool_of_the_sdk_becomes_functions(kind: str) -> None:
    """With a description and a schema that the upstream takes as it is."""
    for tool in functions(kind):
        assert tool.description
        schema, changes = repair(tool.input_schema)
        assert (schema, changes) == (tool.input_schema, ())
        assert all(each["description"] for each in schema["properties"].values())


@pytest.mark.parametrize("kind", ["web_search_20250305", "mcp_toolset", "bash_29991231", ""])
def test_every_other_tool_is_none_of_these(kind: str) -> None:
    """What the upstream runs, and what nobody knows, is for others to decide."""
    assert functions_of(declared(kind)) is None
    assert toolset_of(declared(kind)) is None
    assert list(client_tool_complaints(declared(kind, "anything"))) == []


def test_toolsets_have_names() -> None:
    """They are what calls and results repeat."""
    assert [toolset_of(declared(kind)) for kind in TOOLSETS] == ["computer", "browser"]
    assert toolset_of(declared("computer_20250124")) is None


@pytest.mark.parametrize(
    ("kind", "name", "complaint"),
    [
        ("bash_20250124", "shell", "name: Input should be 'bash'"),
        ("text_editor_20250124", "str_replace_based_edit_tool", "name: Input should be 'str_replace_editor'"),
        ("text_editor_20250728", "str_replace_editor", "name: Input should be 'str_replace_based_edit_tool'"),
        ("memory_20250818", "notes", "name: Input should be 'memory'"),
        ("computer_20251124", "desktop", "name: Input should be 'computer'"),
    ],
)
def test_a_tool_has_the_name_of_its_kind(kind: str, name: str, complaint: str) -> None:
    """In Anthropic's words; the right name and none at all are fine."""
    assert list(client_tool_complaints(declared(kind, name))) == [complaint]
    assert (
        list(client_tool_complaints(declared(kind, functions(kind)[0].name)))
        == list(client_tool_complaints(declared(kind)))
        == []
    )


def test_switches_are_looked_at() -> None:
    """A toolset has no name to be wrong, but `configs`."""
    entry = declared("browser_toolset_20260801", configs={"screen_shot": {"enabled": False}})

    assert list(client_tool_complaints(entry)) == ["configs.screen_shot: Extra inputs are not permitted"]
