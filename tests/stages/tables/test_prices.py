"""What an answer costs, against figures worked out by hand from the published prices."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stages.canonical.events import Usage
from stages.tables import stops
from stages.tables.models import FAMILIES, RELEASES, model_info
from stages.tables.prices import PRICES, Price, cost_usd, price_of
from tests.support.cases import cases

UNPRICED = {"gpt-5-pro"}
"""Models of today whose price the source does not tell."""


@pytest.mark.parametrize(
    ("model", "usage", "tier", "dollars"),
    [
        # 1,000 fresh at $2, 10,000 read at $0.10, 2,000 written at $2.50, 500 out at $10
        ("gpt-6.2-sol", Usage(1_000, 10_000, 2_000, 500), None, 0.013),
        # the same, half of what was written for 12 hours: 1,000 at $4 instead of $2.50
        ("gpt-6.2-sol", Usage(1_000, 10_000, 2_000, 500, None, 1_000), "auto", 0.0145),
        ("gpt-6.2-sol", Usage(1_000, 10_000, 2_000, 500), "priority", 0.026),
        ("gpt-6.2-sol", Usage(1_000, 10_000, 2_000, 500), "flex", 0.0065),
        # 272,000 is not yet long: 272,000 at $10; one more token doubles that, and half as much again for the output
        ("gpt-6-astra", Usage(272_000, 0, 0, 1_000), "default", 2.77),
        ("gpt-6-astra", Usage(1, 272_000, 0, 1_000), "default", 0.54402 + 0.075),
        ("gpt-6-astra", Usage(0, 0, 300_000, 0, None, 300_000), None, 12.0),
        # no price for writing: it costs what reading it for the first time does
        ("gpt-5.5", Usage(100, 0, 100, 10), None, 0.0013),
        ("gpt-4.1", Usage(300_000), None, 0.6),
    ],
)
def test_costs_worked_out_by_hand(model: str, usage: Usage, tier: str | None, dollars: float) -> None:
    """Fresh, read, written for half an hour and for half a day, long prompts, and the tiers."""
    assert cost_usd(model, usage, tier) == pytest.approx(dollars, rel=1e-9)


def test_recorded_usage(shared: Path) -> None:
    """The same prompt twice to gpt-5.6-sol: 4,012 of 4,020 tokens written, then read; 5 tokens out each time."""
    folder = shared / "recordings/openai/text"
    name = "pydantic-ai__test_openai_responses_prompt_cache_e2e__{}.json"
    bodies = [json.loads((folder / name.format(turn)).read_bytes())["body"] for turn in (0, 1)]
    spent = [cost_usd(body["model"], stops.usage(body["usage"]), body["service_tier"]) for body in bodies]

    # 8 * $4 + 4,012 * $5 + 5 * $20, and 8 * $4 + 4,012 * $0.40 + 5 * $20, in millionths
    assert spent == [pytest.approx(0.020192), pytest.approx(0.0017368)]


@pytest.mark.parametrize("model", ["mine", "gpt-5-pro", "gpt-6.2-astra-law", "gpt-4.1-mini", "gpt-4o-mini", ""])
def test_what_only_resembles_a_priced_model_has_no_price(model: str) -> None:
    """A wrong figure is worse than none."""
    assert cost_usd(model, Usage(1_000)) is None


def test_a_tier_without_a_price() -> None:
    """What is billed by contract cannot be told from a list."""
    assert cost_usd("gpt-6.2-sol", Usage(1_000), "scale") is None


@pytest.mark.parametrize("name", ["openai/gpt-6.2-sol", "GPT-6.2-sol", "gpt-6.2-sol-2026-11-17"])
def test_names_with_provider_and_date(name: str) -> None:
    """As answers and gateways spell them."""
    assert price_of(name) is PRICES["gpt-6.2-sol"]


def test_every_model_of_today_has_a_price() -> None:
    """And the ones that serve Claude's families certainly do."""
    unpriced = {release.id for release in RELEASES if price_of(release.id) is None}

    assert unpriced == UNPRICED
    assert all(price_of(upstream) for upstream in FAMILIES.values())


@cases(("model", "price"), PRICES.items())
def test_prices_make_sense(model: str, price: Price) -> None:
    """Reading costs least, writing more than plain input, the answer most; what is paid for writing has breakpoints."""
    assert price.read < price.fresh < price.output
    assert price.written is None or price.written > price.fresh
    assert (price.written is not None) == model_info(model).cache_breakpoints
