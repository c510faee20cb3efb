"""The sizes in a sentence, by what stands beside them and by elimination."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.tables.token_counts import Numbers, numbers_in
from tests.support.cases import cases

WRITTEN = ("9000", "9,000", "9_000", "9 000", "9.000", "9'000", "9\u00a0000", "9\u202f000", "9k")


@cases("written", WRITTEN)
def test_a_number_however_it_is_written(written: str) -> None:
    """Thousands stand apart in many ways."""
    assert numbers_in(f"maximum context length is {written} tokens") == Numbers(limit=9000)


@pytest.mark.parametrize(
    ("sentence", "numbers"),
    [
        ("It has 8000, and you sent 9000.", Numbers(8000, None, 9000)),
        ("The context limit is 8000, you are at 9000.", Numbers(8000, None, 9000)),
        ("Exceeds the maximum context of 8000 tokens by 1000 tokens.", Numbers(8000, None, 9000)),
        ("Error code: 400 - at most 8000 tokens, request id 7777", Numbers(8000)),
        ("400 the limit is 8000 tokens (retry in 30 seconds, v1.25, 12:30:45)", Numbers(8000)),
        ("One of 7000, 8000 and 9000 is wrong", Numbers()),
    ],
)
def test_what_is_left_over(sentence: str, numbers: Numbers) -> None:
    """A number that could be two things is none; a code, a place or a time is no size."""
    assert numbers_in(sentence) == numbers


def test_what_was_asked_for_is_no_prompt() -> None:
    """The answer's limit is known here."""
    assert numbers_in("The limit is 8000, 6000 is too much.", asked=6000) == Numbers(8000, output=6000)


@given(st.text(alphabet="1 tokens,>()maxprutfdk.'_-", max_size=200))
def test_any_text_has_some_numbers(text: str) -> None:
    """Reading numbers never fails."""
    assert isinstance(numbers_in(text), Numbers)
