"""Effort: what a request asks for, and what a model gets of it."""

from __future__ import annotations

import pytest

from stages.canonical.request import OutputConfig, ThinkingConfig
from stages.tables.effort import BUDGETS, SMALL_ANSWER, UNSAID, clamp, wanted
from stages.tables.models import MODEL_EFFORTS, MODELS, Model
from tests.support.cases import cases

DISABLED = ThinkingConfig("disabled")
ADAPTIVE = ThinkingConfig("adaptive")


@cases(
    ("thinking", "effort", "max_tokens", "expected"),
    [
        (None, None, None, None),
        (None, None, SMALL_ANSWER, "none"),
        (None, None, SMALL_ANSWER + 1, None),
        (None, "high", 1, "high"),
        (DISABLED, "high", None, "none"),
        (ADAPTIVE, None, None, None),
        (ADAPTIVE, None, 1, None),
        (ADAPTIVE, "low", None, "low"),
        (ThinkingConfig("enabled", 1024), None, None, "low"),
        (ThinkingConfig("enabled", 4_000), None, None, "medium"),
        (ThinkingConfig("enabled", 10_000), None, None, "high"),
        (ThinkingConfig("enabled", 31_999), None, None, "xhigh"),
        (ThinkingConfig("enabled", 31_999), "max", None, "max"),
        (ThinkingConfig("between_tools"), None, None, None),
    ],
)
def test_what_a_request_asks_for(
    thinking: ThinkingConfig | None, effort: str | None, max_tokens: int | None, expected: str | None
) -> None:
    """Disabled beats effort, effort beats budget, and a small answer without a word wants none."""
    assert wanted(thinking, OutputConfig(effort), max_tokens) == expected
    if effort is None:
        assert wanted(thinking, None, max_tokens) == expected


@pytest.mark.parametrize(("limit", "effort"), BUDGETS)
def test_budgets_end_where_they_say(limit: int, effort: str) -> None:
    """The number itself belongs to its row, the next to a higher one."""
    at, above = (wanted(ThinkingConfig("enabled", n), None, None) for n in (limit, limit + 1))

    assert at == effort
    assert above is not None
    assert MODEL_EFFORTS.index(above) > MODEL_EFFORTS.index(effort)


@cases("model", MODELS, ids=lambda model: model.prefix)
@cases("effort", MODEL_EFFORTS)
def test_a_clamped_effort_is_the_nearest_below(model: Model, effort: str) -> None:
    """For every model and effort: accepted, and the highest that is not more, or else the lowest there is."""
    chosen = clamp(effort, model)

    if not model.efforts:
        assert chosen is None
        return
    assert chosen in model.efforts
    below = [known for known in model.efforts if MODEL_EFFORTS.index(known) <= MODEL_EFFORTS.index(effort)]
    assert chosen == (below[-1] if below else model.efforts[0])


def test_a_word_nobody_knows_is_left_to_the_model() -> None:
    """An effort of tomorrow is not sent where it would be refused."""
    assert clamp("extreme", MODELS[0]) is None


@pytest.mark.parametrize(
    ("thinking", "expected"),
    [(None, None), (ADAPTIVE, UNSAID), (ThinkingConfig("between_tools"), UNSAID), (DISABLED, "none")],
)
def test_a_model_that_rests_is_told_to_think(thinking: ThinkingConfig | None, expected: str | None) -> None:
    """Where the model would not reason by itself, a mere wish for thinking becomes an effort."""
    assert wanted(thinking, None, None, rests_by_default=True) == expected
