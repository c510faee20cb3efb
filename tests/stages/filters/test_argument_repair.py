"""Members that their schema forbids are left out of JSON while it streams; everything else leaves as it came."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.omittable import OmittableMember, OmittableMembers
from stages.filters.argument_repair import Scanner
from tests.stages.strategies import JSON, PLACES, TEXTS
from tests.support.cases import cases

INNER = OmittableMembers({"x": OmittableMember(null=True), "deep": OmittableMember()})
INNER.members["deep"] = OmittableMember(inside=INNER)
SHAPE = OmittableMembers(
    {
        "n": OmittableMember(null=True),
        "e": OmittableMember(empty=True),
        "ne": OmittableMember(null=True, empty=True),
        "o": OmittableMember(null=True, inside=INNER),
        "l": OmittableMember(inside=OmittableMembers(items=INNER)),
        "m": OmittableMember(inside=OmittableMembers(others=INNER)),
        "é\ud83d": OmittableMember(null=True),
    }
)
"""One member of each kind."""


def read(pieces: list[str], omittable: OmittableMembers = SHAPE) -> tuple[str, int]:
    """Feed a scanner; return all that it let pass, and how much it left out."""
    scanner = Scanner(omittable)
    text = "".join([*map(scanner.feed, pieces), scanner.finish()])
    return text, scanner.left_out


def cut(text: str, places: list[int]) -> list[str]:
    """Cut a text anywhere."""
    borders = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    return [text[begin:end] for begin, end in pairwise(borders)]


def every_cut(text: str) -> list[list[str]]:
    """The text as one, as characters, and cut at each one or two places."""
    twice = [
        [text[:first], text[first:second], text[second:]]
        for first in range(len(text) + 1)
        for second in range(first, len(text) + 1)
    ]
    return [[text], list(text), *twice]


def repaired(value: Any, omittable: OmittableMembers | None) -> tuple[Any, int]:
    """The oracle: the same on values that were parsed."""
    if isinstance(value, list):
        parts = [repaired(item, omittable and omittable.items) for item in value]
        return [part for part, _ in parts], sum(count for _, count in parts)
    if not isinstance(value, dict) or omittable is None:
        return value, 0
    kept: dict[str, Any] = {}
    total = 0
    for name, inner in value.items():
        member = omittable.member(name)
        if (inner is None and member.null) or (inner == "" and member.empty):
            total += 1
            continue
        kept[name], count = repaired(inner, member.inside)
        total += count
    return kept, total


NAMES = st.one_of(st.sampled_from([*SHAPE.members, "x", "deep", "other", "nn"]), TEXTS)
FILLED: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.just(""), JSON),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, FILLED, max_size=6)
LAYOUTS = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "indent": st.sampled_from([None, 0, 2, "\t"]),
        "separators": st.sampled_from([(",", ":"), (" , ", "\n: ")]),
    }
)


@cases(
    ("text", "expected", "left_out"),
    [
        ('{"n":null}', "{}", 1),
        ('{ "n" : null }', "{ }", 1),
        ('{"n":null,"a":1}', '{"a":1}', 1),
        ('{"n": null,\n  "a": 1}', '{"a": 1}', 1),
        ('{"a":1,"n":null}', '{"a":1}', 1),
        ('{"a":1 , "n":null , "b":2}', '{"a":1 , "b":2}', 1),
        ('{"n":null,"e":"","ne":"","o":null}', "{}", 4),
        ('{"a":0,"ne":null,"ne":"","z":0}', '{"a":0,"z":0}', 2),
        ('{"o":{"x":null,"deep":{"x":null,"y":null}}}', '{"o":{"deep":{"y":null}}}', 2),
        ('{"l":[{"x":null},[{"x":null}],{"x":1,"x":null},""]}', '{"l":[{},[{"x":null}],{"x":1},""]}', 2),
        ('{"m":{"any":{"x":null},"x":null}}', '{"m":{"any":{},"x":null}}', 1),
        ('{"\\u006e":null,"\\u00e9\\ud83d":null}', "{}", 2),
        ('{"n":null}x', "{}x", 1),
    ],
)
def test_what_is_forbidden_is_left_out(text: str, expected: str, left_out: int) -> None:
    """With the comma that it needed, in objects and lists inside too, however the name is written and the text cut."""
    for pieces in every_cut(text):
        assert read(pieces) == (expected, left_out)


@cases(
    "text",
    [
        "{}",
        "[]",
        '""',
        "null",
        " ",
        '{"n":"","e":null}',
        '{"n":"null","e":" ","ne":0,"o":{},"l":[],"nn":null,"":null}',
        '{"a":"\\"n\\":null,","b":"\\\\","n":"\\\\\\""}',
        '{"a":{"n":null,"b":[{"e":"","q":"}]\\""}]},"c":[[1,{"n":null}],"]"]}',
        '[{"n":null}]',
        '{"n":nullx}',
        '{"n":nul}',
        '{"n":null]',
        '{"n":null,}',
        '{"n":null,1}',
        '{"e":""x,"n":null}',
        '{"n",null}',
        '{"n"null}',
        '{,"n":null}',
        '{"a":,"n":null}',
        '{"a":1]"n":null}',
        '{n:null,"n":null}',
        '{"l":[1}',
        '{"l":[],"a" 1}',
        '{"a":1"n":null}',
        '{"\\q":null}',
        '{"n":nu',
        '{"n":',
        '{"a":1,',
        '{"a":1 , "n',
        '{"a":1,"e":"',
        '{"a":"\\',
        '{"e',
        '{"o":{"x',
    ],
)
def test_what_is_not_forbidden_passes(text: str) -> None:
    """Byte for byte: what is allowed, what is no JSON, what was cut in the middle; however it is cut here."""
    for pieces in every_cut(text):
        assert read(pieces) == (text, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [('{"a":1,"n":null', '{"a":1'), ('{"n":null', "{"), ('{"e":"" ', "{"), ('{"n":null, ', "{")],
)
def test_a_filler_that_is_whole_is_left_out_at_a_cut(text: str, expected: str) -> None:
    """Nothing that could follow would make it valid."""
    for pieces in every_cut(text):
        assert read(pieces) == (expected, 1)


@given(OBJECTS, LAYOUTS, PLACES)
def test_the_client_parses_what_the_oracle_says(
    value: dict[str, Any], layout: dict[str, Any], places: list[int]
) -> None:
    """Any object, written in any way, cut anywhere; where nothing is left out, not a byte differs."""
    text = json.dumps(value, **layout)
    expected, left_out = repaired(value, SHAPE)

    told, counted = read(cut(text, places))

    assert (json.loads(told), counted) == (expected, left_out)
    assert told == text or left_out


@given(OBJECTS, st.integers(0, 400), st.text('{}[]",:nul\\ \n\u00a0\ud83dx', max_size=6), PLACES)
def test_cuts_never_matter(value: dict[str, Any], at: int, noise: str, places: list[int]) -> None:
    """Also where the text is broken or ends early, what leaves is the same however it came."""
    text = json.dumps(value)
    broken = text[: at % (len(text) + 1)] + noise + (text[at % (len(text) + 1) :] if at % 2 else "")

    assert read(cut(broken, places)) == read([broken])


@given(OBJECTS)
def test_what_has_nothing_to_do_with_it_leaves_at_once(value: dict[str, Any]) -> None:
    """Text is held only from the comma before a suspicious name to the beginning of its value."""
    omittable = OmittableMembers({"n": OmittableMember(null=True)})
    text = json.dumps({f"_{name}": inner for name, inner in value.items()})
    scanner = Scanner(omittable)
    held = ""
    for character in text:
        held += character
        left = scanner.feed(character)
        held = held.removeprefix(left)
        assert held.strip(" \n") in ("", ",", '"', ',"', ', "'), text


def test_a_string_passes_piece_by_piece() -> None:
    """The inside of a text is never held, whatever stands in it."""
    scanner = Scanner(SHAPE)
    pieces = ['{"e":"', "abc", "null,'n':", "\\", '"', "\\\\", "\\u00", "e9", "{[", '"']

    assert [scanner.feed(piece) for piece in pieces] == ["{", '"e":"abc', *pieces[2:]]


def test_space_without_end_costs_little() -> None:
    """A model that writes nothing but line ends is heard to its end, and what follows is read as ever."""
    spaces = ["\n    "] * 50_000

    assert read(['{"a":1,', *spaces, '"n"', *spaces, ":", *spaces, "null", *spaces, "}"]) == ('{"a":1}', 1)
    assert read(['{"a":1,', *spaces]) == ("".join(['{"a":1,', *spaces]), 0)


@given(st.lists(TEXTS, max_size=5))
def test_any_text_is_survived(pieces: list[str]) -> None:
    """What is no JSON object passes untouched."""
    text = "".join(pieces)
    if not text.lstrip().startswith("{"):
        assert read(pieces) == (text, 0)
    else:
        assert read(pieces) == read([text])
