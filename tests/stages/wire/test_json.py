"""JSON on the wire: exact for every value, and polite about what is none."""

from __future__ import annotations

import json as standard
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.wire import json
from tests.stages.strategies import JSON, TEXTS


@given(JSON)
def test_what_is_written_reads_back(value: object) -> None:
    """Every JSON value survives the round trip, lone surrogates and integers of any size included."""
    assert json.decode(json.encode(value)) == value


@given(JSON)
def test_the_standard_library_reads_it_too(value: object) -> None:
    """What goes on the wire is JSON for others as well."""
    assert standard.loads(json.encode(value)) == value


@given(TEXTS)
def test_a_quoted_string_is_an_encoded_one(text: str) -> None:
    """The short cut for one string writes the bytes that the general way writes."""
    assert json.quote(text) == json.encode(text)


@given(TEXTS)
def test_a_quoted_string_has_no_raw_line_end(text: str) -> None:
    """A string can stand in a server-sent event: no line of its own begins in it."""
    assert not {b"\n", b"\r"} & {json.quote(text)[i : i + 1] for i in range(len(json.quote(text)))}


def test_utf_8_is_kept_and_lone_surrogates_are_escaped() -> None:
    """Ordinary text is not blown up by escapes; half an emoji is the one thing that must be one."""
    assert json.encode({"a": "ä🙂"}) == '{"a":"ä🙂"}'.encode()
    assert json.encode({"a": "\ud83d"}) == b'{"a":"\\ud83d"}'


def test_surrogates_as_bytes_are_read() -> None:
    """Half an emoji that somebody wrote as three bytes of almost-UTF-8 is understood."""
    assert json.decode(b'"\xed\xa0\x80"') == "\ud800"


def test_surrogates_in_text_are_read() -> None:
    """Half an emoji in a text that was decoded before is understood, escaped ones beside it too."""
    assert json.decode('["\ud800", "\\ud83d"]') == ["\ud800", "\ud83d"]


def test_not_a_number_is_read_and_written_as_null() -> None:
    """Python servers write NaN; nobody else may be sent it, whatever else stands beside it."""
    assert math.isnan(json.decode(b"[NaN]")[0])
    assert json.encode({"a": math.nan, "b": [math.inf]}) == b'{"a":null,"b":[null]}'
    assert json.encode({"a": math.nan, "b": ["\ud83d", (-math.inf, 1.5)]}) == b'{"a":null,"b":["\\ud83d",[null,1.5]]}'


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b'{"secret": }', "Expecting value: line 1 column 12 (char 11)"),
        (b'"secret', "Unterminated string starting at: line 1 column 1 (char 0)"),
        (b'"a" "secret"', "Extra data: line 1 column 5 (char 4)"),
        (b'"\xff\xfe"', "invalid UTF-8 at byte 1"),
        (b"[" * 200_000, "nested too deeply"),
        (b"1" * 5_000, "a number has too many digits"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_json_is_named_with_its_place(raw: bytes, complaint: str) -> None:
    """The complaint says where and why, and quotes nothing."""
    with pytest.raises(json.MalformedJson) as caught:
        json.decode(raw)

    assert str(caught.value) == complaint


def test_several_values_in_a_row() -> None:
    """With white space between them or nothing; anything else is none of them."""
    assert json.decode_several(b' {"a":1}{}\r\n[2] 3') == [{"a": 1}, {}, [2], 3]
    assert json.decode_several(b"") == []
    for text in (b'{"a":1}x', b"{}" + b"[" * 100_000):
        with pytest.raises(json.MalformedJson):
            json.decode_several(text)


@pytest.mark.parametrize("raw", ["[1, 2]", b"[1, 2]", bytearray(b"[1, 2]")])
def test_text_and_bytes_are_the_same(raw: str) -> None:
    """A text may come as either."""
    assert json.decode(raw) == [1, 2]


@given(JSON)
def test_pieces_add_up(value: Any) -> None:
    """To what is written at once; a number may be spelt otherwise."""
    assert json.decode(b"".join(json.pieces(value))) == json.decode(json.encode(value))


def test_pieces_of_a_long_text_are_short() -> None:
    """However long it is."""
    text = 'ab"\U0001f600' * 2**18

    assert b"".join(json.pieces({"a": [text]})) == json.encode({"a": [text]})
    assert max(map(len, json.pieces({"a": [text]}))) < len(text) / 4


@given(st.lists(TEXTS))
def test_a_text_in_pieces_is_written_as_one(parts: list[str]) -> None:
    """At once and by and by, whatever it is cut through; so is its length."""
    long, text = json.Long(parts), "".join(parts)

    assert json.encode([long]) == json.encode([text])
    assert json.decode(b"".join(json.pieces([long]))) == json.decode(json.encode([text]))
    assert len(long) == len(text)


def test_nothing_else_without_a_form_is_written() -> None:
    """An object of ours in an answer is a bug, not a text."""
    with pytest.raises(TypeError):
        json.encode([object()])


LARGE = "[" + "1," * (json.LARGE // 2) + "1]"
QUOTED = json.quote("[,{" * json.LARGE + '\\",').decode()


@pytest.mark.parametrize(
    ("text", "crowded"),
    [
        (LARGE, True),
        (LARGE[:1000], False),
        (f"[{QUOTED}]", False),
        (f"[{QUOTED},{LARGE}]", True),
        ('["' + '","' * json.LARGE + '"]', True),
    ],
    ids=["values", "few", "a text", "a text and values", "empty texts"],
)
def test_what_is_crowded(text: str, *, crowded: bool) -> None:
    """Values are counted, and what only looks like some inside of a text is not."""
    assert json.is_crowded(text.encode()) is crowded


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", True),
        ("[]", False),
        ("{", False),
        (f'{{"a":{QUOTED}}}', True),
        (f'{{"a":{QUOTED}, "b": NaN, "c": "\\ud800"}}', True),
        (f'{{"a":{QUOTED}', False),
        (f"[{QUOTED}]", False),
        (f'{{"a":{LARGE}}}', False),
    ],
    ids=["small", "list", "cut", "large", "odd", "large and cut", "large list", "crowded"],
)
def test_what_is_an_object(text: str, *, told: bool) -> None:
    """A large one is found out without making it, and one that is crowded counts as none."""
    assert json.is_object(text) is told
