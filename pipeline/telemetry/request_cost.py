"""The cost of one request: when its answer is over, what it came to, and how well the cache served it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import trio

from pipeline.telemetry.prompt_history import AnsweredTurn, Comparison, PromptHistory, conversation_key
from stages.canonical.events import Usage
from stages.prompt_fingerprint import PromptFingerprint, fingerprint_of
from stages.tables.prices import Price, cost_at, price_of

MIN_CACHED_TOKENS = 1024
"""Tokens of a prompt that the upstream caches at least."""

SLACK = 256
"""Tokens that may be missing from a hit: the upstream counts in steps of 128, and the end of a prompt is not cached."""

_OURS = "stop_sequence"
# An answer that is stopped here has left the upstream before that told its usage; what is told is our estimate.


@attrs.frozen
class RequestCost:
    """What is known of a request when it is sent.

    Attributes:
        history: gets the turn once it is answered.
        key: tells its conversation apart.
        message_id: the id of the answer.
        model: the upstream's name for the model.
        tier: the `service_tier` that was asked for.
        prefix: the fingerprints of what is sent.
        seen: how it differs from the turn that it follows.
        clock: tells the time in seconds.
        price: what the model costs; its list price unless somebody knows better.
    """

    history: PromptHistory
    key: str
    message_id: str
    model: str
    tier: str | None
    prefix: PromptFingerprint
    seen: Comparison
    clock: Callable[[], float] = trio.current_time
    price: Price | None = attrs.field(default=attrs.Factory(lambda own: price_of(own.model), takes_self=True))

    def close(self, values: Mapping[str, int | str], *, healed: bool = False) -> dict[str, Any]:
        """Say what the log says of an answer that is over: `cache_hit_rate`, `cache_miss`, `cost_usd`.

        A field that cannot be told is left out; so is the reason of a miss where there was none to explain.

        Args:
            values: the facts of the message's end, by name.
            healed: whether something else than the fingerprinted prompt was sent in the end.
        """
        usage = _usage(values)
        read = usage.cache_read_input_tokens
        prompt = usage.input_tokens + read + usage.cache_creation_input_tokens
        if values.get("stop_reason") == _OURS or not prompt:
            return {}
        fields: dict[str, Any] = {"cache_hit_rate": round(read / prompt, 3)}
        spent = cost_at(self.price, usage, self.tier)
        if spent is not None:
            fields["cost_usd"] = round(spent, 6)
        if not healed:
            if reason := self._miss(prompt, read):
                fields["cache_miss"] = reason
            self.history.keep(self.key, AnsweredTurn(self.message_id, self.prefix, prompt, self.clock()))
        return fields

    def _miss(self, prompt: int, read: int) -> str:
        """Say why less was read from the cache than the turn before had left there; empty if it was not less."""
        seen = self.seen
        if seen.before is None or seen.shortened or min(prompt, seen.before.tokens) < MIN_CACHED_TOKENS:
            return ""
        expected = seen.before.tokens
        if read >= expected - max(SLACK, expected // 10):
            return ""
        if seen.change is not None:
            return f"prefix changed at {seen.change}"
        return f"upstream forgot, {self.clock() - seen.before.at:.0f} s after the turn before"


def open_request_cost(
    history: PromptHistory,
    body: Mapping[str, Any],
    message_id: str,
    prefix: PromptFingerprint | None = None,
    price: Callable[[str], Price | None] = price_of,
) -> RequestCost:
    """Begin to follow what an upstream request costs.

    Args:
        history: the turns that are known.
        body: the request.
        message_id: the id that its answer will have.
        prefix: its fingerprints, where they are known already.
        price: says what a model costs.
    """
    prefix = prefix or fingerprint_of(body)
    key = conversation_key(body, prefix)
    model, tier, seen = str(body["model"]), body.get("service_tier"), history.follow(key, prefix)
    return RequestCost(history, key, message_id, model, tier, prefix, seen, price=price(model))


def _usage(values: Mapping[str, int | str]) -> Usage:
    def count(name: str) -> int:
        return int(values.get(name, 0))

    return Usage(
        input_tokens=count("input_tokens"),
        cache_read_input_tokens=count("cache_read_input_tokens"),
        cache_creation_input_tokens=count("cache_creation_input_tokens"),
        output_tokens=count("output_tokens"),
        long_lived_tokens=count("long_lived_tokens"),
    )
