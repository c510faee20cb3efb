"""A request that is over becomes numbers: what its log line says is counted, by words of tables alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.telemetry import names, semantics
from pipeline.telemetry.tally import Tally
from stages.canonical.failure import Kind
from stages.tables.models import RELEASES

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
        semantics.STATUS: frozenset({"200", *(str(kind.status) for kind in Kind)}),
        semantics.OUTCOME: frozenset(outcomes),
        semantics.MODEL: frozenset(release.id for release in RELEASES),
        semantics.TOKEN_TYPE: frozenset(semantics.TOKEN_TYPES),
        semantics.CACHE: frozenset({semantics.HIT, semantics.COLD, *_MISSES.values()}),
    }
    return Tally(semantics.METRICS, words)


def count_request(tally: Tally, fields: Mapping[str, Any]) -> None:
    """Count a request.

    Args:
        tally: gets the numbers.
        fields: what its log line says.
    """
    outcome = str(fields["outcome"])
    tally.add(semantics.REQUESTS, (str(fields.get("route")), str(fields.get("status")), outcome))
    if "upstream_model" not in fields:
        return
    model = str(fields["upstream_model"])
    tally.observe(semantics.DURATION, (model, outcome), fields["seconds"])
    if "first_byte_seconds" in fields:
        tally.observe(semantics.FIRST_BYTE, (model,), fields["first_byte_seconds"])
    for kind, fact in semantics.TOKEN_TYPES.items():
        if fields.get(fact):
            tally.add(semantics.TOKENS, (model, kind), fields[fact])
    if "cost_usd" in fields:
        tally.add(semantics.COST, (model,), fields["cost_usd"])
    if "cache_hit_rate" in fields:
        tally.add(semantics.CACHED, (model, _cache(fields)))


def _cache(fields: Mapping[str, Any]) -> str:
    miss = str(fields.get("cache_miss", ""))
    why = next((word for begin, word in _MISSES.items() if miss.startswith(begin)), None)
    return why or (semantics.HIT if fields["cache_hit_rate"] else semantics.COLD)
