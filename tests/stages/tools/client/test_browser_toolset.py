"""The browser toolset: the SDK's members, with the SDK's inputs, and four that are off unless asked for."""

from __future__ import annotations

from typing import Any, get_args

from anthropic._data.browser_toolset_members import BROWSER_TOOLSET_MEMBERS
from anthropic.types import BrowserCoordinateTarget, BrowserRefTarget
from anthropic.types.browser_tool_use_block import BrowserToolUseBlock

from stages.canonical.request import JsonObject
from stages.tools.client.browser_toolset import BROWSER_TOOLSET
from tests.stages.tools.client.declarations import shape, shape_of
from tests.support.cases import cases

BLOCKS: tuple[Any, ...] = get_args(get_args(BrowserToolUseBlock)[0])
INPUTS = {
    get_args(block.model_fields["name"].annotation)[0]: block.model_fields["input"].annotation for block in BLOCKS
}
TARGETS: dict[str, Any] = {"coordinate": BrowserCoordinateTarget, "ref": BrowserRefTarget}


def test_all_31_members() -> None:
    """27 are on unless the client says otherwise, four off, as the API has it."""
    assert {name: member.enabled for name, member in BROWSER_TOOLSET.members.items()} == {
        name: member["enabled_by_default"] for name, member in BROWSER_TOOLSET_MEMBERS.items()
    }
    assert len(BROWSER_TOOLSET.members) == 31
    assert sum(member.enabled for member in BROWSER_TOOLSET.members.values()) == 27


def test_each_takes_what_the_sdk_says() -> None:
    """The same parameters, the same of them required."""
    ours = {name: shape_of(member.schema) for name, member in BROWSER_TOOLSET.members.items()}

    assert ours == {name: shape(model) for name, model in INPUTS.items()}


def _kinds(schema: JsonObject) -> dict[str, JsonObject]:
    """The shapes that a target may have, by their `type`."""
    return {each["properties"]["type"]["enum"][0]: each for each in schema.get("anyOf", [schema])}


@cases("name", [name for name, member in BROWSER_TOOLSET.members.items() if "target" in shape_of(member.schema)[0]])
def test_each_is_aimed_as_the_sdk_says(name: str) -> None:
    """At a point, at an element, or at either; a target has exactly the SDK's fields."""
    kinds = _kinds(BROWSER_TOOLSET.members[name].schema["properties"]["target"])
    wanted = INPUTS[name].model_fields["target"].annotation
    allowed = {model for model in TARGETS.values() if model is wanted or model in get_args(wanted)}

    assert {TARGETS[kind] for kind in kinds} == allowed
    assert all(shape_of(schema) == shape(TARGETS[kind]) for kind, schema in kinds.items())


def test_calls_name_the_toolset_as_the_sdk_expects_it() -> None:
    """The client dispatches on it."""
    assert {get_args(block.model_fields["toolset_name"].annotation)[0] for block in BLOCKS} == {BROWSER_TOOLSET.name}
