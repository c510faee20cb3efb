"""Fingerprints of what a prompt cache sees: which part of a request changed first, and how much stood before it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.prompt_fingerprint import PromptChange, PromptFingerprint, changed, common, fingerprint_of, serialise
from stages.wire import json
from stages.wire import responses_request as responses
from stages.wire.written import WrittenTools
from tests.stages.strategies import JSON
from tests.support.cases import cases

ITEMS = [
    responses.message_item("developer", [responses.input_text("Be brief.")]),
    responses.message_item("user", [responses.input_text("Look.")]),
    responses.function_call("call_1", "look", {}),
    responses.function_call_output("call_1", "\ud83d"),
]
BODY: dict[str, Any] = {
    "model": "gpt-6.2-sol",
    "input": ITEMS,
    "tools": [responses.function_tool("look", None, {}, strict=False)],
    "reasoning": {"effort": "low", "summary": "auto"},
}

short = st.lists(st.integers(0, 2), max_size=6)


def inputs(*said: int) -> PromptFingerprint:
    """The fingerprints of a request whose items are told apart by a number."""
    return fingerprint_of(
        {
            **BODY,
            "input": [responses.message_item("user", [responses.input_text(str(n))]) for n in said],
        }
    )


def test_a_turn_that_extends_another_changes_nothing() -> None:
    """Neither does one that repeats it, or takes back its end; limits and forms of the answer are no part of it."""
    longer = {
        **BODY,
        "input": [*ITEMS, responses.message_item("user", [])],
        "stream": True,
        "max_output_tokens": 9,
    }

    assert changed(fingerprint_of(BODY), fingerprint_of(longer)) is None
    assert changed(fingerprint_of(longer), fingerprint_of(BODY)) is None
    assert changed(fingerprint_of(BODY), fingerprint_of(BODY)) is None


@cases(
    ("more", "told"),
    [
        ({"model": "gpt-6.1-sol", "tools": []}, "model"),
        ({"tools": []}, "tools"),
        ({"service_tier": "priority"}, "settings (service_tier)"),
        ({"instructions": "x"}, "settings (instructions)"),
        ({"text": {"format": {"type": "text"}}, "input": []}, "settings (text)"),
        ({"reasoning": {"effort": "high"}}, "settings (reasoning.effort)"),
        ({"reasoning": None}, "settings (reasoning.effort)"),
        ({"input": [ITEMS[1]]}, "input[0] (user message)"),
        ({"input": [*ITEMS[:2], {"type": "reasoning"}, *ITEMS[2:]]}, "input[2] (reasoning)"),
        ({"input": [*ITEMS[:3], {**ITEMS[3], "output": "x"}, ITEMS[1]]}, "input[3] (function_call_output)"),
    ],
)
def test_what_changed_first(more: dict[str, Any], told: str) -> None:
    """In the order in which the upstream reads a request, and in words without content."""
    assert str(changed(fingerprint_of(BODY), fingerprint_of({**BODY, **more}))) == told


def test_a_change_can_be_asked_for_its_place() -> None:
    """A diagnosis needs it, not only a log."""
    moved = fingerprint_of({**BODY, "input": [ITEMS[0], {"role": "user", "content": "x"}]})

    assert changed(fingerprint_of(BODY), moved) == PromptChange("input", 1, "user message")


@given(short, short)
def test_common_items(before: list[int], now: list[int]) -> None:
    """The search for the first difference finds what a walk would."""
    walked = next((n for n, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now)))

    assert common(inputs(*before), inputs(*now)) == walked


def test_shares_grow_to_the_whole() -> None:
    """What stands before an item, tools included, as a part of all bytes."""
    prefix = fingerprint_of(BODY)
    shares = [prefix.share(count) for count in range(5)]

    assert 0 < shares[0] < shares[1] < shares[2] < shares[3] < shares[4] == 1.0
    assert fingerprint_of({"input": [], "tools": []}).share(0) == 1.0


def test_fingerprints_are_the_same_everywhere() -> None:
    """Another process, with other hashes of texts, writes the same characters; another prompt gets others."""
    code = "from tests.stages.test_prompt_fingerprint import *; print(fingerprint_of(BODY).fingerprint())"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()

    assert told == fingerprint_of(BODY).fingerprint()
    assert len(told) == 12
    assert inputs(1).fingerprint() != inputs(2).fingerprint() != fingerprint_of(BODY).fingerprint()
    assert inputs(1).size < inputs(1, 2).size


@given(JSON)
def test_a_request_is_written_as_it_would_be_without_fingerprints(said: Any) -> None:
    """Taking fingerprints on the way changes no byte of what is sent, whatever is in it."""
    odd: list[dict[str, Any]] = [{"model": "m", "input": [], "extra": said}, {"tools": None}]
    for body in (BODY, {**BODY, "input": [{"content": said}]}, *odd):
        assert serialise(body)[0] == json.encode(body)


@pytest.mark.parametrize("name", ["model", "instructions", "prompt_cache_key", "text"])
def test_half_an_emoji_beside_the_input_is_written(name: str) -> None:
    """A text that only the exact encoder takes may stand in any field, such as a system prompt that was cut."""
    body = {**BODY, name: {"description": ["\ud83d", float("inf")]}}

    assert serialise(body)[0] == json.encode(body)


def test_known_tools_are_not_written_again() -> None:
    """Their bytes are what writing them gives, and so is what they are known by."""
    tools = [{"type": "function", "name": "look", "description": "é" * 100}]

    assert serialise({"model": "m", "tools": WrittenTools(tools)}) == serialise({"model": "m", "tools": tools})
