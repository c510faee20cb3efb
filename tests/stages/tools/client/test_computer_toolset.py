"""The computer toolset: the SDK's members, with the SDK's inputs."""

from __future__ import annotations

from typing import Any, get_args

from anthropic.types import computer_member_name
from anthropic.types.computer_tool_use_block import ComputerToolUseBlock

from stages.tools.client.computer_toolset import COMPUTER_TOOLSET
from tests.stages.tools.client.declarations import shape, shape_of

BLOCKS: tuple[Any, ...] = get_args(get_args(ComputerToolUseBlock)[0])
INPUTS = {
    get_args(block.model_fields["name"].annotation)[0]: block.model_fields["input"].annotation for block in BLOCKS
}


def test_all_17_members_in_the_order_of_the_sdk() -> None:
    """All are on unless the client says otherwise."""
    assert list(COMPUTER_TOOLSET.members) == list(computer_member_name.COMPUTER_MEMBER_NAME_VALUES)
    assert len(COMPUTER_TOOLSET.members) == 17
    assert all(member.enabled for member in COMPUTER_TOOLSET.members.values())


def test_each_takes_what_the_sdk_says() -> None:
    """The same parameters, the same of them required."""
    ours = {name: shape_of(member.schema) for name, member in COMPUTER_TOOLSET.members.items()}

    assert ours == {name: shape(model) for name, model in INPUTS.items()}


def test_calls_name_the_toolset_as_the_sdk_expects_it() -> None:
    """The client dispatches on it."""
    assert {get_args(block.model_fields["toolset_name"].annotation)[0] for block in BLOCKS} == {COMPUTER_TOOLSET.name}
