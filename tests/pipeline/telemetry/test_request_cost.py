"""What the log says of an answer that is over: what it cost, how much the cache served, and why not more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pipeline.telemetry.prompt_history import AnsweredTurn, PromptHistory
from pipeline.telemetry.request_cost import RequestCost, open_request_cost
from stages.canonical.events import MessageEnd, Usage
from stages.redactor import redact
from stages.wire import responses_request as responses

FORGOT = "upstream forgot, 2700 s after the turn before"


def asked(*said: str, **more: Any) -> dict[str, Any]:
    """An upstream request whose user says these things."""
    items = [responses.message_item("user", [responses.input_text(text)]) for text in said]
    return {"model": "gpt-6.2-sol", "prompt_cache_key": "k", "input": items, **more}


def ended(usage: Usage, stop: str = "end_turn") -> Mapping[str, int | str]:
    """The facts of a message's end."""
    return dict(redact(MessageEnd(stop, usage)).values)


def opened(history: PromptHistory, body: dict[str, Any], ident: str = "msg_2") -> RequestCost:
    """An account whose clock stands at a quarter to one."""
    made = open_request_cost(history, body, ident)
    return RequestCost(made.history, made.key, ident, made.model, made.tier, made.prefix, made.seen, lambda: 2700.0)


def after(tokens: int = 10_000) -> PromptHistory:
    """A book that knows a first turn with so many tokens, which ended at midnight."""
    history = PromptHistory()
    first = open_request_cost(history, asked("a", "b"), "msg_1")
    history.keep(first.key, AnsweredTurn("msg_1", first.prefix, tokens, 0.0))
    return history


def test_a_first_turn() -> None:
    """It has a price and a rate; a miss needs no reason, and the turn is remembered."""
    history = PromptHistory()
    fields = opened(history, asked("a", service_tier="flex"), "msg_1").close(ended(Usage(1_000, 0, 9_000, 100)))

    # Half of 1,000 at $2, 9,000 at $2.50 and 100 at $10, for a million
    assert fields == {"cache_hit_rate": 0.0, "cost_usd": 0.01275}
    kept = history.message("msg_1")
    assert kept is not None
    assert (kept.tokens, kept.at) == (10_000, 2700.0)


def test_a_hit() -> None:
    """Nearly all of the turn before came from the cache: nothing to explain."""
    fields = opened(after(), asked("a", "b", "c")).close(ended(Usage(200, 9_800, 0, 100, None, 0)))

    assert fields == {"cache_hit_rate": 0.98, "cost_usd": 0.00238}


def test_what_was_written_to_last_costs_more() -> None:
    """The price of twelve hours is known from the facts."""
    fields = opened(PromptHistory(), asked("a")).close(ended(Usage(0, 0, 1_000_000, 0, None, 1_000_000)))

    assert fields["cost_usd"] == 8.0  # $4 a million, and twice that for a long prompt


@pytest.mark.parametrize(
    ("tokens", "usage", "told"),
    [
        (10_000, Usage(10_500), FORGOT),
        (10_000, Usage(2_500, 8_999), FORGOT),
        (10_000, Usage(2_500, 9_000), None),
        (1_200, Usage(356, 944), None),
        (1_200, Usage(357, 943), FORGOT),
        (1_023, Usage(1_500), None),
        (10_000, Usage(1_000), None),
    ],
)
def test_a_turn_that_should_have_hit(tokens: int, usage: Usage, told: str | None) -> None:
    """Both turns are long enough to be cached, and clearly less was read than the first one left there."""
    assert opened(after(tokens), asked("a", "b", "c")).close(ended(usage)).get("cache_miss") == told


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (asked("a", "x", "c"), "prefix changed at input[1] (user message)"),
        (asked("a", "b", "c", model="gpt-6.1-sol"), "prefix changed at model"),
        (asked("a", "b", "c", tools=[{"name": "x"}]), "prefix changed at tools"),
        (asked("a", "b", "c", reasoning={"effort": "low"}), "prefix changed at settings (reasoning.effort)"),
        (asked("a"), None),
        (asked("x", "b", "c"), None),
        (asked("a", "b", "c", prompt_cache_key="other"), None),
    ],
)
def test_what_changed_is_the_reason(body: dict[str, Any], told: str | None) -> None:
    """Unless the turn only takes something back, or has nothing to do with the one before."""
    assert opened(after(), body).close(ended(Usage(10_500))).get("cache_miss") == told


def test_an_answer_that_we_stopped_has_no_truth_to_tell() -> None:
    """Its usage is our estimate: no price, no rate, and nothing for the next turn to be measured by."""
    history = after()

    assert opened(history, asked("a", "b", "c")).close(ended(Usage(10_500, 0, 0, 9), "stop_sequence")) == {}
    assert history.message("msg_2") is None


def test_an_upstream_that_counts_nothing() -> None:
    """Without numbers there is nothing to say."""
    assert opened(PromptHistory(), asked("a")).close(ended(Usage())) == {}


def test_a_model_without_a_price() -> None:
    """It has a rate all the same."""
    assert opened(PromptHistory(), asked("a", model="mine")).close(ended(Usage(1, 3))) == {"cache_hit_rate": 0.75}


def test_a_healed_request_is_paid_for_but_not_compared() -> None:
    """What was sent in the end is not what has the fingerprint."""
    history = after()

    assert opened(history, asked("a", "b", "c")).close(ended(Usage(10_500)), healed=True) == {
        "cache_hit_rate": 0.0,
        "cost_usd": 0.021,
    }
    assert history.message("msg_2") is None
