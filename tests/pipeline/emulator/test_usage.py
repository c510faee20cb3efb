"""Counts and the prompt cache."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.emulator.answer import answer
from pipeline.emulator.usage import TAIL, PrefixCache, count_input
from tests.pipeline.emulator.talk import BASH, asked, follow, user


def details(request: dict[str, Any], cache: PrefixCache) -> tuple[int, int, int]:
    """Give input, cached and written tokens of an answer."""
    usage = answer(request, cache).body["usage"]
    inner = usage["input_tokens_details"]
    return usage["input_tokens"], inner["cached_tokens"], inner["cache_write_tokens"]


def test_four_bytes_are_a_token() -> None:
    """Four hundred bytes more are a hundred tokens more, and tools and instructions count."""
    short, longer = asked("x" * 400), asked("x" * 800)

    assert count_input(longer) - count_input(short) == 100
    assert count_input({**short, "tools": []}) < count_input(short)
    assert count_input({**short, "instructions": "y" * 40}) > count_input(short)


def test_an_image_counts_little() -> None:
    """Its data URL is not text."""
    image = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 1_000_000}

    assert count_input(asked("x", input=[{"role": "user", "content": [image]}])) < 2000


def test_totals_add_up() -> None:
    """Total is input and output, and reasoning is a part of the output."""
    usage = answer(asked("[[think]]")).body["usage"]

    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert 0 < usage["output_tokens_details"]["reasoning_tokens"] < usage["output_tokens"]


def test_what_only_grows_is_cached() -> None:
    """The second turn finds what the first one has written, the third all of the second but its tail."""
    cache, request = PrefixCache(), asked("[[call]] [[call]]")
    first = details(request, cache)
    second = details(follow(request), cache)
    third = details(follow(follow(request)), cache)

    assert first[1] == 0
    assert second[1] == first[2] == first[0] - TAIL
    assert third[1] == second[1] + second[2] == second[0] - TAIL
    assert third[2] == third[0] - third[1] - TAIL


@pytest.mark.parametrize(
    "change",
    [
        {"tools": [{**BASH, "description": "another"}]},
        {"model": "gpt-6.1-sol"},
        {"prompt_cache_key": "another"},
        {"instructions": "another"},
        {"input": [user("another"), user("y")]},
    ],
)
def test_an_edit_loses_the_cache(change: dict[str, Any]) -> None:
    """Another model, key, tool, instruction or earlier item: nothing is found."""
    cache, request = PrefixCache(), asked("x", prompt_cache_key="k")
    details(request, cache)

    assert details({**request, "input": [user("x"), user("y")], **change}, cache)[1] == 0


def test_old_models_count_no_writes() -> None:
    """Before gpt-5.6 nothing is counted as written."""
    assert details(asked("x", model="gpt-5.5"), PrefixCache())[2] == 0


def test_the_cache_forgets() -> None:
    """It keeps no more than its size, the most recently used ones."""
    cache = PrefixCache(size=2)
    for name in "abac":
        cache.visit(asked(name))

    assert cache.visit(asked("a")) > 0
    assert cache.visit(asked("b")) == 0
