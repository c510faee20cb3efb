"""One entry, many functions: what `configs` switches, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from stages.tools.client.toolset import MemberFunction, Toolset
from tests.stages.strategies import JSON
from tests.stages.tools.client.declarations import declared

SCHEMA: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
FAMILY = Toolset(
    "house", {"door": MemberFunction("Opens.", SCHEMA), "attic": MemberFunction("Climbs.", SCHEMA, enabled=False)}
)
OFF = {"enabled": False}
ON = {"enabled": True}


def names(configs: Any) -> list[str]:
    """What an entry with these switches declares."""
    return [tool.name for tool in FAMILY.functions(declared("house", configs=configs))]


@pytest.mark.parametrize(
    ("configs", "found"),
    [
        (None, ["door"]),
        ({}, ["door"]),
        ({"door": None, "attic": {}}, ["door"]),
        ({"attic": ON}, ["door", "attic"]),
        ({"attic": ON, "door": OFF}, ["attic"]),
        ({"door": {"enabled": None}}, ["door"]),
        ({"door": OFF}, []),
    ],
)
def test_members_are_switched(configs: Any, found: list[str]) -> None:
    """What the client does not say is as usual, and the order is always the family's."""
    assert names(configs) == found


def test_members_know_their_family() -> None:
    """A call must say whose member was called."""
    (tool,) = FAMILY.functions(declared("house"))

    assert (tool.name, tool.description, tool.input_schema, tool.defer_loading) == ("door", "Opens.", SCHEMA, False)
    assert getattr(tool, "toolset", None) == "house"


def test_members_may_be_deferred() -> None:
    """Each member says it for itself."""
    (tool,) = FAMILY.functions(declared("house", configs={"door": {"defer_loading": True}}))

    assert tool.defer_loading


def test_what_the_entry_says_besides_is_kept_once() -> None:
    """The mark for the cache stands after the last function, and unknown fields are told of once."""
    entry = declared("house", configs={"attic": ON}, cache_control={"type": "ephemeral"}, other=1)
    first, last = FAMILY.functions(entry)

    assert (first.cache_control, first.extra) == (None, {})
    assert (last.cache_control, last.extra) == ({"type": "ephemeral"}, {"other": 1})


@pytest.mark.parametrize(
    ("configs", "complaint"),
    [
        ([], "configs: Input should be a valid dictionary"),
        ({"cellar": ON}, "configs.cellar: Extra inputs are not permitted"),
        ({"door": True}, "configs.door: Input should be a valid dictionary"),
        ({"door": {"enabled": "no"}}, "configs.door.enabled: Input should be a valid boolean"),
        ({"door": {"strict": True}}, "configs.door.strict: Extra inputs are not permitted"),
        ({"door": OFF}, "configs: at least one member must be enabled; leave the entry out to have none"),
        (
            {"attic": {**ON, "defer_loading": True}},
            "configs: defer_loading must be the same for every enabled member",
        ),
    ],
)
def test_what_is_wrong_with_switches(configs: Any, complaint: str) -> None:
    """The members of a dated toolset are known, so a name that is none of them is a mistake."""
    assert next(FAMILY.complaints(declared("house", configs=configs))) == complaint


@pytest.mark.parametrize("configs", [None, {}, {"door": None}, {"attic": ON}, {"attic": {"defer_loading": True}}])
def test_what_is_right(configs: Any) -> None:
    """A member that is off may say what it likes about loading."""
    assert list(FAMILY.complaints(declared("house", configs=configs))) == []


@given(JSON, JSON)
def test_any_switches_are_read(configs: Any, door: Any) -> None:
    """Nothing raises; what makes no sense is complained about, and else as usual."""
    for each in (configs, {"door": door}):
        entry = declared("house", configs=each)
        assert {tool.name for tool in FAMILY.functions(entry)} <= {"door", "attic"}
        assert all(complaint.startswith("configs") for complaint in FAMILY.complaints(entry))
