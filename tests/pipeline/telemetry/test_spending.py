"""What the requests behind one answer have used: sums, and shares by model."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import structlog.testing

from pipeline.endpoints.application import application
from pipeline.telemetry import semantics
from pipeline.telemetry.spending import Billing, Spending, shares_of
from stages.canonical.events import Usage
from stages.tables.prices import Price
from tests.support.client import MemoryClient
from tests.support.hosted import (
    ADVISING,
    ADVISOR,
    ASKED,
    FALLEN,
    FALLING,
    SAFEGUARDS,
    calling,
    declining,
    round_of,
    saying,
)
from tests.support.running import context_of
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import CREATED, failed

DEAR, CHEAP = Billing("a", "x", Price(10, 1, 20, 100, long=False)), Billing("b", "y", Price(1, 0.1, 2, 10, long=False))
SESSION = {"x-claude-code-session-id": "0198c0de-1111-4222-8333-444455556666"}


def test_sums_and_shares() -> None:
    """Each request at its own price; the sums are the shares'."""
    spending = Spending()
    for billing in (DEAR, CHEAP, DEAR):
        spending.add(billing, Usage(1000, 100, 10, 50))

    totals, (dear, cheap) = spending.totals(), spending.shares()
    assert totals["upstream_requests"] == 3
    assert (totals["input_tokens"], dear["input_tokens"], cheap["input_tokens"]) == (3000, 2000, 1000)
    assert totals["cost_usd"] == round(dear["cost_usd"] + cheap["cost_usd"], 6)
    assert dear["cost_usd"] == round(20 * cheap["cost_usd"], 6)


def test_a_model_without_a_price() -> None:
    """Makes the whole one without a cost: half of it would look like all."""
    spending = Spending()
    spending.add(DEAR, Usage(1))
    spending.add(Billing("c", "other"), Usage(1))

    assert "cost_usd" not in spending.totals()
    assert ["cost_usd" in share for share in spending.shares()] == [True, False]


def test_most_requests_have_one_share() -> None:
    """The line itself."""
    line = {"upstream_model": "x", "input_tokens": 1}
    assert [*shares_of(line)] == [line]


async def run(request: dict[str, Any], *scripts: Script, judge: str = "") -> tuple[dict[str, Any], Counter[str], int]:
    """Return the line of a request, the tokens of the metrics by model, and how many models its session has used."""
    log = structlog.testing.CapturingLogger()
    context = context_of(ScriptedUpstream(*scripts), log=log, judge=judge)
    await MemoryClient(application(context)).messages(request, SESSION)
    (line,) = [call.kwargs for call in log.calls if call.args == ("request",)]
    tokens = Counter[str]()
    for (model, _, _), count in context.tally.snapshot()[semantics.TOKENS].items():
        tokens[model] += int(cast("float", count))
    return line, tokens, len(context.usage.of("", str(line["session"])))


async def test_advice() -> None:
    """Two rounds of one model and the advice of another, 110 tokens each."""
    line, tokens, models = await run(ASKED, *ADVISING)

    assert (line["upstream_requests"], line["input_tokens"], line["output_tokens"]) == (3, 180, 30)
    assert tokens == {"gpt-6.2-sol": 220, "gpt-6.2-astra": 110}
    assert models == 2
    sol, astra = (60 * 2 + 40 * 0.1 + 10 * 10) / 1e6, (60 * 8 + 40 * 0.4 + 10 * 40) / 1e6
    assert line["cost_usd"] == round(2 * sol + astra, 6)


async def test_verdicts() -> None:
    """Whoever judges is paid as well."""
    asked = {**ASKED, "tools": ASKED["tools"][:1], "safeguards": SAFEGUARDS}
    line, tokens, _ = await run(asked, round_of(calling(0, "Bash", "call_a")), saying("{}"), judge="gpt-6-luna")

    assert line["upstream_requests"] == 2
    assert tokens == {"gpt-6.2-sol": 110, "gpt-6-luna": 110}


async def test_models_that_declined() -> None:
    """Are paid for what they have read, and the line names the one that answered."""
    line, tokens, _ = await run(FALLING, *FALLEN)

    assert (line["upstream_model"], line["fallbacks"], line["upstream_requests"]) == ("gpt-6.2-astra", 2, 3)
    assert tokens == {"gpt-6.2-sol": 110, "gpt-6-luna": 110, "gpt-6.2-astra": 110}


async def test_an_answer_that_fails_later() -> None:
    """What its first round has used was used."""
    line, tokens, _ = await run(ASKED, *ADVISING[:2], Script([CREATED, failed()]))

    assert (line["outcome"], line["upstream_requests"]) == ("upstream", 2)
    assert sum(tokens.values()) == 220


async def test_an_answer_of_one_request() -> None:
    """Has none of this, also where others might have been made."""
    line, tokens, _ = await run({**ASKED, "tools": [ADVISOR]}, saying("No need."))
    assert tokens == {"gpt-6.2-sol": 110}
    assert (line["upstream_requests"], line["output_tokens"]) == (1, 10)


async def test_a_refusal_that_stands() -> None:
    """Is counted once."""
    line, tokens, _ = await run(FALLING, declining(), Script(status=429))
    assert (line["stop_reason"], line["upstream_requests"]) == ("refusal", 1)
    assert tokens == {"gpt-6.2-sol": 110}
