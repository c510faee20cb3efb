"""Whether a pattern may match nothing is read off it, and never wrong about what Python's matcher would find."""

from __future__ import annotations

import re
import warnings

from hypothesis import given
from hypothesis import strategies as st

from stages.schemas.nullability import may_be_empty
from tests.support.cases import cases

TOKENS = st.sampled_from(
    ["a", ".", "^", "$", "(", "(?:", "(?=", "(?!", "(?<=", "(?<!", ")", "|", "*", "+", "?", "{2}", "{0,3}",
     "{,2}", "{}", "[ab]", "[^a]", r"\d", r"\b", r"\B", r"\\", "(?P<x>", "(?P=x)", "(?i)", "(?x)", "[", "]", r"\1"]
)  # fmt: skip


@cases(
    ("pattern", "expected"),
    [
        ("", True),
        ("^$", True),
        ("^.+$", False),
        ("x*", True),
        ("x*|", True),
        ("^x?(a|b)$", False),
        (r"^(?!\s*$).+", False),
        (r"^(?!\s*$)", False),
        ("^(?=.*[A-Z])", False),
        (r"^\p{L}+$", False),
        (r"(?<word>a)\k<word>?", False),
        ("a{0}", True),
        ("a{1,}", False),
        ("[", True),
        ("(", True),
    ],
)
def test_patterns_of_schemas(pattern: str, expected: bool) -> None:
    """As they are written, in JavaScript's dialect; what cannot be read may be anything."""
    assert may_be_empty(pattern) is expected


@given(st.lists(TOKENS, max_size=10).map("".join))
def test_it_never_denies_what_python_finds(pattern: str) -> None:
    """A pattern that finds the empty text may be empty; the other way round, it may be too careful."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = re.search(pattern, "")
        except re.error:
            return
    assert may_be_empty(pattern) or found is None


def test_a_pattern_that_takes_the_matcher_for_ever() -> None:
    """It is looked at from left to right, once."""
    assert not may_be_empty("(a?|b?){40}" * 1000 + "x")
