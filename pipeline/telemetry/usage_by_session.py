"""What each client session has used so far, for the client's status line: sums by model, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import attrs

from pipeline.telemetry.spending import TOKEN_KINDS, shares_of

MAX_SESSIONS = 1000
"""Sessions that are remembered; the one that was heard of longest ago is forgotten first."""

MAX_SESSION_MODELS = 16
"""Models of one session that are told apart."""

Key = tuple[str, str]
"""Whose session it is, by the name of the client's key, and the session's mark."""

_SUMMED = (*TOKEN_KINDS, "cost_usd")


@attrs.define
class ModelUsage:
    """What one model has done in a session.

    Attributes:
        asked: the name that the client asked for, or `other`.
        used: the upstream's name for it, or `other`.
        requests: how many were answered.
        sums: tokens by kind, and the cost in dollars, by the names that the log has for them.
        priced: whether the cost of each request was known.
    """

    asked: str
    used: str
    requests: int = 0
    sums: dict[str, float] = attrs.field(factory=lambda: dict.fromkeys(_SUMMED, 0))
    priced: bool = True

    def add(self, fields: Mapping[str, Any]) -> None:
        """Add one answered request, or a share of one, by what its log line says."""
        self.requests += 1
        self.priced = self.priced and "cost_usd" in fields
        for name in _SUMMED:
            self.sums[name] += fields.get(name, 0)


@attrs.define(eq=False)
class UsageBySession:
    """The sessions that were heard of latest.

    Attributes:
        most: how many are remembered.
    """

    most: int = MAX_SESSIONS
    _sessions: OrderedDict[Key, OrderedDict[tuple[str, str], ModelUsage]] = attrs.field(factory=OrderedDict, init=False)

    def add(self, fields: Mapping[str, Any]) -> None:
        """Add a request that is over, if it was answered and tells its session.

        Args:
            fields: what its log line says.
        """
        if not fields.get("session") or "output_tokens" not in fields:
            return
        key = str(fields.get("client", "")), str(fields["session"])
        models = self._sessions.setdefault(key, OrderedDict())
        self._sessions.move_to_end(key)
        for share in reversed(shares_of(fields)):  # the model that was asked for is the last that was heard of
            names = str(share.get("asked_model")), str(share.get("upstream_model"))
            models.setdefault(names, ModelUsage(*names)).add(share)
            models.move_to_end(names)
        while len(models) > MAX_SESSION_MODELS:
            models.popitem(last=False)
        if len(self._sessions) > self.most:
            self._sessions.popitem(last=False)

    def of(self, client: str, session: str) -> list[ModelUsage]:
        """Return what a session has used, the model that was heard of last first; empty where it is not known."""
        return list(reversed(self._sessions.get((client, session), OrderedDict()).values()))
