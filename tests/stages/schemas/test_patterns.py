"""Patterns of JavaScript's dialect are said in Python's, or not at all."""

from __future__ import annotations

import re

from hypothesis import given

from stages.schemas.patterns import LONGEST_PATTERN, compiles, to_python
from tests.stages.strategies import TEXTS
from tests.support.cases import cases


@cases(
    ("pattern", "expected"),
    [
        (r"^\d+\/[\w-]*$", r"^\d+\/[\w-]*$"),
        ("(?<=a)b(?<!c)", "(?<=a)b(?<!c)"),
        (r"(?<year>\d{4})-\k<year>", r"(?P<year>\d{4})-(?P=year)"),
        (r"\u{1F600}|\u{e9}", r"\U0001f600|\U000000e9"),
        ("(?<a>x)[^]*", r"(?P<a>x)[\s\S]*"),
        (r"(?<a>\\k<a>)", r"(?P<a>\\k<a>)"),
        (r"\p{L}", None),
        ("(?<a>", None),
        (r"\u{110000}", None),
        ("(", None),
    ],
)
def test_dialects(pattern: str, expected: str | None) -> None:
    """Groups, code points and "any character" have other words; classes of Unicode have none."""
    assert to_python(pattern) == expected


def test_a_translation_finds_the_same() -> None:
    """The words differ, the texts found do not."""
    said = to_python(r"^(?<mark>['\"])[^]*\k<mark>\u{1F600}$")

    assert said is not None
    assert re.search(said, "'a\nb'\U0001f600")
    assert not re.search(said, "'a\"\U0001f600")


@given(TEXTS)
def test_what_is_said_compiles(pattern: str) -> None:
    """Whatever is sent, the upstream can compile; what it could compile already stays."""
    said = to_python(pattern)

    assert said is None or compiles(said)
    assert said == pattern or not compiles(pattern)


@cases(
    ("pattern", "expected"),
    [
        ("[\u0100-\uffff]", True),
        ("[\uffff-\u0100]", False),
        (r"[\u0100-\uffff]", True),
        (r"[\uffff-\u0100]", False),
        (r"[z-\uffff]", True),
        ("(?i)[a-\uffff]", True),
        ("(?is:a)(?i-s:b)(?a)", False),
        ("(?is:a)(?i-s:b)", True),
        ("(?<=\u0100|ab)c", False),
        ("x" * LONGEST_PATTERN, True),
        ("x" * LONGEST_PATTERN + "x", False),
    ],
)
def test_what_compiles(pattern: str, expected: bool) -> None:
    """A range of far characters and case that is ignored change nothing but the time that it takes."""
    assert compiles(pattern) is expected
