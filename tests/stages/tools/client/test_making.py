"""From a declaration to a function: names, marks, and what is left over."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.request import Tool
from stages.tables.identifiers import upstream_tool_name
from stages.tools.client.making import (
    ToolsetMember,
    client_function,
    declared_name,
    described,
    numbers,
    schema,
    upstream_name,
)
from tests.stages.tools.client.declarations import declared

SCHEMA = schema({"a": described("string", "An a.")}, "a")


def made(name: str | None = None, **fields: Any) -> Tool:
    """Make the function of a declaration with these fields."""
    return client_function(declared("x_1", name, **fields), "x", "Does x.", SCHEMA, told=frozenset({"size"}))


def test_schemas_are_plain_json_schema() -> None:
    """An object with its properties, and a list of so many numbers."""
    assert SCHEMA == {
        "type": "object",
        "properties": {"a": {"type": "string", "description": "An a."}},
        "required": ["a"],
    }
    assert numbers(2, "Two.") == {
        "type": "array",
        "description": "Two.",
        "items": {"type": "integer"},
        "minItems": 2,
        "maxItems": 2,
    }


def test_a_declaration_becomes_a_function() -> None:
    """Under the name that the client gave, or the published one."""
    assert made("x") == made() == Tool("x", SCHEMA, "Does x.")


@pytest.mark.parametrize(
    ("fields", "attribute", "value"),
    [
        ({"strict": True}, "strict", True),
        ({"strict": False}, "strict", None),
        ({"strict": "yes"}, "strict", None),
        ({"defer_loading": True}, "defer_loading", True),
        ({"defer_loading": None}, "defer_loading", False),
        ({"cache_control": {"type": "ephemeral"}}, "cache_control", {"type": "ephemeral"}),
        ({"cache_control": 1}, "cache_control", None),
        ({"size": 3}, "extra", {}),
        ({"allowed_callers": ["direct"]}, "extra", {"allowed_callers": ["direct"]}),
    ],
)
def test_what_the_client_says_besides_is_kept(fields: dict[str, Any], attribute: str, value: Any) -> None:
    """What has an attribute becomes one, what the description says is said, the rest is for the report."""
    assert getattr(made(**fields), attribute) == value


def test_members_have_names_of_their_own_upstream() -> None:
    """Both toolsets and the client may have a function of the same name; calls are named as declarations are."""
    member = ToolsetMember("screenshot", SCHEMA, toolset="browser")

    assert declared_name(member) == upstream_name("screenshot", "browser") == "browser__screenshot"
    assert declared_name(Tool("screenshot", SCHEMA)) == upstream_name("screenshot") == "screenshot"


def test_every_name_fits_upstream() -> None:
    """Also one that a client makes up for a call of an earlier turn."""
    assert upstream_name("a.b") == upstream_tool_name("a.b")
    assert len(upstream_name("n" * 60, "t" * 60)) <= 64
