"""What is remembered of an hour and a day: sums of what was counted, by the labels that are looked at together.

All series of each slot would be hundreds of thousands of numbers where hundreds of clients have keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from pipeline.telemetry import semantics
from pipeline.telemetry.semantics import METRICS
from pipeline.telemetry.sums import add_to
from pipeline.telemetry.tally import Labels, Number, Snapshot


@attrs.frozen
class CountedView:
    """Sums of one metric.

    Attributes:
        metric: its name; a counter or a histogram.
        labels: those that are kept apart.
        watchers: whether requests of whoever merely watches are in it.
    """

    metric: str
    labels: tuple[str, ...] = ()
    watchers: bool = True

    def of(self, numbers: Snapshot) -> Mapping[Labels, Number]:
        """Sum what was counted."""
        names = METRICS[self.metric].labels
        places = [names.index(label) for label in self.labels]
        total: dict[str, dict[Labels, Number]] = {self.metric: {}}
        for labels, number in numbers.get(self.metric, {}).items():
            if self.watchers or labels[names.index(semantics.ROUTE)] not in semantics.WATCHING:
                add_to(total, {self.metric: {tuple(labels[place] for place in places): number}})
        return total[self.metric]


OUTCOMES: Final = "outcomes"
"""Requests by how they ended, without those of whoever watches."""
COST_BY_MODEL, COST_BY_CLIENT = "cost by model", "cost by client"
"""Cost, twice."""
TOKENS_BY_KIND, TOKENS_BY_MODEL, TOKENS_BY_CLIENT = "tokens by kind", "tokens by model", "tokens by client"
"""Tokens by their kind alone, and by whose they are besides."""
CACHE, UPSTREAM, FIRST_CONTENT = "cache", "upstream", "first content"
"""What the cache did, what the upstream said, and how long first contents took."""

VIEWS: Mapping[str, CountedView] = MappingProxyType(
    {
        OUTCOMES: CountedView(semantics.REQUESTS, (semantics.OUTCOME,), watchers=False),
        COST_BY_MODEL: CountedView(semantics.COST, (semantics.MODEL,)),
        COST_BY_CLIENT: CountedView(semantics.COST, (semantics.CLIENT,)),
        TOKENS_BY_KIND: CountedView(semantics.TOKENS, (semantics.TOKEN_TYPE,)),
        TOKENS_BY_MODEL: CountedView(semantics.TOKENS, (semantics.MODEL, semantics.TOKEN_TYPE)),
        TOKENS_BY_CLIENT: CountedView(semantics.TOKENS, (semantics.CLIENT, semantics.TOKEN_TYPE)),
        CACHE: CountedView(semantics.CACHED, (semantics.CACHE,)),
        UPSTREAM: CountedView(semantics.UPSTREAM, (semantics.UPSTREAM_OUTCOME,)),
        FIRST_CONTENT: CountedView(semantics.FIRST_CONTENT),
    }
)
"""All of them, by name."""


def views_of(numbers: Snapshot) -> Snapshot:
    """What is remembered of these numbers, by the names of views."""
    return {name: found for name, view in VIEWS.items() if (found := view.of(numbers))}
