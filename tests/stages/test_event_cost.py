"""What an event costs all the stages that it passes, from its bytes to the client's, counted: the same everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.plan import AnswerPlan
from stages.correlator import Ledger
from stages.encoder import Encoder
from stages.upstream_reader import Framing
from tests.support.counting import calls_of
from tests.support.upstream_events import CREATED, text

MANY = 400

ALONE = 43
"""Calls that a read with one event may cost; it was 54 when each event was looked for twice, and made by attrs."""

TOGETHER = 3.5
"""Calls that an event may cost which comes with many like it; it was 8."""


@pytest.mark.parametrize(("events", "most"), [(1, ALONE), (MANY, TOGETHER)], ids=["alone", "together"])
def test_an_event_passes_all_stages(events: int, most: float) -> None:
    """Framing, ledger and encoder: what models say all the time."""
    plan = AnswerPlan("msg_1", "m", "u")
    framing, ledger, encoder, written = Framing(), Ledger(plan), Encoder(plan, "req_1"), list[bytes]()

    def read(chunk: bytes) -> None:
        written.append(encoder.encode(list[Any](ledger.read(tuple(framing.feed(chunk))))))

    read(CREATED + text("hi"))
    chunk = text("ho") * events
    cost = calls_of(lambda: read(chunk))

    assert written[-1].count(b'"ho"') == events
    assert cost <= most * events
