"""How cues are found in a prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.emulator.directives import Directive, parse_directives
from tests.support.cases import cases

_KNOWN = frozenset({"text", "call", "agent", "midstream-error"})


@cases(
    ("text", "groups"),
    [
        ("", ()),
        ("no cue here", ()),
        ("if [[ -f x ]]; then", ()),
        ("[[unknown]]", ()),
        ("[[text", ()),
        ("[[call:Read {bad]]", ()),
        ("a [[text]] b", ((Directive("text"),),)),
        ("[[text  7 words ]]", ((Directive("text", text="7 words"),),)),
        ("[[midstream-error 0]]", ((Directive("midstream-error", text="0"),),)),
        ("[[text]] [[call]]", ((Directive("text"),), (Directive("call"),))),
        ("[[text]+[call]]", ((Directive("text"), Directive("call")),)),
        ("[[text]] + [[call]]", ((Directive("text"), Directive("call")),)),
        ("[[text]]+\n[[call]]", ((Directive("text"),), (Directive("call"),))),
        ("[[call:Read]]", ((Directive("call", "Read"),),)),
        ('[[call:Read {"a": [["]]"]]}]]', ((Directive("call", "Read", {"a": [["]]"]]}),),)),
        ("[[agent do [[text]] now]]", ((Directive("agent", text="do [[text]] now"),),)),
        ("[[nope]] [[text]]", ((Directive("text"),),)),
    ],
)
def test_parse(text: str, groups: tuple[tuple[Directive, ...], ...]) -> None:
    """The grammar in the module's docstring, and what is not a cue."""
    assert parse_directives(text, _KNOWN) == groups


@given(st.text(alphabet='[]+{}:" \ntextcallagent', max_size=60))
def test_any_text_parses(text: str) -> None:
    """No text is an error, and every step is a known word."""
    assert all(step.word in _KNOWN for group in parse_directives(text, _KNOWN) for step in group)


@pytest.mark.parametrize(
    ("text", "number"), [("", 3.0), ("x", 3.0), ("2", 2.0), ("-1", 0.0), ("99 y", 10.0), ("0.5", 0.5)]
)
def test_numbers(text: str, number: float) -> None:
    """An argument is read as a number within bounds, or the default is taken."""
    assert Directive("text", text=text).number(3.0, 10.0) == number
