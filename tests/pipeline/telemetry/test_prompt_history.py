"""What is remembered of answered turns: which of them a turn continues, what changed, and no more than has room."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from pipeline.telemetry.prompt_history import TURNS, AnsweredTurn, Comparison, PromptHistory, compare, conversation_key
from stages.prompt_fingerprint import PromptChange, PromptFingerprint, fingerprint_of
from stages.wire import responses_request as responses

TOOLS = [responses.function_tool("look", None, {}, strict=False)]


def prefix(*said: str, **more: Any) -> PromptFingerprint:
    """The fingerprints of a request whose user says these things."""
    items = [responses.message_item("user", [responses.input_text(text)]) for text in said]
    return fingerprint_of({"model": "gpt-6.2-sol", "input": items, **more})


def turn(ident: str, *said: str, **more: Any) -> AnsweredTurn:
    """A turn that was answered."""
    return AnsweredTurn(ident, prefix(*said, **more), 2000, 1.0)


def history(*turns: AnsweredTurn, **room: int) -> PromptHistory:
    """A book with one conversation."""
    made = PromptHistory(**room)
    for one in turns:
        made.keep("k", one)
    return made


def test_nothing_is_known_of_a_first_turn() -> None:
    """Neither of one in another conversation."""
    known = history(turn("msg_1", "a"))

    assert str(known.follow("other", prefix("a", "b"))) == "first_turn"
    assert known.follow("other", prefix("a", "b")) == Comparison()


def test_the_longest_turn_that_is_extended_counts() -> None:
    """Also when the client has asked something else meanwhile, on the side or in the middle."""
    long, side = turn("msg_2", "a", "b", "c"), turn("msg_4", "a", "x", "y", "z")
    known = history(turn("msg_1", "a"), long, turn("msg_3", "title?"), side)
    seen = known.follow("k", prefix("a", "b", "c", "d"))

    assert seen == Comparison(long)
    assert str(seen) == "extended"
    assert known.follow("k", prefix("a", "x", "y", "z")) == Comparison(side)


def test_the_turn_with_the_longest_common_beginning_counts_else() -> None:
    """What changed is told against the nearest one."""
    near = turn("msg_2", "a", "b", "c")
    seen = history(turn("msg_1", "a", "x", "y"), near, turn("msg_3", "a", "z", "y")).follow(
        "k", prefix("a", "b", "d", "e")
    )

    assert seen == Comparison(near, PromptChange("input", 2, "user message"))
    assert str(seen) == "changed: input[2] (user message)"


def test_an_end_that_is_taken_back() -> None:
    """Nothing changed, but nothing can be expected either."""
    seen = history(turn("msg_1", "a", "b", "c")).follow("k", prefix("a", "b"))

    assert (seen.change, seen.shortened, str(seen)) == (None, True, "shortened")


@pytest.mark.parametrize(
    ("said", "more", "told"),
    [
        ("a", {"model": "gpt-6-luna"}, "changed: model"),
        ("x", {"tools": TOOLS}, "changed: input[0] (user message)"),
        ("a", {"tools": []}, "changed: tools"),
        ("x", {"tools": TOOLS, "model": "gpt-6-luna"}, "first_turn"),
        ("x", {}, "first_turn"),
    ],
)
def test_what_has_nothing_in_common_is_another_conversation(said: str, more: dict[str, Any], told: str) -> None:
    """A beginning, or the same model with the same tools, is what makes two turns one conversation."""
    known = history(turn("msg_1", "a", tools=TOOLS))

    assert str(known.follow("k", prefix(said, "b", **more))) == told


def test_without_tools_another_beginning_is_another_conversation() -> None:
    """To have no tools in common is nothing in common."""
    assert str(history(turn("msg_1", "a")).follow("k", prefix("x"))) == "first_turn"


def test_conversations_with_a_shared_key_are_told_apart_by_their_first_question() -> None:
    """Another question about the same prompt is no change of the first one's."""
    known = PromptHistory()
    known.keep("shared_k", turn("msg_1", "a", "b"))

    assert str(known.follow("shared_k", prefix("a", "b", "c"))) == "extended"
    assert str(known.follow("shared_k", prefix("x", "b"))) == "first_turn"


def test_a_message_is_found_by_its_id() -> None:
    """As long as its turn is remembered."""
    first = turn("msg_1", "a")
    known = history(first, *(turn(f"msg_{n}", "a", "b") for n in range(2, TURNS + 1)))

    assert known.message("msg_1") is first
    assert compare(first, prefix("a", "b")) == Comparison(first)
    known.keep("k", turn("msg_9", "a"))
    assert known.message("msg_1") is None
    assert known.message("msg_9") is not None


def test_conversations_that_rest_are_forgotten_first() -> None:
    """The number of conversations is bounded; one that goes on is not the oldest any more."""
    known = PromptHistory(conversations=2)
    for key, ident in (("a", "msg_1"), ("b", "msg_2"), ("a", "msg_3"), ("c", "msg_4")):
        known.keep(key, turn(ident, key))

    assert len(known) == 2
    assert [known.message(f"msg_{n}") is not None for n in (1, 2, 3, 4)] == [True, False, True, True]


def test_memory_is_bounded() -> None:
    """However many turns of whatever length come, what is remembered takes no more than allowed."""
    one = turn("msg", *map(str, range(100)))
    known = PromptHistory(size=5 * one.prefix.size)
    for n in range(50):
        known.keep(f"k{n // 2}", AnsweredTurn(f"msg_{n}", one.prefix, 1, 1.0))

    assert sum(known.message(f"msg_{n}") is not None for n in range(50)) in (4, 5)
    assert known.message("msg_49") is not None


@pytest.mark.parametrize("items", [1, 20, 300])
def test_a_turn_takes_no_more_than_is_counted_for_it(items: int) -> None:
    """Else the bound would be of something else."""
    bodies = [{"model": "m", "input": [{"role": "user", "content": str(at)}] * items} for at in range(60)]
    known, counted = PromptHistory(), 0
    tracemalloc.start()
    try:
        for at, body in enumerate(bodies):
            told = fingerprint_of(body)
            known.keep(conversation_key(body, told), AnsweredTurn(f"msg_{at:024}", told, 10_000 + at, 1.0 + at))
            counted += told.size
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken < counted


def test_one_turn_larger_than_the_book() -> None:
    """It is forgotten at once, and room is as before."""
    known = PromptHistory(size=4000)
    known.keep("k", turn("msg_1", *map(str, range(1000))))
    known.keep("k", turn("msg_2", "a"))

    assert known.message("msg_1") is None
    assert known.message("msg_2") is not None


def test_keys() -> None:
    """The cache key tells conversations apart; for servers that take none, their beginning does."""
    first, second, other = prefix("a", "b", "c"), prefix("a", "b"), prefix("a", "c")

    assert conversation_key({"prompt_cache_key": "k"}, first) == "k"
    assert conversation_key({}, first) == conversation_key({}, second) != conversation_key({}, other)
