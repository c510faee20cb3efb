"""One call's arguments: fragments, wholes and both; cut, empty and broken."""

from __future__ import annotations

import json as stdlib_json
import re
from itertools import pairwise

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from stages.actor import Batch
from stages.canonical.events import Arguments, ArgumentsCut, ArgumentsDelta, ArgumentsDone, Delta, JsonDelta
from stages.canonical.failure import Failure, Kind
from stages.canonical.omittable import OmittableMember, OmittableMembers
from stages.json_buffer import JsonBuffer, buffer_json
from stages.wire import json
from tests.stages.strategies import OBJECTS, PLACES, cut
from tests.support.cases import cases

CUT = ArgumentsCut()


SHAPE = OmittableMembers({"n": OmittableMember(null=True)})


def said(*events: Arguments, omittable: OmittableMembers | None = None) -> tuple[str, bool]:
    """Feed a buffer; return what the fragments add up to, and whether it failed at its end."""
    stage = JsonBuffer(omittable)
    fed: list[JsonDelta | Failure] = [out for event in events for out in stage.feed(event)]
    out = [*fed, *stage.finish()]
    assert out[0] == JsonDelta("")
    assert [event for event in out[1:] if event == JsonDelta("")] == []
    failures = [event for event in out if isinstance(event, Failure)]
    assert failures in ([], out[-1:])
    assert all(failure.kind is Kind.UPSTREAM for failure in failures)
    return "".join(event.partial_json for event in out if isinstance(event, JsonDelta)), bool(failures)


@cases(
    ("events", "text"),
    [
        ([], ""),
        ([ArgumentsDelta('{"a":'), ArgumentsDelta("1}")], '{"a":1}'),
        ([ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDelta('{"a"'), ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDelta('{"a":1}'), ArgumentsDone('{"a":1}'), ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDelta('{"a":1}'), ArgumentsDone('{"a": 1}')], '{"a":1}'),
        ([ArgumentsDelta('{"a":1}'), ArgumentsDone("")], '{"a":1}'),
        ([ArgumentsDelta("{}"), CUT], "{}"),
        ([ArgumentsDelta('{"a'), CUT], '{"a'),
        ([CUT], ""),
        ([ArgumentsDelta("  ")], ""),
        ([ArgumentsDone("\n")], ""),
        ([ArgumentsDelta(" \n"), ArgumentsDelta("\t"), ArgumentsDone("{}")], "{}"),
        ([ArgumentsDelta(" "), ArgumentsDelta(' {"a": '), ArgumentsDone('  {"a": 1}')], '{"a": 1}'),
        ([ArgumentsDelta("null"), ArgumentsDone("null")], ""),
        ([ArgumentsDelta("nu"), ArgumentsDelta("ll"), ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDone("[]"), ArgumentsDone("null")], ""),
        ([ArgumentsDelta("kq9Z"), ArgumentsDelta("xV="), ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDelta("kq9Z"), CUT], ""),
        ([ArgumentsDelta("kq9Z"), ArgumentsDone("kq9Z"), ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDone("{}"), ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDelta("{}"), ArgumentsDone("{}"), ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDelta("{"), ArgumentsDelta("}"), ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDelta("{"), ArgumentsDelta("}"), ArgumentsDone("{}")], "{}"),
        ([ArgumentsDelta('{"a":1}'), ArgumentsDone("{}")], '{"a":1}'),
        ([ArgumentsDelta('"{\\"a\\"'), ArgumentsDelta(':1}"')], '{"a":1}'),
        ([ArgumentsDone('"{\\"a\\":1}"')], '{"a":1}'),
        ([ArgumentsDone(json.encode(json.encode('{"a":1}').decode()).decode())], '{"a":1}'),
        ([ArgumentsDelta('"{}"')], "{}"),
        ([ArgumentsDelta('"{\\"a'), ArgumentsDelta(" b"), ArgumentsDelta('\\":1}"')], '{"a b":1}'),
        ([ArgumentsDelta("{"), ArgumentsDelta("kq9Z"), ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDelta("{kq9Z"), ArgumentsDelta('"xV'), ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDelta("{"), ArgumentsDelta('"a":'), ArgumentsDelta("1}")], '{"a":1}'),
        ([ArgumentsDelta("{ "), ArgumentsDelta('\n"a":1}')], '{ \n"a":1}'),
        ([ArgumentsDelta("{"), ArgumentsDone('{"a":1}')], '{"a":1}'),
        ([ArgumentsDelta("{"), ArgumentsDone("{}")], "{}"),
        ([ArgumentsDelta("nu"), ArgumentsDone("null")], ""),
        ([ArgumentsDelta("{"), CUT], "{"),
    ],
)
def test_what_comes_leaves_once(events: list[Arguments], text: str) -> None:
    """The sum is said once however often the upstream repeats it; a cut answer may stop anywhere.

    White space alone is no JSON to a client, so none of it leads.
    """
    assert said(*events) == (text, False)


@pytest.mark.parametrize("text", ["{", "[1]", "1", '"{}', "x", "nul", '{"a":1} {"a":2}', '{"a":1}x', "nonsense"])
def test_what_is_no_object_fails_at_the_end(text: str) -> None:
    """A client would choke on it, so it is an upstream's failure; the fragments have left by then."""
    assert said(ArgumentsDelta(text)) == (text, True)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (['{"a":1}{"a":1}'], '{"a":1}'),
        (["{} {}"], "{}"),
        (['{}{"a":1}'], '{"a":1}'),
        (["{}", '{"a"', ":1}"], '{"a":1}'),
        (["{}", " {", '"a":1}'], '{"a":1}'),
        (['{"a":1}<|call|>'], '{"a":1}'),
        (['{"a":"}<|x|>"}\n</tool_call>'], '{"a":"}<|x|>"}'),
        (['[{"a":1}]'], '{"a":1}'),
    ],
)
def test_an_object_alone(pieces: list[str], text: str) -> None:
    """Without itself again, an empty one in front, a list around it, or what a template leaves behind it."""
    assert said(*map(ArgumentsDelta, pieces)) == (text, False)
    assert said(ArgumentsDone("".join(pieces))) == (text, False)


_ODD = st.text('a"\\\n\t\x1b {}', max_size=9)


@given(st.dictionaries(_ODD, _ODD), st.integers(0, 2), PLACES)
def test_control_characters_in_texts_leave_as_escapes(value: dict[str, str], indent: int, places: list[int]) -> None:
    """However the arguments are cut; between tokens they are white space, and stay."""
    raw = {"n": "\n", "t": "\t", "u001b": "\x1b"}
    told = re.sub(
        r"\\(\\|n|t|u001b)", lambda escape: raw.get(escape[1], escape[0]), stdlib_json.dumps(value, indent=indent)
    )
    pieces = [piece.decode() for piece in cut(told.encode(), places)]
    text, fails = said(*map(ArgumentsDelta, pieces))

    assert not fails
    assert stdlib_json.loads(text) == value


@cases(
    ("events", "text", "fails"),
    [
        ([ArgumentsDelta('{"n":null,'), ArgumentsDelta('"a":1}')], '{"a":1}', False),
        ([ArgumentsDone('{"a":1,"n":null}')], '{"a":1}', False),
        ([ArgumentsDelta("{"), ArgumentsDelta('"n"'), ArgumentsDelta(":null"), ArgumentsDelta("}")], "{}", False),
        ([ArgumentsDelta('{"n":nu'), ArgumentsDone('{"n":null}')], "{}", False),
        ([ArgumentsDelta('{"n":null}'), ArgumentsDone('{"n":null}'), ArgumentsDone('{"n":null}')], "{}", False),
        ([ArgumentsDelta('{"a":1,"n":null'), CUT], '{"a":1', False),
        ([ArgumentsDelta('{"a":1,"n'), CUT], '{"a":1,"n', False),
        ([ArgumentsDelta('{"n":nul')], '{"n":nul', True),
        ([ArgumentsDelta('{"n":null,}')], '{"n":null,}', True),
        ([ArgumentsDelta('{"a":"\ud83d"}')], '{"a":"\ud83d"}', False),
        ([], "", False),
    ],
)
def test_what_the_schema_forbids_is_left_out(events: list[Arguments], text: str, fails: bool) -> None:
    """What came is compared and checked as it came; only what leaves is repaired."""
    assert said(*events, omittable=SHAPE) == (text, fails)


def test_what_was_left_out_is_counted() -> None:
    """For the log; without a schema to repair by, nothing is."""
    stage, plain = JsonBuffer(SHAPE), JsonBuffer()
    for buffer in (stage, plain):
        assert [*buffer.feed(ArgumentsDelta('{"n":null}')), *buffer.finish()]

    assert (stage.left_out, plain.left_out) == (1, 0)


@given(OBJECTS, PLACES, st.booleans(), st.integers(min_value=0, max_value=9))
def test_any_object_in_any_pieces(value: dict[str, object], places: list[int], whole: bool, lost: int) -> None:
    """Whatever is cut, repeated, or missing before the whole: the client parses what the model wrote."""
    text = json.encode(value).decode()
    borders = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    pieces = [text[begin:end] for begin, end in pairwise(borders)]
    events: list[Arguments] = [ArgumentsDelta(piece) for piece in pieces[: len(pieces) - lost if whole else None]]

    said_text, failed = said(*events, *([ArgumentsDone(text)] if whole else []))

    assert not failed
    assert json.decode(said_text) == json.mended_value(value)
    assert said_text == text or "\\ud" in text


@pytest.mark.parametrize("capacity", [0, 1, 5])
async def test_the_actor_ends_with_its_call(capacity: float) -> None:
    """The call's channel closes after the last fragment."""
    send, inbox = trio.open_memory_channel[Batch[Arguments]](capacity)
    outbox, receive = trio.open_memory_channel[Batch[Delta]](capacity)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(buffer_json, JsonBuffer(), inbox, outbox)

        async def speak() -> None:
            with send:
                await send.send((ArgumentsDelta("{"),))
                await send.send((ArgumentsDelta("}"),))

        nursery.start_soon(speak)
        got = [event async for batch in receive for event in batch]

    assert got == [JsonDelta(""), JsonDelta("{"), JsonDelta("}")]
