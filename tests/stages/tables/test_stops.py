"""Why answers end, what they cost, and what of the request the model did not see."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import Usage
from stages.tables.stops import (
    DROP_REASONS,
    FILTERED,
    INCOMPLETE,
    OTHER_REASON,
    dropped_reasoning,
    input_transformations,
    reason_in,
    refusal_details,
    stop_reason,
    usage,
)
from stages.wire.messages_stream import start_usage
from tests.stages.strategies import JSON
from tests.support.cases import cases

ANTHROPICS = {
    *("end_turn", "max_tokens", "model_context_window_exceeded", "pause_turn", "refusal", "stop_sequence", "tool_use")
}
NUMBERS = st.one_of(JSON, st.floats(), st.integers(min_value=0, max_value=10**6))


def test_reasons_are_anthropics() -> None:
    """No client gets a word that it does not know."""
    assert set(INCOMPLETE.values()) <= ANTHROPICS


def test_refusals_say_why_if_they_can() -> None:
    """The model's words, or null; the filter has words of its own."""
    assert refusal_details("No.") == {"type": "refusal", "category": None, "explanation": "No."}
    assert refusal_details("")["explanation"] is None
    assert set(FILTERED) == set(refusal_details(""))


def test_usage_is_split() -> None:
    """The whole prompt is the sum of three, and reasoning a part of the output."""
    body = {
        "input_tokens": 100,
        "input_tokens_details": {
            "cached_tokens": 60,
            "cache_write_tokens": 30,
            "cache_write_tokens_details": {"ttl_12h_tokens": 10},
        },
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 20},
    }

    assert usage(body) == Usage(10, 60, 30, 50, 20, 10)


def test_recorded_caches(shared: Path) -> None:
    """The same prompt twice: what the first answer wrote for the shortest time, the second one read."""
    name = "recordings/openai/text/pydantic-ai__test_openai_responses_prompt_cache_e2e__{}.json"
    first, second = (usage(json.loads((shared / name.format(n)).read_bytes())["body"]["usage"]) for n in (0, 1))

    assert first == Usage(8, 0, 4012, 5, 0)
    assert second == Usage(8, 4012, 0, 5, 0)
    assert start_usage(first)["cache_creation"] == {"ephemeral_5m_input_tokens": 4012, "ephemeral_1h_input_tokens": 0}


def test_what_is_kept_long_is_told_apart() -> None:
    """Twelve hours upstream stand for the client's one hour, thirty minutes for its five."""
    split = {"ttl_30m_tokens": 300, "ttl_12h_tokens": 700}
    details = {"cached_tokens": 900, "cache_write_tokens": 1000, "cache_write_tokens_details": split}

    assert start_usage(usage({"input_tokens": 2000, "input_tokens_details": details}))["cache_creation"] == {
        "ephemeral_5m_input_tokens": 300,
        "ephemeral_1h_input_tokens": 700,
    }


@pytest.mark.parametrize(
    "body",
    [None, {}, {"input_tokens": None}, {"input_tokens": "nine", "output_tokens": True}, {"input_tokens_details": [1]}],
)
def test_what_is_not_told_counts_as_zero(body: dict[str, Any] | None) -> None:
    """An engine that tells nothing must not stop an answer."""
    assert usage(body) == Usage()


def test_zero_reasoning_is_told() -> None:
    """No reasoning is a fact; silence about it is none."""
    assert usage({"output_tokens_details": {"reasoning_tokens": 0}}).thinking_tokens == 0
    assert usage({"output_tokens_details": {}}).thinking_tokens is None


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -5])
def test_impossible_numbers_count_as_zero(number: float) -> None:
    """Python servers can write NaN."""
    assert usage({"input_tokens": number, "output_tokens": number}) == Usage()


def test_a_number_that_counts_nothing_is_bounded() -> None:
    """It is reckoned with later: as a price, for one."""
    told = usage({"input_tokens": 1e308, "output_tokens": 10**400})

    assert told == Usage(input_tokens=2**53, output_tokens=2**53)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_usage_never_raises_and_never_goes_negative(
    prompt: Any, read: Any, written: Any, kept: Any, output: Any, thought: Any
) -> None:
    """Whatever stands where numbers belong."""
    details = {"cached_tokens": read, "cache_write_tokens": written}
    told = usage(
        {
            "input_tokens": prompt,
            "input_tokens_details": {**details, "cache_write_tokens_details": {"ttl_12h_tokens": kept}},
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": thought},
        }
    )

    assert min(told.input_tokens, told.cache_read_input_tokens, told.cache_creation_input_tokens) >= 0
    assert 0 <= told.long_lived_tokens <= told.cache_creation_input_tokens
    assert told.thinking_tokens is None or 0 <= told.thinking_tokens <= told.output_tokens


def removed(reason: Any) -> dict[str, Any]:
    """One entry, as the upstream's types have it."""
    return {"id": "rs_1", "type": "reasoning", "action": "removed", "reason": reason}


def test_items_are_counted_by_reason() -> None:
    """Two for a changed prefix, one for another user."""
    told = [removed("prefix_mismatch"), removed("end_user_mismatch"), removed("prefix_mismatch")]

    assert dropped_reasoning(told) == (("end_user_mismatch", 1), ("prefix_mismatch", 2))


@pytest.mark.parametrize("reason", ["a new one", None, 5, ["prefix_mismatch"]])
def test_a_reason_that_is_not_known_is_not_repeated(reason: Any) -> None:
    """The upstream's own words stay out of what may be logged."""
    assert dropped_reasoning([removed(reason)]) == ((OTHER_REASON, 1),)


@given(JSON)
def test_nonsense_counts_as_none(value: Any) -> None:
    """Whatever stands there, the result is a count by known reasons."""
    assert {reason for reason, _ in dropped_reasoning(value)} <= DROP_REASONS


def test_other_transformations_are_not_counted() -> None:
    """Only reasoning is: a transformation of tomorrow may be anything."""
    assert dropped_reasoning([{"type": "image", "reason": "prefix_mismatch"}]) == ()


@pytest.mark.parametrize(
    "body",
    [
        {"prompt_tokens": 77, "completion_tokens": 5},
        {"input_tokens": "77", "output_tokens": "5"},
        {"input_tokens": 0, "prompt_tokens": 77, "output_tokens": None, "completion_tokens": 5.0},
        {
            "prompt_tokens": 80,
            "prompt_tokens_details": {"cached_tokens": 3},
            "completion_tokens": 5,
            "completion_tokens_details": {"reasoning_tokens": "2"},
        },
    ],
)
def test_other_names_and_strings(body: dict[str, Any]) -> None:
    """Chat Completions' names count, and so do numbers that are written as strings."""
    told = usage(body)

    assert (told.input_tokens, told.output_tokens) == (77, 5)


@cases(
    ("reason", "stop"),
    [
        ("max_tokens", "max_tokens"),
        ("MAX_TOKENS", "max_tokens"),
        ("maxTokens", "max_tokens"),
        ("model_context_window_exceeded", "model_context_window_exceeded"),
        ("contextLengthReached", "model_context_window_exceeded"),
        ("max-completion-tokens", "max_tokens"),
        ("SAFETY", "refusal"),
        ("content filter", "refusal"),
        ("boredom", None),
        ("", None),
    ],
)
def test_other_words_for_a_cut(reason: str, stop: str | None) -> None:
    """However a server writes them."""
    assert stop_reason(reason) == stop


@pytest.mark.parametrize(("details", "reason"), [({"reason": "x"}, "x"), ("x", "x"), (None, ""), ({"reason": 5}, "")])
def test_where_the_word_stands(details: Any, reason: str) -> None:
    """In an object, or alone."""
    assert reason_in(details) == reason


@pytest.mark.parametrize(
    ("dropped", "paths"),
    [
        ((), []),
        ((("prefix_mismatch", 1),), [("c", "prefix_binding_mismatch")]),
        ((("prefix_mismatch", 2),), [("b", "prefix_binding_mismatch"), ("c", "prefix_binding_mismatch")]),
        ((("model_mismatch", 9),), [(path, "model_binding_mismatch") for path in "abc"]),
        ((("turn_boundary", 2), (OTHER_REASON, 1)), []),
    ],
)
def test_thinking_that_was_not_shown(dropped: tuple[tuple[str, int], ...], paths: list[tuple[str, str]]) -> None:
    """What did not go up, and the latest of what did; a reason that Anthropic does not have is not made up."""
    told = input_transformations({"x": "organization_binding_mismatch"}, ("a", "b", "c"), dropped)
    assert all(entry["type"] == "thinking_dropped" for entry in told)
    assert [(entry["path"], entry["reason"]) for entry in told] == [("x", "organization_binding_mismatch"), *paths]
