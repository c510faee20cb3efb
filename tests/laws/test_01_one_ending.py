"""Law 1. One ending: every message ends exactly once, with `message_stop` or with one `error`."""

from __future__ import annotations

from functools import partial

import trio
from hypothesis import given
from hypothesis import strategies as st

from tests.support import grammar
from tests.support.running import TIGHT, answer
from tests.support.streams import Stream, agree, streams


@given(stream=streams(), capacity=st.sampled_from(TIGHT))
def test_a_message_ends_exactly_once(stream: Stream, capacity: int) -> None:
    """Whatever the upstream says, the client's stream has one ending, and it is the right one."""
    reply = trio.run(partial(answer, stream.body, capacity=capacity))
    assert reply.ended
    if reply.status != 200:
        assert stream.stop_reason is None
        assert reply.json()["type"] == "error"
        return
    told = grammar.read(reply.body)
    assert told.ended
    agree(told, stream)
