"""Breakpoints: where the real API would refuse one, and what they leave in the cache."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.emulator.answer import answer
from pipeline.emulator.breakpoints import split_at_marks
from pipeline.emulator.usage import WRITTEN, PrefixCache, count_input
from tests.pipeline.emulator.talk import asked, refusal

EXPLICIT = {"mode": "explicit"}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}


def part(text: str, mark: Any = None, kind: str = "input_text") -> dict[str, Any]:
    """A part, with a breakpoint or without."""
    return {"type": kind, "text": text} | ({"prompt_cache_breakpoint": mark} if mark is not None else {})


def said(*parts: dict[str, Any], role: str = "user") -> dict[str, Any]:
    """A message."""
    return {"type": "message", "role": role, "content": list(parts)}


def sent(*items: dict[str, Any], model: str = "gpt-6.2-sol") -> dict[str, Any]:
    """A request."""
    return asked("", input=list(items), model=model)


@pytest.mark.parametrize(
    ("item", "model", "param", "code"),
    [
        (said(part("x", EXPLICIT)), "gpt-5.5", "input[0].content[0].prompt_cache_breakpoint", None),
        (
            said(part("x", {"mode": "implicit"})),
            "gpt-5.6",
            "input[0].content[0].prompt_cache_breakpoint",
            "invalid_value",
        ),
        (
            said(part("x"), part("x", {**EXPLICIT, "ttl": "1h"})),
            "gpt-6.2-sol",
            "input[0].content[1].prompt_cache_breakpoint",
            "invalid_value",
        ),
        (said(part("x", "explicit")), "gpt-6.2-sol", "input[0].content[0].prompt_cache_breakpoint", "invalid_value"),
        (
            said(part("x", EXPLICIT, "output_text"), role="assistant"),
            "gpt-6.2-sol",
            "input[0].content[0].prompt_cache_breakpoint",
            "unknown_parameter",
        ),
    ],
)
def test_refused(item: dict[str, Any], model: str, param: str, code: str | None) -> None:
    """Old models take none, what the model said carries none, and there is one mode and two times."""
    told = refusal(input=[item], model=model)

    assert (told["param"], told["code"]) == (param, code)


def test_taken() -> None:
    """On texts of every role that goes in, and on parts of an output, with either time."""
    output = {"type": "function_call_output", "call_id": "c1", "output": [part("x", {**EXPLICIT, "ttl": "12h"})]}
    request = sent(
        said(part("x", EXPLICIT), role="developer"), said(part("x", {**EXPLICIT, "ttl": "30m"})), CALL, output
    )

    assert answer(request).body["status"] == "completed"


def test_a_border_is_found_again() -> None:
    """Another question about the same document finds the document, and only behind a breakpoint."""
    for mark, found in ((EXPLICIT, True), (None, False)):
        cache = PrefixCache()
        document = part("A poem. " * 100, mark)
        first = cache.visit(sent(said(document, part("What is it?"))))
        second = cache.visit(sent(said(document, part("Who wrote it?"))))

        assert first == 0
        assert (second > 200) is found


def test_a_mark_is_no_part_of_the_prompt() -> None:
    """It costs no token, and a request without it finds what one with it has written."""
    cache = PrefixCache()
    marked, bare = (sent(said(part("A poem. ", mark), role="developer")) for mark in (EXPLICIT, None))
    cache.visit(marked)

    assert count_input(marked) == count_input(bare) == cache.visit(bare)


def test_the_latest_are_written() -> None:
    """Of more breakpoints than are written, the first are not found by a request that goes another way after them."""
    marks = [said(part(f"{n}" * 400, EXPLICIT)) for n in range(WRITTEN + 1)]
    cache = PrefixCache()
    cache.visit(sent(*marks, said(part("end"))))
    other = said(part("other"))

    assert cache.visit(sent(*marks[:1], other)) == 0
    assert cache.visit(sent(*marks[:2], other)) > 200


def test_pieces() -> None:
    """An item is cut behind each breakpoint, and nothing of it is lost."""
    cut = said(part("a"), part("b", EXPLICIT), part("c", EXPLICIT), part("d"))
    texts = [[one["text"] for one in piece["content"]] for piece in split_at_marks(cut)]

    assert texts == [["a", "b"], ["c"], ["d"]]
    assert list(split_at_marks(CALL)) == [CALL]
    assert list(split_at_marks({"role": "user", "content": "x"})) == [{"role": "user", "content": "x"}]
