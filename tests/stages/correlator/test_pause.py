"""Work on thousands of items is interrupted, so that nobody waits for all of it."""

from __future__ import annotations

from typing import Any

import pytest

from stages.correlator.ledger import Ledger
from stages.correlator.pause import EVERY, PAUSE
from stages.wire import responses_stream
from stages.wire.responses_stream import StreamEvent
from tests.stages.correlator.items import PLAN
from tests.support.steps import steps_of

MOST = 1_000_000
"""Steps of the interpreter after which a test gives up."""


LOOK = 400
"""Steps that the end may take for each item: to read one takes thousands."""


def _ending(count: int) -> StreamEvent:
    parts = [{"type": "output_text", "text": "lorem ipsum", "annotations": []}]
    output: list[Any] = [{"type": "message", "id": f"msg_{at}", "content": parts} for at in range(count)]
    response = responses_stream.dump({"status": "completed", "output": output})
    return StreamEvent("response.completed", response=response)


@pytest.mark.parametrize("told", [False, True], ids=["new", "told before"])
def test_the_longest_work_between_two_pauses(*, told: bool) -> None:
    """It hardly grows with the items: what is left for the end is a look at each."""

    def longest(count: int) -> int:
        ledger = Ledger(PLAN)
        ending = _ending(count)
        if told:
            for index, item in enumerate(responses_stream.decode_final(ending.response).output or ()):
                list(ledger.feed(StreamEvent("response.output_item.done", item=item, output_index=index)))
        said = ledger.feed(ending)
        return _most(said)

    few, many = 2 * EVERY, 20 * EVERY
    assert longest(many) < longest(few) + LOOK * (many - few)


def _most(said: Any) -> int:
    most, ended = 0, False

    def one() -> None:
        nonlocal ended
        ended = next(said, None) is None

    while not ended:
        most = max(most, steps_of(one, MOST))
    return most


def test_a_small_answer_has_none() -> None:
    """A pause costs a turn of the scheduler."""
    assert all(part is not PAUSE for part in Ledger(PLAN).feed(_ending(EVERY - 1)))
