"""How cues are found in a prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.emulator.cues import Step, parse

_KNOWN = frozenset({"text", "call", "agent", "midstream-error"})


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("", ()),
        ("no cue here", ()),
        ("if [[ -f x ]]; then", ()),
        ("[[unknown]]", ()),
        ("[[text", ()),
        ("[[call:Read {bad]]", ()),
        ("a [[text]] b", ((Step("text"),),)),
        ("[[text  7 words ]]", ((Step("text", text="7 words"),),)),
        ("[[midstream-error 0]]", ((Step("midstream-error", text="0"),),)),
        ("[[text]] [[call]]", ((Step("text"),), (Step("call"),))),
        ("[[text]+[call]]", ((Step("text"), Step("call")),)),
        ("[[text]] + [[call]]", ((Step("text"), Step("call")),)),
        ("[[text]]+\n[[call]]", ((Step("text"),), (Step("call"),))),
        ("[[call:Read]]", ((Step("call", "Read"),),)),
        ('[[call:Read {"a": [["]]"]]}]]', ((Step("call", "Read", {"a": [["]]"]]}),),)),
        ("[[agent do [[text]] now]]", ((Step("agent", text="do [[text]] now"),),)),
        ("[[nope]] [[text]]", ((Step("text"),),)),
    ],
)
def test_parse(text: str, groups: tuple[tuple[Step, ...], ...]) -> None:
    """The grammar in the module's docstring, and what is not a cue."""
    assert parse(text, _KNOWN) == groups


@given(st.text(alphabet='[]+{}:" \ntextcallagent', max_size=60))
def test_any_text_parses(text: str) -> None:
    """No text is an error, and every step is a known word."""
    assert all(step.word in _KNOWN for group in parse(text, _KNOWN) for step in group)


@pytest.mark.parametrize(
    ("text", "number"), [("", 3.0), ("x", 3.0), ("2", 2.0), ("-1", 0.0), ("99 y", 10.0), ("0.5", 0.5)]
)
def test_numbers(text: str, number: float) -> None:
    """An argument is read as a number within bounds, or the default is taken."""
    assert Step("text", text=text).number(3.0, 10.0) == number
