"""Scenes are cut into deltas, and at the limit of output tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.emulator.answer import answer
from pipeline.emulator.scenario import CallItem, MessageItem, ReasoningItem, Scenario, fragments, shorten, words
from tests.pipeline.emulator.talk import asked, said
from tests.support.cases import cases


@cases("prompt", ["[[text]]", "[[think]]", "[[long 500]]", "[[think]]+[[call]]"])
@cases("limit", [16, 20, 40])
def test_the_output_limit_holds(prompt: str, limit: int) -> None:
    """What would be longer ends incomplete, and never costs more than the limit."""
    whole = answer(asked(prompt, max_output_tokens=limit)).body

    assert (whole["status"] == "completed") == (whole["usage"]["output_tokens"] < limit)
    assert whole["usage"]["output_tokens"] <= limit


def test_a_limit_that_is_not_reached_changes_nothing() -> None:
    """Same words with and without room to spare."""
    assert said(asked("[[text]]", max_output_tokens=4000)) == said(asked("[[text]]"))


@given(st.text())
def test_pieces_join_to_the_text(text: str) -> None:
    """However a text is cut for streaming, nothing is lost."""
    assert "".join(words(text)) == "".join(fragments(text)) == text


@pytest.mark.parametrize(
    ("budget", "sizes"), [(100, [16, 3, 4]), (23, [16, 3, 4]), (22, [16, 3, 3]), (19, [16, 3]), (17, [16, 1]), (5, [5])]
)
def test_shorten(budget: int, sizes: list[int]) -> None:
    """Items are kept while they fit, the first that does not is cut, and all of the budget is spent then."""
    scenario = Scenario((ReasoningItem(), MessageItem(("a", "b", "c")), CallItem("f", ("d", "e", "f", "g"))))
    cut = shorten(scenario, budget)

    assert [item.size for item in cut.items] == sizes
    assert cut.ending.reason == (None if budget >= 23 else "max_output_tokens")
