"""Halves of characters in JSON text: each that stands alone is replaced, however the text is cut."""

from __future__ import annotations

import json as standard
from itertools import pairwise

from hypothesis import given

from stages.lone_halves import LoneHalves
from stages.wire import json
from tests.stages.strategies import JSON, PLACES
from tests.support.cases import cases


def passed(*pieces: str) -> str:
    """What leaves of a text that came in pieces."""
    stage = LoneHalves()
    return "".join([*map(stage.feed, pieces), stage.finish()])


@cases(
    ("text", "expected"),
    [
        (r'"\ud83d"', r'"\ufffd"'),
        (r'"\ude00"', r'"\ufffd"'),
        (r'"\uD83D\uDE00"', r'"\uD83D\uDE00"'),
        (r'"\ud83d\ud83d\ude00"', r'"\ufffd\ud83d\ude00"'),
        (r'"\\ud83d"', r'"\\ud83d"'),
        (r'"\\\ud83d"', r'"\\\ufffd"'),
        (r'"\ud83d\n"', r'"\ufffd\n"'),
        (r'"\u00e9\n\\"', r'"\u00e9\n\\"'),
        (r'"\ud83d', r'"\ufffd'),
        ('"\\ud83d\\', '"\\ufffd\\'),
        ('"\\ud8', '"\\ud8'),
    ],
)
def test_what_stands_alone_is_replaced(text: str, expected: str) -> None:
    """In one piece, and character by character."""
    assert passed(text) == expected
    assert passed(*text) == expected


@given(JSON, PLACES)
def test_any_text_in_any_pieces(value: object, places: list[int]) -> None:
    """A client reads what was written, with U+FFFD for what it could not encode."""
    text = standard.dumps(value)
    borders = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    pieces = [text[begin:end] for begin, end in pairwise(borders)]

    assert json.decode(passed(*pieces)) == json.mended_value(json.decode(text))
