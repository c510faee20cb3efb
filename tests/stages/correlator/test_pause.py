"""Where the books say that much is to come, and how what comes of it is handed on in small pieces."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.events import ArgumentsDelta, TextDelta, TextStart, ThinkingDelta
from stages.correlator.ledger import Ledger
from stages.correlator.pause import MANY, PAUSE, SLICE, STRETCH, divided, stretch
from stages.wire import responses_stream
from stages.wire.responses_stream import StreamEvent
from tests.stages.correlator.items import PLAN
from tests.support.steps import steps_of

MOST = 1_000_000
"""Steps of the interpreter after which a test gives up."""


def _ending(count: int) -> StreamEvent:
    parts = [{"type": "output_text", "text": "lorem ipsum", "annotations": []}]
    output: list[Any] = [{"type": "message", "id": f"msg_{at}", "content": parts} for at in range(count)]
    response = responses_stream.dump({"status": "completed", "output": output})
    return StreamEvent("response.completed", response=response)


@pytest.mark.parametrize("told", [False, True], ids=["new", "told before"])
def test_an_end_of_many_items_says_so_first(*, told: bool) -> None:
    """What is done on the spot, before the pause, hardly grows with them."""

    def before(count: int) -> int:
        ledger, ending = Ledger(PLAN), _ending(count)
        if told:
            for index, item in enumerate(responses_stream.decode_final(ending.response).output or ()):
                list(ledger.feed(StreamEvent("response.output_item.done", item=item, output_index=index)))
            ending.response = responses_stream.dump({"status": "completed"})
        said = ledger.feed(ending)

        def one() -> None:
            assert next(iter(said)) is PAUSE

        return steps_of(one, MOST)

    assert before(20 * MANY) < 2 * before(MANY)


def test_a_small_answer_has_none() -> None:
    """A hop into a thread costs more than the work."""
    assert all(part is not PAUSE for part in Ledger(PLAN).feed(_ending(MANY - 1)))


@pytest.mark.parametrize("delta", [TextDelta, ThinkingDelta, ArgumentsDelta])
def test_long_texts_are_divided(delta: Any) -> None:
    """Into slices that add up, whatever stands around them; pauses are left out."""
    whole = "abc" * SLICE
    first, *slices, last = divided([TextStart(), PAUSE, delta(whole), delta("d")])

    assert (first, last) == (TextStart(), delta("d"))
    assert [type(one) for one in slices] == [delta] * 3
    assert "".join(getattr(one, one.__slots__[0]) for one in slices) == whole
    assert all(len(getattr(one, one.__slots__[0])) <= SLICE for one in slices)


def test_a_stretch_is_short() -> None:
    """In parts and in text; after the last there is none."""
    parts = iter([TextDelta("a")] * (STRETCH + 1) + [TextDelta("b" * SLICE)] * 2)

    assert [len(stretch(parts)) for _ in range(4)] == [STRETCH, 2, 1, 0]
