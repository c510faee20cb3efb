"""One call: a block under an id of its own as soon as its name is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given

from stages.canonical.events import (
    BLOCK_STOP,
    ArgumentsCut,
    ArgumentsDelta,
    ArgumentsDone,
    ToolUseStart,
)
from stages.canonical.omittable import OmittableMember, OmittableMembers
from stages.correlator.call_track import CallTrack
from stages.correlator.ids import Ids
from tests.stages.correlator.items import PLAN, call, say
from tests.stages.strategies import JSON
from tests.support.cases import cases

START = ToolUseStart("toolu_call_1", "f")
ANNOUNCED = call("")
Step = Callable[[CallTrack], object]


def track_of(*steps: Step, item: dict[str, Any] = ANNOUNCED, taken: set[str] | None = None) -> CallTrack:
    """A track that was opened with an item, after these steps."""
    track = CallTrack(PLAN, item)
    ids = Ids()
    for ident in sorted(taken or ()):
        ids.unused(ident, "_")
    track.enter(ids)
    for step in steps:
        step(track)
    return track


def delta(text: str) -> Step:
    """More arguments."""
    return lambda track: track.arguments_delta(say("arguments", text))


def whole(text: str) -> Step:
    """All arguments."""
    return lambda track: track.arguments_done(say("arguments_done", text))


def complete(item: dict[str, Any]) -> Step:
    """The whole call."""
    return lambda track: track.complete(item)


def test_fragments_that_repeat_all_so_far() -> None:
    """What is new of each is one fragment; a text inside the arguments may begin as they do."""
    snapshots = [delta('{"a"'), delta('{"a":'), delta('{"a":"{'), delta('{"a":"{\\"'), delta("}")]
    pieces = ['{"a"', ":", '"{', '\\"', "}"]
    events = [say("arguments", '{"a'), say("arguments", '{"a":1'), say("arguments", '{"a":1}'), say("arguments", "")]
    together = track_of()
    together.arguments_deltas(events)

    assert track_of(*snapshots).take() == [START, *map(ArgumentsDelta, pieces)]
    assert together.take() == [START, *map(ArgumentsDelta, ('{"a', '":1', "}"))]
    assert track_of(delta("ab"), delta("abc")).take() == [START, ArgumentsDelta("ab"), ArgumentsDelta("abc")]


def test_whole_arguments_are_looked_for_a_few_times() -> None:
    """What follows an object is another call's; a server that changes its names makes nobody read it all each time."""
    track = track_of(delta('{"a":{'), delta("}"))
    open_still = [track.is_over("{", left=False), track.is_over('"b"', left=True)]
    delta("}")(track)

    assert open_still == [False, False]
    assert [track.is_over('{"', left=False) for _ in range(20)].count(True) == 14


@cases(
    ("steps", "said"),
    [
        ([], [START]),
        ([delta("{"), delta(""), delta("}")], [START, ArgumentsDelta("{"), ArgumentsDelta("}")]),
        ([whole("{}"), whole("")], [START, ArgumentsDone("{}")]),
        ([complete(call('{"a":1}'))] * 2, [START, ArgumentsDone('{"a":1}'), BLOCK_STOP]),
        ([complete(call("{}"))], [START, ArgumentsDone("{}")]),
        ([complete(call("")), CallTrack.end], [START, BLOCK_STOP]),
        ([complete(call("{}")), complete(call("{1"))], [START, ArgumentsDone("{}"), ArgumentsDone("{1"), BLOCK_STOP]),
        ([complete(call("{", status="incomplete"))], [START, ArgumentsDone("{"), ArgumentsCut(), BLOCK_STOP]),
        ([delta("{"), CallTrack.cut, CallTrack.end], [START, ArgumentsDelta("{"), ArgumentsCut(), BLOCK_STOP]),
        ([CallTrack.end, CallTrack.end, CallTrack.cut], [START, BLOCK_STOP]),
    ],
)
def test_what_a_call_says(steps: list[Step], said: list[Any]) -> None:
    """Its start, its arguments as they come, whether they may be unfinished, and its stop, once."""
    assert track_of(*steps).take() == said


def test_arguments_may_come_before_the_name() -> None:
    """Nothing is handed over until the name is known, and then all of it in order."""
    track = track_of(delta("{"), item={"id": "fc_1"})
    assert track.take() == []
    assert track.size > 0

    track.complete(call('{"a":1}'))

    assert track.take() == [START, ArgumentsDelta("{"), ArgumentsDone('{"a":1}'), BLOCK_STOP]


@pytest.mark.parametrize("end", [CallTrack.end, CallTrack.cut, complete({"type": "function_call", "name": ""})])
def test_a_call_without_a_name_is_none(end: Step) -> None:
    """A client could run nothing under no name."""
    assert track_of(delta("{}"), end, CallTrack.end, item={}).take() == []


@pytest.mark.parametrize(
    ("taken", "ident"),
    [
        (set(), "toolu_call_1"),
        ({"toolu_call_1"}, "toolu_call_1_1"),
        ({"toolu_call_1", "toolu_call_1_1"}, "toolu_call_1_2"),
    ],
)
def test_an_id_belongs_to_one_call(taken: set[str], ident: str) -> None:
    """Clients key results by it, so a second call with it gets another."""
    assert track_of(taken=taken).call_id == ident


@pytest.mark.parametrize(
    ("item", "ident"),
    [
        ({"name": "f", "call_id": "call_9", "id": "fc_1"}, r"toolu_call_9\Z"),
        ({"name": "f", "call_id": None, "id": "fc_1"}, r"toolu_fc_1\Z"),
        ({"name": "f", "call_id": "a b"}, r"toolu_call_[0-9a-f]{40}\Z"),
        ({"name": "f"}, r"toolu_call_[0-9a-f]{24}\Z"),
        ({"name": "f", "call_id": 5}, r"toolu_call_[0-9a-f]{24}\Z"),
    ],
)
def test_where_its_id_comes_from(item: dict[str, Any], ident: str) -> None:
    """The call's own, else the item's, else one that we make, the same each time."""
    assert re.match(ident, track_of(item=item).call_id)
    assert track_of(item=item).call_id == track_of(item=item).call_id


def test_the_client_sees_its_own_name() -> None:
    """A name that had to change upstream is restored, also where the model writes more than the name."""
    plan = attrs.evolve(PLAN, tool_names={"f": "mcp.f"})
    tracks = [CallTrack(plan, item) for item in (ANNOUNCED, ANNOUNCED | {"name": "functions.f<|channel|>json"})]
    for track in tracks:
        track.enter(Ids())

    assert [track.take() for track in tracks] == [[ToolUseStart("toolu_call_1", "mcp.f")]] * 2


def test_a_call_brings_its_tools_shape() -> None:
    """By the upstream's name, which is the one that was declared."""
    omittable = OmittableMembers({"a": OmittableMember(null=True)})
    track = CallTrack(attrs.evolve(PLAN, tool_names={"f": "mcp.f"}, omittables={"f": omittable}), ANNOUNCED)
    track.enter(Ids())

    start = track.take()[0]
    assert isinstance(start, ToolUseStart)
    assert start.omittable is omittable


def test_a_member_names_its_toolset() -> None:
    """The client dispatches on both; a call of another function has none."""
    plan = attrs.evolve(PLAN, tool_names={"browser__key": "key", "f": "f"}, toolsets={"browser__key": "browser"})
    member, other = CallTrack(plan, call("", name="browser__key")), CallTrack(plan, ANNOUNCED)
    for track in (member, other):
        track.enter(Ids())

    assert member.take() == [ToolUseStart("toolu_call_1", "key", "browser")]
    assert other.take() == [ToolUseStart("toolu_call_1", "f")]


@pytest.mark.parametrize(
    ("item", "may_be"),
    [
        (call('{"a":1}'), True),
        (call(""), True),
        (call('{"a":1}', name="g"), False),
        (call('{"b":1}'), False),
        (call('{"a"'), True),
    ],
)
def test_it_is_known_by_what_it_says(item: dict[str, Any], may_be: bool) -> None:
    """Another function, or other arguments than those that began, are another call."""
    assert track_of(delta('{"a":')).fits(item) is may_be


def test_it_says_what_was_said() -> None:
    """Name and arguments, and all of them."""
    track = track_of(delta('{"a":'), delta("1}"))

    assert track.says(call('{"a": 1}'))
    assert not track.says(call('{"a":1}', name="g"))
    assert not track.says(call('{"a":'))


@given(JSON, JSON, JSON, JSON)
def test_any_item_completes_it(name: Any, call_id: Any, ident: Any, arguments: Any) -> None:
    """Nothing raises, and a block begins if and only if there is a name."""
    item = {"name": name, "call_id": call_id, "id": ident, "arguments": arguments}
    for track in (track_of(item=item), track_of(complete(item), item={})):
        assert any(isinstance(event, ToolUseStart) for event in track.take()) == (isinstance(name, str) and name != "")
