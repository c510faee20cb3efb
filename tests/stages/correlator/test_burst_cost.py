"""What an event costs that comes with many like it in one read, counted: the same on every machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stages.canonical.events import ArgumentsDelta, TextDelta
from stages.canonical.plan import AnswerPlan
from stages.correlator import Ledger
from stages.upstream_reader import Framing
from stages.wire.responses_stream import StreamEvent
from tests.support.counting import calls_of
from tests.support.upstream import events as framed
from tests.support.upstream_events import CREATED, call, text

MANY = 400
CALLS = 1.2
"""Calls that such an event may cost the ledger: it is handed over. It was 11 when each was taken by itself."""


def arguments(piece: str) -> bytes:
    """More of the arguments of a call."""
    kind = "response.function_call_arguments.delta"
    return framed({"type": kind, "item_id": "fc_0", "output_index": 0, "delta": piece})


def events(*pieces: bytes) -> tuple[StreamEvent, ...]:
    """Read pieces of a body in one go."""
    return tuple(event for event in Framing().feed(CREATED + b"".join(pieces)) if isinstance(event, StreamEvent))[1:]


@pytest.mark.parametrize(
    ("begun", "piece", "kind"), [(text, text, TextDelta), (call, arguments, ArgumentsDelta)], ids=["text", "call"]
)
def test_a_run_is_taken_in_one_step(begun: Callable[[str], bytes], piece: Callable[[str], bytes], kind: type) -> None:
    """One look at the first of them decides for all; each still leaves as a piece of its own."""
    ledger, run = Ledger(AnswerPlan("msg_1", "m", "u")), events(*[piece("ha ")] * MANY)
    said = list(ledger.read(events(begun("{"))))
    cost = calls_of(lambda: said.extend(ledger.read(run)))

    assert [part for part in said[-MANY:] if type(part) is kind] == said[-MANY:]
    assert cost < CALLS * MANY
