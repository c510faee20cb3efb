"""What each client session has used so far, for the client's status line: sums by model, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
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

    def join(self, other: ModelUsage) -> None:
        """Add what the same model has done elsewhere."""
        self.requests += other.requests
        self.priced = self.priced and other.priced
        for name in _SUMMED:
            self.sums[name] += other.sums[name]


def plain_usage(models: Iterable[ModelUsage]) -> list[dict[str, Any]]:
    """Turn models into what JSON can say."""
    return [attrs.asdict(model) for model in models]


def usage_read(plain: Iterable[Mapping[str, Any]]) -> list[ModelUsage]:
    """Read what `plain_usage` made."""
    return [ModelUsage(**model) for model in plain]


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
        for share in reversed(shares_of(fields)):  # the model that was asked for is the last that was heard of
            self._model(key, str(share.get("asked_model")), str(share.get("upstream_model"))).add(share)

    def join(self, key: Key, models: Iterable[ModelUsage]) -> None:
        """Add what a session has used elsewhere, the model that was heard of last first."""
        for model in reversed(list(models)):
            self._model(key, model.asked, model.used).join(model)

    def take(self) -> Iterator[tuple[Key, list[ModelUsage]]]:
        """Hand out everything, in the order that `join` wants; it is forgotten here."""
        while self._sessions:
            key, models = self._sessions.popitem(last=False)
            yield key, list(reversed(models.values()))

    def of(self, client: str, session: str) -> list[ModelUsage]:
        """Return what a session has used, the model that was heard of last first; empty where it is not known."""
        return list(reversed(self._sessions.get((client, session), OrderedDict()).values()))

    def _model(self, key: Key, asked: str, used: str) -> ModelUsage:
        models = self._sessions.setdefault(key, OrderedDict())
        self._sessions.move_to_end(key)
        model = models.setdefault((asked, used), ModelUsage(asked, used))
        models.move_to_end((asked, used))
        if len(models) > MAX_SESSION_MODELS:
            models.popitem(last=False)
        if len(self._sessions) > self.most:
            self._sessions.popitem(last=False)
        return model
