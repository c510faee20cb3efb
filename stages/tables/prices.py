"""What an answer costs: OpenAI's list prices by model, and the arithmetic of caches, tiers and long prompts.

Source: `docs/facts/models.md` (the price map of litellm 1.109.1, models.dev and the vendor's pages), as of
2026-11-18. Tokens alone are counted: server tools are billed by the call, and contracts differ from the list.
"""

from __future__ import annotations

import attrs

from stages.canonical.events import Usage
from stages.tables.model_names import bare, is_fine_tune, undated

LONG_PROMPT_TOKENS = 272_000
"""Prompt tokens above which the whole request costs more, for models that have a price for long prompts."""

LONG_INPUT = 2.0
"""What a long prompt multiplies: input, and what is read from the cache and written to it."""

LONG_OUTPUT = 1.5
"""What a long prompt multiplies the output with."""

LASTING_WRITE = 2.0
"""Writing for 12 hours, in prices of plain input; writing for 30 minutes has its own price."""

TIERS = {"auto": 1.0, "default": 1.0, "priority": 2.0, "fast": 2.0, "flex": 0.5, "batch": 0.5}
"""`service_tier`, and what it multiplies the whole with."""

_MILLION = 1_000_000


@attrs.frozen
class Price:
    """What one model costs, in dollars for a million tokens.

    Attributes:
        fresh: prompt tokens that no cache was involved in.
        read: prompt tokens read from the cache.
        written: prompt tokens written to it for 30 minutes; None where that costs no more than `fresh`.
        output: tokens of the answer, reasoning included.
        long: whether a long prompt makes the request dearer.
    """

    fresh: float
    read: float
    written: float | None
    output: float
    long: bool = True


PRICES = {
    "gpt-6.2-astra": Price(8, 0.40, 10, 40),  # nobody tells what writing costs; all others take 1.25 times their input
    "gpt-6.2-sol": Price(2, 0.10, 2.5, 10),
    "gpt-6.1-sol": Price(2, 0.10, 2.5, 10),
    "gpt-6.1-terra": Price(1, 0.05, 1.25, 5),
    "gpt-6-astra": Price(10, 1, 12.5, 50),
    "gpt-6-sol": Price(2, 0.2, 2.5, 10),
    "gpt-6-luna": Price(0.1, 0.01, 0.125, 0.5),
    "gpt-5.6": Price(4, 0.4, 5, 20),
    "gpt-5.6-sol": Price(4, 0.4, 5, 20),
    "gpt-5.6-terra": Price(2, 0.2, 2.5, 12),
    "gpt-5.6-luna": Price(0.2, 0.02, 0.25, 1.2),
    "gpt-5.5": Price(5, 0.5, None, 30),
    "gpt-5.4": Price(2.5, 0.25, None, 15),
    "gpt-5.4-mini": Price(0.75, 0.075, None, 4.5),
    "gpt-5.4-nano": Price(0.2, 0.02, None, 1.25),
    "gpt-5.3-codex": Price(1.75, 0.175, None, 14),
    "gpt-5.2": Price(1.75, 0.175, None, 14),
    "gpt-5.1": Price(1.25, 0.125, None, 10),
    "gpt-5": Price(1.25, 0.125, None, 10),
    "gpt-5-mini": Price(0.25, 0.025, None, 2),
    "gpt-5-nano": Price(0.05, 0.005, None, 0.4),
    "gpt-4.1": Price(2, 0.5, None, 8, long=False),
    "gpt-4o": Price(2.5, 1.25, None, 10, long=False),
}
"""List prices by the model's name, without provider and date; a name that only resembles one of these has none."""


def price_of(model: str) -> Price | None:
    """The price of an upstream model, whoever serves it and whatever its date; fine-tunes have prices of their own."""
    return None if is_fine_tune(model) else PRICES.get(undated(bare(model)))


def cost_usd(model: str, usage: Usage, tier: str | None = None) -> float | None:
    """What an answer cost in dollars by the list; None for a model or a tier without a price.

    Args:
        model: the upstream's name for the model.
        usage: what was used.
        tier: the upstream's `service_tier`; None is the default one.
    """
    return cost_at(price_of(model), usage, tier)


def cost_at(price: Price | None, usage: Usage, tier: str | None = None) -> float | None:
    """The same at a price that is known already."""
    factor = TIERS.get(tier or "default")
    if price is None or factor is None:
        return None
    written, lasting = usage.cache_creation_input_tokens, usage.long_lived_tokens
    prompt = (
        usage.input_tokens * price.fresh
        + usage.cache_read_input_tokens * price.read
        + (written - lasting) * (price.fresh if price.written is None else price.written)
        + lasting * price.fresh * LASTING_WRITE
    )
    long = price.long and usage.input_tokens + usage.cache_read_input_tokens + written > LONG_PROMPT_TOKENS
    output = usage.output_tokens * price.output
    return factor * (prompt * (LONG_INPUT if long else 1) + output * (LONG_OUTPUT if long else 1)) / _MILLION
