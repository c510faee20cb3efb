"""What the page says at one moment: its figures, pictures and tables, out of what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from pipeline.endpoints.page import digest
from pipeline.endpoints.page.charts import Chart
from pipeline.endpoints.page.document import Figure, PageTable, changing
from pipeline.telemetry import names, semantics, views
from pipeline.telemetry.recent import Recent
from pipeline.telemetry.tally import Snapshot

_HEALTHY = 0.95
# Of the upstream's answers; below that somebody should look.


@attrs.frozen
class Moment:
    """What was counted, as it is at one moment, so that another thread can read it.

    Attributes:
        numbers: all of them now.
        slots: what was counted in each stretch of time, oldest first, by the names of views.
        total: the same in all of them.
        seconds: how long a stretch is.
        when: now.
    """

    numbers: Snapshot
    slots: Sequence[Snapshot]
    total: Snapshot
    seconds: float
    when: datetime

    @classmethod
    def of(cls, numbers: Snapshot, recent: Recent, span: str) -> Moment:
        """Take a look; `span` is one of `document.SPANS`."""
        ring = recent.hour if span == "hour" else recent.day
        return cls(numbers, ring.slots, ring.total(), ring.seconds, datetime.now().astimezone())


def page_content(moment: Moment) -> str:
    """Write what changes while the page is open; takes some milliseconds, and more with many clients."""
    return changing(_figures(moment), _charts(moment), _tables(moment))


def _figures(moment: Moment) -> list[Figure]:
    total = moment.total
    ended = {digest.answered(outcome): 0.0 for outcome in (names.OK, names.CLIENT_LEFT, "")}
    for outcome, number in digest.by(total, views.OUTCOMES).items():
        ended[digest.answered(outcome)] += number
    health, said = _health(total)
    cost = sum(digest.by(total, views.COST_BY_MODEL).values())
    return [
        *_workers(moment.numbers),
        Figure("running now", digest.short_number(_gauge(moment.numbers, semantics.RUNNING))),
        Figure("streaming", digest.short_number(_gauge(moment.numbers, semantics.STREAMS))),
        Figure("answered", digest.short_number(ended["answered"])),
        Figure("failed", digest.short_number(ended["failed"]), "bad" if ended["failed"] else ""),
        Figure("cost", digest.dollars(cost)),
        Figure("first content", digest.median_of(total, views.FIRST_CONTENT)),
        Figure("upstream", said, health),
    ]


def _workers(numbers: Snapshot) -> list[Figure]:
    """How many processes these numbers are of, where there are several, and which of them end or have fallen silent."""
    workers, late = _gauge(numbers, semantics.WORKERS), _gauge(numbers, semantics.WORKERS_SILENT)
    apart = {"draining": _gauge(numbers, semantics.WORKERS_DRAINING), "silent": late}
    told = ", ".join([f"{workers:.0f}", *(f"{number:.0f} {what}" for what, number in apart.items() if number)])
    return [Figure("workers", told, "bad" if late else "")] if workers > 1 or late else []


def _gauge(numbers: Snapshot, name: str) -> float:
    number = numbers.get(name, {}).get((), 0.0)
    return number if isinstance(number, float) else 0.0


def _health(total: Snapshot) -> tuple[str, str]:
    """Say how the upstream does: whether that is good, and which part of its answers were."""
    answers = digest.by(total, views.UPSTREAM)
    every = sum(answers.values())
    if not every:
        return "", "not asked"
    share = answers.get(names.OK, 0.0) / every
    return "ok" if share >= _HEALTHY else "bad", f"{100 * share:.1f} % ok"


def _charts(moment: Moment) -> list[Chart]:
    shown = (
        ("Requests", views.OUTCOMES, digest.answered, digest.short_number),
        ("Cost by model", views.COST_BY_MODEL, str, digest.dollars),
        ("Tokens", views.TOKENS_BY_KIND, _words, digest.short_number),
        ("Cost by client", views.COST_BY_CLIENT, _client, digest.dollars),
        ("What the cache did", views.CACHE, _words, digest.short_number),
        ("What the upstream said", views.UPSTREAM, str, digest.short_number),
    )
    when = _times(moment)
    return [
        Chart(title, digest.parts(moment.slots, view, named), written, when) for title, view, named, written in shown
    ]


def _tables(moment: Moment) -> list[PageTable]:
    total = moment.total
    usage = ("prompt", "cached", "answer", "cost")
    outcomes = digest.by(total, views.OUTCOMES)
    failed = {outcome: number for outcome, number in outcomes.items() if digest.answered(outcome) == "failed"}
    cache = digest.by(total, views.CACHE)
    upstream = digest.by(total, views.UPSTREAM)
    health = digest.health_rows(moment.numbers, moment.when.timestamp())
    return [
        PageTable(
            "Tokens and cost by model",
            ("model", *usage),
            digest.usage_rows(total, views.TOKENS_BY_MODEL, views.COST_BY_MODEL),
        ),
        PageTable(
            "Tokens and cost by client",
            ("client", *usage),
            digest.usage_rows(total, views.TOKENS_BY_CLIENT, views.COST_BY_CLIENT),
        ),
        PageTable("Errors by kind", ("kind", "requests"), digest.count_rows(failed)),
        PageTable("What the cache did", ("outcome", "answers"), digest.count_rows(cache, _words)),
        PageTable("What the upstream said", ("answer", "times"), digest.count_rows(upstream)),
        PageTable("How the upstream does", ("host", "answered well", "failed", "with"), health, "not asked yet"),
    ]


def _times(moment: Moment) -> list[str]:
    """When each slot was, by the clock on the server's wall."""
    count = len(moment.slots)
    return [f"{moment.when - timedelta(seconds=moment.seconds * ago):%H:%M}" for ago in range(count - 1, -1, -1)]


def _client(name: str) -> str:
    return name or digest.NOBODY


def _words(word: str) -> str:
    return semantics.IN_WORDS.get(word, word)
