"""What the requests behind one answer have used: an answer may take several, each with a model and a price of its own.

Only such answers have any of this; of all others the end of the message tells everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from stages.canonical.events import Usage
from stages.tables.prices import Price, cost_at

SHARES = "shares"
"""What each model has used, in what is told of a request that took several; its line in the log has the sums alone."""

TOKEN_KINDS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
"""The kinds of tokens, by the names that the log has for them."""

_COST = "cost_usd"


@attrs.frozen
class Billing:
    """By what the tokens of an upstream request are accounted for.

    Attributes:
        asked: the name of the model that was asked for, or `other`.
        used: the upstream's name of it, or `other`.
        price: what it costs; None where nobody knows.
        tier: the `service_tier` that was asked for.
    """

    asked: str
    used: str
    price: Price | None = None
    tier: str | None = None


@attrs.define
class Spending:
    """Adds up what the requests behind one answer have used, by model.

    Attributes:
        requests: how many there were.
    """

    requests: int = 0
    _models: dict[tuple[str, str], dict[str, Any]] = attrs.field(factory=dict, init=False)

    def add(self, billing: Billing, usage: Usage) -> None:
        """Add one request, which has been answered."""
        self.requests += 1
        names = {"asked_model": billing.asked, "upstream_model": billing.used}
        unused = {**names, **dict.fromkeys(TOKEN_KINDS, 0), _COST: 0.0}
        share = self._models.setdefault((billing.asked, billing.used), unused)
        for name in TOKEN_KINDS:
            share[name] += getattr(usage, name)
        cost = cost_at(billing.price, usage, billing.tier)
        share[_COST] = None if cost is None or share[_COST] is None else share[_COST] + cost

    def totals(self) -> dict[str, Any]:
        """Return what the log says: tokens of all of them, their number, and the cost where each of them has one."""
        shares = list(self._models.values())
        sums = {name: sum(share[name] for share in shares) for name in TOKEN_KINDS}
        costs = [share[_COST] for share in shares]
        return {**sums, "upstream_requests": self.requests, **_priced(None if None in costs else sum(costs))}

    def shares(self) -> list[dict[str, Any]]:
        """Return what each model has used, with both of its names; without a cost where that is not known."""
        return [
            {name: value for name, value in share.items() if name != _COST} | _priced(share[_COST])
            for share in self._models.values()
        ]


def _priced(cost: float | None) -> dict[str, float]:
    return {} if cost is None else {_COST: round(cost, 6)}


def shares_of(fields: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What each model has used in a request; mostly there is one, and the request's fields say it."""
    shares: Sequence[Mapping[str, Any]] = fields.get(SHARES) or (fields,)
    return shares
