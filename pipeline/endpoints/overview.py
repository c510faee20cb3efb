"""What can be asked about all that was counted: the text of `/metrics`, the page, what a session has used.

A process that serves alone answers from its own numbers. One of several hands the question to its supervisor, who has
those of all, and answers by the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import trio

from pipeline.endpoints.page.content import Moment, page_content
from pipeline.endpoints.running import RETRY_AFTER
from pipeline.telemetry import semantics
from pipeline.telemetry.counted import Counted, CountQuestion
from pipeline.telemetry.exposition import exposition
from pipeline.telemetry.tally import Snapshot
from pipeline.telemetry.usage_by_session import plain_usage
from stages.canonical.failure import Failure, Kind
from stages.wire import json

OF, METRICS, PAGE, USAGE = "of", "metrics", "page", "usage"
"""The word of a question that says what it is about, and what that may be."""

SPAN, CLIENT, SESSION = "span", "client", "session"
"""Words of questions about the page, and about a session."""

UNANSWERED = Failure(
    Kind.OVERLOADED,
    "The process that watches over the workers, and knows the numbers of all, did not answer in time; ask again.",
    retry_after=RETRY_AFTER,
)
"""Why a question has no answer."""


_FEW = 200
# Series that are written within a millisecond or two; for more, a thread is worth its hop.

_Work = tuple[int, Callable[[], str]]
# How many series an answer is made of, and what writes it.


async def overview(counted: Counted, question: CountQuestion) -> str:
    """Answer a question; what takes milliseconds is done in a thread, which it waits for."""
    size, write = _ANSWERS[question[OF]](counted, question)
    return write() if size <= _FEW else await trio.to_thread.run_sync(write)


def _metrics(counted: Counted, _: CountQuestion) -> _Work:
    numbers = counted.numbers()
    return _size(numbers), partial(exposition, numbers, semantics.METRICS)


def _page(counted: Counted, question: CountQuestion) -> _Work:
    counted.recent.note()
    moment = Moment.of(counted.numbers(), counted.recent, question[SPAN])
    return sum(map(_size, moment.slots)), partial(page_content, moment)


def _usage(counted: Counted, question: CountQuestion) -> _Work:
    models = counted.usage.of(question[CLIENT], question[SESSION])
    return 0, lambda: json.encode(plain_usage(models)).decode()


def _size(snapshot: Snapshot) -> int:
    return sum(map(len, snapshot.values()))


_ANSWERS: Mapping[str, Callable[[Counted, CountQuestion], _Work]] = {METRICS: _metrics, PAGE: _page, USAGE: _usage}
# Each looks at once, on the loop, and leaves the writing for later.
