"""A request that is over becomes numbers: what its log line says is counted, by words of tables alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.telemetry import names, semantics
from pipeline.telemetry.spending import shares_of
from pipeline.telemetry.tally import Tally
from stages.canonical.failure import Kind
from stages.tables.errors import OWN_CAUSES
from stages.tables.models import RELEASES

_FIRST_OK, _FIRST_MOVED = 200, 300
_STATUSES = range(300, 600)
# Of an upstream: any may come, and a few do.

_UNWELL = frozenset(
    kind.name.lower()
    for kind in (
        *(Kind.UPSTREAM, Kind.UNAVAILABLE, Kind.TIMEOUT, Kind.OVERLOADED),
        *(Kind.RATE_LIMIT, Kind.QUOTA, Kind.BILLING, Kind.MISCONFIGURED),
    )
)
# Ends of requests that an upstream is to blame for, or whoever runs it: not what a client has done wrong.

_MISSES = {"prefix changed": semantics.CHANGED, "upstream forgot": semantics.FORGOTTEN}


def tally_of() -> Tally:
    """Make what requests are counted in; what no table has counts as `other`, and the routes are still to be told."""
    outcomes = {
        names.OK,
        names.CLIENT_LEFT,
        names.CLIENT_STALLED,
        names.SERVER_STOPPED,
        names.OVERDUE,
        *(kind.name.lower() for kind in Kind),
    }
    words = {
        semantics.ROUTE: frozenset({semantics.BATCHED}),
        semantics.STATUS: frozenset({"200", *(str(kind.status) for kind in Kind)}),
        semantics.OUTCOME: frozenset(outcomes),
        semantics.MODEL: frozenset(release.id for release in RELEASES),
        semantics.TOKEN_TYPE: frozenset(semantics.TOKEN_TYPES),
        semantics.UPSTREAM_OUTCOME: frozenset({names.OK, *map(str, _STATUSES), *OWN_CAUSES}),
        semantics.CACHE: frozenset({semantics.HIT, semantics.COLD, *_MISSES.values()}),
    }
    return Tally(semantics.METRICS, words)


def count_request(tally: Tally, fields: Mapping[str, Any], server: str, clock: Callable[[], float] = time.time) -> None:
    """Count a request.

    Args:
        tally: gets the numbers.
        fields: what its log line says.
        server: the upstream's host.
        clock: tells the time, in seconds of Unix time.
    """
    outcome = str(fields["outcome"])
    client = str(fields.get("client", ""))
    tally.add(semantics.REQUESTS, (str(fields.get("route")), str(fields.get("status")), outcome, client))
    if "attempts" in fields:
        _count_upstream(tally, fields, server, clock)
    if "upstream_model" not in fields:
        return
    model = str(fields["upstream_model"])
    tally.observe(semantics.DURATION, (model, outcome), fields["seconds"])
    if "first_byte_seconds" in fields:
        tally.observe(semantics.FIRST_BYTE, (model,), fields["first_byte_seconds"])
    if "first_content_seconds" in fields:
        tally.observe(semantics.FIRST_CONTENT, (model,), fields["first_content_seconds"])
    for share in shares_of(fields):
        _count_share(tally, share, client)
    if "cache_hit_rate" in fields:
        tally.add(semantics.CACHED, (model, _cache(fields)))


def _count_upstream(tally: Tally, fields: Mapping[str, Any], server: str, clock: Callable[[], float]) -> None:
    """Count the upstream's last word: `ok`, its status, or why none came or it broke off; and when that was."""
    status, cause, unwell = fields.get("upstream_status"), str(fields.get("cause", "")), fields["outcome"] in _UNWELL
    good = status is not None and _FIRST_OK <= status < _FIRST_MOVED
    word = cause if status is None or (good and unwell) else names.OK if good else str(status)
    tally.add(semantics.UPSTREAM, (server, word))
    if unwell:
        tally.put(semantics.LAST_FAILURE, (server, word), clock())
    elif good:
        tally.put(semantics.LAST_ANSWER, (server,), clock())


def _count_share(tally: Tally, share: Mapping[str, Any], client: str) -> None:
    """Count what one model has used."""
    model = str(share["upstream_model"])
    for kind, fact in semantics.TOKEN_TYPES.items():
        if share.get(fact):
            tally.add(semantics.TOKENS, (model, client, kind), share[fact])
    if "cost_usd" in share:
        tally.add(semantics.COST, (model, client), share["cost_usd"])


def _cache(fields: Mapping[str, Any]) -> str:
    miss = str(fields.get("cache_miss", ""))
    why = next((word for begin, word in _MISSES.items() if miss.startswith(begin)), None)
    return why or (semantics.HIT if fields["cache_hit_rate"] else semantics.COLD)
