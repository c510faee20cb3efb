"""Structured answers come as their client asked for them, however the upstream had to be asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import (
    BLOCK_STOP,
    JsonDelta,
    MessageEnd,
    TextDelta,
    TextStart,
    ThinkingDelta,
)
from stages.canonical.failure import Failure, Kind
from stages.canonical.omittable import OmittableMember, OmittableMembers, StructuredAnswer
from stages.filters.answer_format import AnswerFormat, Unwrapper
from tests.stages.filters.test_argument_repair import cut, every_cut
from tests.stages.strategies import JSON, PLACES
from tests.support.cases import cases

SHAPE = OmittableMembers({"n": OmittableMember(null=True)})
INSIDE = OmittableMembers({"answer": OmittableMember(inside=SHAPE)})


def passed(structure: StructuredAnswer, *parts: Any) -> list[Any]:
    """Feed parts; return what passes."""
    stage = AnswerFormat(structure)
    out = [event for part in parts for event in stage.feed(part)]
    return [*out, *stage.finish()]


def text_of(parts: list[Any]) -> str:
    """Join the text that passed."""
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


def test_each_text_is_one_answer() -> None:
    """Fillers go from each block by itself, nothing else changes, and the end tells how many went."""
    parts = [TextStart(), TextDelta('{"n":nu'), TextDelta('ll,"a":1}'), BLOCK_STOP]

    out = passed(
        StructuredAnswer(SHAPE), *parts, ThinkingDelta('{"n":null}'), *parts, JsonDelta("x"), MessageEnd("end_turn")
    )
    assert out == [
        TextStart(),
        TextDelta("{"),
        TextDelta('"a":1}'),
        BLOCK_STOP,
        ThinkingDelta('{"n":null}'),
        TextStart(),
        TextDelta("{"),
        TextDelta('"a":1}'),
        BLOCK_STOP,
        JsonDelta("x"),
        MessageEnd("end_turn", repaired=2),
    ]


def test_what_needs_nothing_passes() -> None:
    """Prose, JSON without fillers, and the end as it was."""
    parts = [TextStart(), TextDelta("Sorry: "), TextDelta('{"n":null}'), BLOCK_STOP, MessageEnd("end_turn")]

    assert passed(StructuredAnswer(SHAPE), *parts) == parts
    assert passed(StructuredAnswer(None, "answer"), *parts) == parts


@pytest.mark.parametrize("last", [BLOCK_STOP, Failure(Kind.UPSTREAM, "x"), None])
def test_what_was_held_is_released(last: Any) -> None:
    """A text that ends in the middle ends where it did."""
    parts = [TextStart(), TextDelta('{"n":nu'), *([last] if last is not None else [])]

    out = passed(StructuredAnswer(SHAPE), *parts)
    assert text_of(out) == '{"n":nu'
    assert last is None or out[-1] == last


@cases(
    ("text", "expected"),
    [
        ('{"answer":1}', "1"),
        (' { "answer" : [1, {} ] } \n', "[1, {} ]"),
        ('{"answer":{"a":{"b":{}}}}', '{"a":{"b":{}}}'),
        ('{"answer":"}"}', '"}"'),
        ('{"answer":"a } "  }', '"a } "'),
        ('{"answer":"half', '"half'),
        ("", ""),
        ('{"ans', '{"ans'),
        ('{"answer": ', '{"answer": '),
        ('{"answers":1}', '{"answers":1}'),
        ('{"other":1}', '{"other":1}'),
        ("[1]", "[1]"),
        ("Sorry.", "Sorry."),
    ],
)
def test_an_answer_is_taken_out_of_its_object(text: str, expected: str) -> None:
    """Value alone, however it is cut; what is no such object passes as it is."""
    for pieces in every_cut(text):
        unwrapper = Unwrapper("answer")
        assert "".join([*map(unwrapper.feed, pieces), unwrapper.finish()]) == expected


@given(JSON, PLACES, st.sampled_from([None, 2]))
def test_any_value_comes_out(value: Any, places: list[int], indent: int | None) -> None:
    """What the client parses is what the model put into the object."""
    text = json.dumps({"answer": value}, indent=indent)
    out = passed(
        StructuredAnswer(None, "answer"), TextStart(), *map(TextDelta, filter(None, cut(text, places))), BLOCK_STOP
    )

    assert json.loads(text_of(out)) == value
    assert TextDelta("") not in out


def test_both_at_once() -> None:
    """Fillers inside, object around."""
    for pieces in every_cut('{"answer":{"a":1,"n":null}}'):
        out = passed(
            StructuredAnswer(INSIDE, "answer"), *map(TextDelta, filter(None, pieces)), BLOCK_STOP, MessageEnd("x")
        )
        assert text_of(out) == '{"a":1}'
        assert out[-1] == MessageEnd("x", repaired=1)


def test_text_leaves_as_it_comes() -> None:
    """Nothing of the value waits but an end that may be the object's."""
    unwrapper = Unwrapper("answer")

    assert [unwrapper.feed(piece) for piece in ('{"answer"', ':"a', "b", "}", 'c"', "}", "\n")] == [
        "",
        '"a',
        "b",
        "",
        '}c"',
        "",
        "",
    ]
