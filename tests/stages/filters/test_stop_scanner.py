"""Stop sequences, against a scanner that sees the whole text at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import (
    BLOCK_STOP,
    CitationsDelta,
    JsonDelta,
    MessageEnd,
    SignatureDelta,
    TextDelta,
    TextStart,
    ThinkingDelta,
    ThinkingStart,
    ToolUseStart,
)
from stages.filters.stop_scanner import StopScanner
from tests.support.steps import steps_of

LETTERS = st.text(alphabet="ab<", max_size=12)
SEQUENCES = st.lists(st.text(alphabet="ab<", min_size=1, max_size=4), min_size=1, max_size=3)


def scan(sequences: Iterable[str], parts: Iterable[Any]) -> list[Any]:
    """Feed parts up to the ending, as the correlator does."""
    scanner = StopScanner(tuple(sequences), 7)
    out: list[Any] = []
    for part in parts:
        for passed in scanner.feed(part):
            out.append(passed)
            if isinstance(passed, MessageEnd):
                return out
    return out + list(scanner.finish())


def text_of(parts: Iterable[Any]) -> str:
    """Join the text that passed."""
    return "".join(part.text for part in parts if isinstance(part, TextDelta))


def naive(text: str, sequences: Iterable[str]) -> tuple[str, str | None]:
    """Find the match that is complete first in the whole text; of several that end together, the longest."""
    found = [(text.index(s) + len(s), -len(s), s) for s in sequences if s in text]
    if not found:
        return text, None
    end, _, sequence = min(found)
    return text[: end - len(sequence)], sequence


@given(pieces=st.lists(LETTERS, max_size=8), sequences=SEQUENCES)
def test_any_cut_of_the_text_stops_where_the_whole_would(pieces: list[str], sequences: list[str]) -> None:
    """How the upstream cuts its text into deltas changes neither the text before the stop nor which sequence it is."""
    whole = "".join(pieces)
    deltas = [TextDelta(piece) for piece in pieces if piece]
    out = scan(sequences, [TextStart(), *deltas, BLOCK_STOP, MessageEnd("end_turn")])

    end = out[-1]
    assert isinstance(end, MessageEnd)
    assert (text_of(out), end.stop_sequence) == naive(whole, sequences)
    assert end.stop_reason == ("end_turn" if end.stop_sequence is None else "stop_sequence")


@given(text=LETTERS, sequences=SEQUENCES)
def test_a_text_in_one_piece_agrees_with_the_naive_search(text: str, sequences: list[str]) -> None:
    """With all the text at hand, place and sequence are those of the obvious search."""
    out = scan(
        sequences,
        [TextStart(), TextDelta(text), BLOCK_STOP, MessageEnd("end_turn")] if text else [MessageEnd("end_turn")],
    )

    assert (text_of(out), out[-1].stop_sequence) == naive(text, sequences)


@given(pieces=st.lists(LETTERS.filter(bool), max_size=6), sequences=SEQUENCES)
def test_no_more_is_held_than_could_become_a_sequence(pieces: list[str], sequences: list[str]) -> None:
    """What waits is shorter than the longest sequence, and a beginning of one of them."""
    scanner = StopScanner(tuple(sequences), 0)
    fed, passed = "", ""
    list(scanner.feed(TextStart()))
    for piece in pieces:
        fed += piece
        out = list(scanner.feed(TextDelta(piece)))
        passed += text_of(out)
        if any(isinstance(part, MessageEnd) for part in out):
            return
        held = fed[len(passed) :]
        assert not held or any(s.startswith(held) and s != held for s in sequences)


def test_a_stop_before_the_first_character_leaves_no_block() -> None:
    """An empty text block is nothing that a client could send back."""
    out = scan(["STOP"], [TextStart(), TextDelta("STO"), TextDelta("P and more")])

    assert out == [MessageEnd("stop_sequence", out[-1].usage, stop_sequence="STOP")]
    assert out[-1].usage.input_tokens == 7


def test_a_stop_inside_a_block_closes_it_once() -> None:
    """The block ends, then the message, and nothing follows."""
    out = scan(["."], [TextStart(), TextDelta("One. Two.")])

    assert out[:3] == [TextStart(), TextDelta("One"), BLOCK_STOP]
    assert [type(part) for part in out[3:]] == [MessageEnd]


def test_reasoning_and_calls_are_not_searched() -> None:
    """A sequence stops text alone: a call that contains it is still a call."""
    parts = [
        ThinkingStart(),
        ThinkingDelta("STOP"),
        SignatureDelta("x"),
        BLOCK_STOP,
        ToolUseStart("toolu_1", "f"),
        JsonDelta('{"a":"STOP"}'),
        BLOCK_STOP,
        MessageEnd("tool_use"),
    ]

    assert scan(["STOP"], parts) == parts


def test_what_was_held_passes_at_the_end_of_its_block() -> None:
    """Half a sequence at the end of a block is text like any other."""
    out = scan(["</end>"], [TextStart(), TextDelta("a </en"), BLOCK_STOP, MessageEnd("end_turn")])

    assert text_of(out) == "a </en"
    assert out[-2:] == [BLOCK_STOP, MessageEnd("end_turn")]


def test_citations_wait_with_their_block() -> None:
    """They stand before the text, so they come with its first character; where none comes, they do not either."""
    cited = [TextStart(cited=True), CitationsDelta({"url": "https://a"})]

    assert scan(["."], [*cited, TextDelta("a")])[:3] == [*cited, TextDelta("a")]
    assert scan(["."], [*cited, TextDelta(".a")])[:1] != [TextStart(cited=True)]


def test_a_character_costs_the_same_however_much_is_looked_for() -> None:
    """Neither many sequences nor one that nearly comes, again and again, cost more for each character."""
    text = "a" * 2000

    def steps(*sequences: str) -> int:
        scanner = StopScanner(sequences, 0)

        def feed() -> None:
            for character in text:
                assert len(list(scanner.feed(TextDelta(character)))) <= 2

        list(scanner.feed(TextStart()))
        return steps_of(feed, 10_000_000)

    one = steps("ab")
    assert steps(*(f"a{at}" for at in range(2000))) < 1.5 * one
    assert steps("a" * 1990 + "b") < 1.5 * one
