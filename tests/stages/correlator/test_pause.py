"""Where the books say that much is to come, and how what comes of it is handed on in small pieces."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from stages.canonical.events import ArgumentsDelta, MessageEnd, TextDelta, TextStart, ThinkingDelta
from stages.correlator.ledger import Ledger
from stages.correlator.pause import MANY, PAUSE, SLICE, STRETCH, divided, stretch
from stages.correlator.track import Track
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


@pytest.mark.parametrize("later", [False, True], ids=["never", "later"])
def test_what_follows_such_an_end_costs_nothing(*, later: bool) -> None:
    """Where the tokens are missing, the message was summed up before: its items are not looked at again."""

    def after(count: int) -> int:
        ledger, said = Ledger(PLAN), list[Any]()
        list(ledger.feed(_ending(count)))
        usage = StreamEvent("response.usage", response=responses_stream.dump({"usage": {"output_tokens": 7}}))
        steps = steps_of(lambda: said.extend(ledger.feed(usage) if later else ledger.cut()), MOST)
        assert [type(end) for end in said] == [MessageEnd]
        return steps

    assert after(20 * MANY) == after(MANY)


def test_an_end_lets_go_of_the_items() -> None:
    """They are freed where the end is worked out, beside the loop, and not all at once when the request is over."""

    def held() -> int:
        return sum(isinstance(one, Track) for one in gc.get_objects())

    ledger, before = Ledger(PLAN), held()
    list(ledger.feed(_ending(2 * MANY)))
    assert ledger.ended
    assert held() <= before


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
