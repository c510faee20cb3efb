"""What a client sent, sorted into conversations, and the prefix law (law 9) over each of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from stages.wire import json
from tests.support.recorder import Exchange

_SETTINGS = ("instructions", "tools", "include", "store")


@attrs.frozen
class Conversation:
    """Requests to the upstream whose inputs begin alike, oldest first."""

    requests: list[Exchange]

    @property
    def beginning(self) -> str:
        """What the user said first, as JSON."""
        return _beginning(self.requests[0])

    @property
    def tools(self) -> list[str]:
        """The names of the functions that were offered at first; side calls of the client offer none."""
        return [tool.get("name", "") for tool in self.requests[0].request.get("tools") or []]

    @property
    def breach(self) -> str | None:
        """Where a request does not begin with the one before it, byte for byte; None where all do."""
        for before, after in zip(self.requests, self.requests[1:], strict=False):
            for name in _SETTINGS:
                if json.encode(before.request.get(name)) != json.encode(after.request.get(name)):
                    return f"{name} changed between turns"
            old, new = _encoded(before.input), _encoded(after.input)
            if new[: len(old)] != old:
                place = next((i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), len(new))
                return f"item {place} of {len(old)} changed between turns"
        return None

    def last(self, kind: str) -> list[dict[str, Any]]:
        """The items of one type in the last request."""
        return [item for item in self.requests[-1].input if item["type"] == kind]


def conversations(exchanges: Iterable[Exchange]) -> list[Conversation]:
    """Sort requests by session and by how they begin: model, system prompt, and what the user said first."""
    sorted_out: dict[tuple[str, ...], list[Exchange]] = {}
    for exchange in exchanges:
        session = exchange.request.get("prompt_cache_key", "")
        key = (session, exchange.request["model"], _encoded(exchange.input[:1])[0], _beginning(exchange))
        sorted_out.setdefault(key, []).append(exchange)
    return [Conversation(requests) for requests in sorted_out.values()]


def _beginning(exchange: Exchange) -> str:
    return next(json.encode(item).decode() for item in exchange.input if item.get("role") == "user")


def _encoded(items: list[dict[str, Any]]) -> list[str]:
    return [json.encode(item).decode() for item in items]
