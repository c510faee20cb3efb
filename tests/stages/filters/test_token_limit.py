"""Answers that are shorter than the upstream can be asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import trio
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import (
    BLOCK_STOP,
    CitationsDelta,
    JsonDelta,
    MessageEnd,
    TextDelta,
    TextStart,
    ThinkingDelta,
    ThinkingStart,
    ToolUseStart,
    Usage,
)
from stages.canonical.failure import Failure, Kind
from stages.filters.token_limit import TokenLimit


async def _fitting(text: str, limit: int) -> tuple[str, int]:
    """A token is a character here."""
    return text[:limit], len(text[:limit])


def limited(limit: int, parts: Iterable[Any]) -> list[Any]:
    """Feed all parts."""

    async def feed() -> list[Any]:
        stage = TokenLimit(limit, _fitting)
        return [passed for part in parts for passed in await stage.feed(part)]

    return trio.run(feed)


@given(pieces=st.lists(st.text(min_size=1, max_size=6), max_size=6), limit=st.integers(0, 20))
def test_the_text_is_the_beginning_that_fits(pieces: list[str], limit: int) -> None:
    """However the text comes, exactly the first `limit` tokens of it pass, and the reason says whether that was all."""
    whole = "".join(pieces)
    out = limited(
        limit, [TextStart(), *map(TextDelta, pieces), BLOCK_STOP, MessageEnd("end_turn", Usage(output_tokens=9))]
    )

    assert "".join(part.text for part in out if isinstance(part, TextDelta)) == whole[:limit]
    assert out[-1].stop_reason == ("end_turn" if 0 < limit >= len(whole) else "max_tokens")
    assert out[-1].usage.output_tokens == 9
    assert out.count(TextStart()) == out.count(BLOCK_STOP) == (1 if whole[:limit] else 0)


def test_nothing_passes_a_limit_of_zero_but_the_end() -> None:
    """`max_tokens: 0` warms the cache and has no content."""
    parts = [ThinkingStart(), ThinkingDelta("hm"), BLOCK_STOP, TextStart(), TextDelta("Hi"), BLOCK_STOP]

    assert [type(part) for part in limited(0, [*parts, MessageEnd("end_turn")])] == [MessageEnd]


def test_a_call_that_began_in_time_passes_whole() -> None:
    """Half a call is none: what was begun is finished, what comes after the limit is left out."""
    call = [ToolUseStart("toolu_1", "f"), JsonDelta(""), JsonDelta('{"a":1}'), BLOCK_STOP]
    late = [ToolUseStart("toolu_2", "f"), JsonDelta(""), BLOCK_STOP]
    text = [TextStart(), TextDelta("too long"), BLOCK_STOP]
    out = limited(3, [*call, *text, *late, MessageEnd("tool_use")])

    assert out[:4] == call
    assert out[4:] == [TextStart(), TextDelta("too"), BLOCK_STOP, MessageEnd("max_tokens")]


def test_a_refusal_stays_a_refusal() -> None:
    """Why the model refused matters more than where its text was cut."""
    out = limited(1, [TextStart(), TextDelta("No!"), BLOCK_STOP, MessageEnd("refusal")])

    assert out[-1].stop_reason == "refusal"


def test_citations_pass_with_their_block() -> None:
    """They stand before the text, and go where it goes."""
    cited = [TextStart(cited=True), CitationsDelta({"url": "https://a"}), TextDelta("abc"), BLOCK_STOP]
    plain = [TextStart(), TextDelta("xy"), BLOCK_STOP]
    out = limited(3, [*plain, *cited, *cited, MessageEnd("end_turn")])

    assert out == [*plain, *cited[:2], TextDelta("a"), BLOCK_STOP, MessageEnd("max_tokens")]


def test_a_failure_passes_whatever_is_left_out() -> None:
    """A call that begins after the limit is left out; what goes wrong inside it ends the message all the same."""
    broken = Failure(Kind.UPSTREAM, "Broken.")

    assert limited(0, [ToolUseStart("toolu_1", "f"), broken]) == [broken]


def test_what_was_said_before_a_failure_is_said() -> None:
    """A text is held until its block ends; a failure ends it as well."""
    broken = Failure(Kind.UPSTREAM, "Broken.")

    assert limited(2, [TextStart(), TextDelta("a"), TextDelta("bc"), broken]) == [TextStart(), TextDelta("ab"), broken]
