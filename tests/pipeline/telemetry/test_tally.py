"""What is counted, and what it is counted under."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.telemetry import semantics
from pipeline.telemetry.request_metrics import count_request, tally_of
from pipeline.telemetry.semantics import METRICS
from pipeline.telemetry.tally import MAX_SERIES, UNLISTED, Form, Metric, Tally


def test_the_number_of_series_ends_even_if_the_tables_do_not() -> None:
    """What comes later counts under `other` alone, and is not lost."""
    words = frozenset(str(number) for number in range(2 * MAX_SERIES))
    tally = Tally({"m": Metric("m", Form.COUNTER, "", "", ("l",))}, {"l": words})
    for word in words:
        tally.add("m", (word,))

    series = tally.snapshot()["m"]
    assert len(series) == MAX_SERIES + 1
    assert sum(number for number in series.values() if not isinstance(number, list)) == len(words)


def test_a_histogram_counts_a_bound_in_its_bucket() -> None:
    """The last number is the sum of all values."""
    tally = Tally({"h": Metric("h", Form.HISTOGRAM, "s", "", (), (1.0, 2.0))})
    for value in (0.5, 1.0, 1.5, 9.0):
        tally.observe("h", (), value)

    assert tally.snapshot() == {"h": {(): [2.0, 1.0, 1.0, 12.0]}}


def test_junk_makes_no_series() -> None:
    """Ten thousand names that no table has are one series of each metric."""
    tally = tally_of()
    for number in range(10_000):
        junk = f"junk-{number}"
        fields = {"outcome": junk, "route": junk, "status": junk, "upstream_model": junk, "seconds": 1.0}
        fields |= {"client": junk, "attempts": 1, "upstream_status": None, "cause": junk, "session": junk}
        told = {"input_tokens": 1, "cost_usd": 1.0, "cache_hit_rate": 0.5, "cache_miss": junk}
        count_request(tally, {**fields, **told}, junk)
        count_request(tally, {**fields, **told, "outcome": "upstream"}, junk)

    counted = tally.snapshot()
    two = {semantics.REQUESTS, semantics.DURATION}  # an outcome that there is, besides
    assert all(len(series) == 1 + (name in two) for name, series in counted.items())
    assert counted[semantics.COST] == {(UNLISTED, UNLISTED): 20_000.0}


def test_an_answer_is_counted_by_its_model() -> None:
    """Tokens by kind, cost, what the cache did, and how long it took."""
    tally = tally_of()
    tally.know(semantics.ROUTE, ["/v1/messages"])
    tally.know(semantics.CLIENT, ["alice"])
    fields = {
        "client": "alice",
        "attempts": 2,
        "upstream_status": 200,
        "outcome": "ok",
        "route": "/v1/messages",
        "status": 200,
        "upstream_model": "gpt-6.2-astra",
    }
    usage = {"input_tokens": 7, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 0, "output_tokens": 5}
    told = {"seconds": 3.0, "first_byte_seconds": 0.2, "cost_usd": 0.5, "cache_hit_rate": 0.3}
    count_request(tally, {**fields, **usage, **told, "cache_miss": "prefix changed at tools"}, "h")

    counted = tally.snapshot()
    assert counted[semantics.REQUESTS] == {("/v1/messages", "200", "ok", "alice"): 1.0}
    assert counted[semantics.TOKENS] == {
        ("gpt-6.2-astra", "alice", "input"): 7.0,
        ("gpt-6.2-astra", "alice", "cache_read"): 3.0,
        ("gpt-6.2-astra", "alice", "output"): 5.0,
    }
    assert counted[semantics.CACHED] == {("gpt-6.2-astra", semantics.CHANGED): 1.0}
    assert counted[semantics.UPSTREAM] == {(UNLISTED, "ok"): 1.0}
    assert set(counted) <= set(METRICS)


@pytest.mark.parametrize(
    ("fields", "word", "moment"),
    [
        ({"outcome": "ok", "upstream_status": 200}, "ok", semantics.LAST_ANSWER),
        ({"outcome": "client_left", "upstream_status": 200}, "ok", semantics.LAST_ANSWER),
        ({"outcome": "invalid_request", "upstream_status": 400}, "400", None),
        ({"outcome": "rate_limit", "upstream_status": 429}, "429", semantics.LAST_FAILURE),
        ({"outcome": "unavailable", "upstream_status": None, "cause": "dns"}, "dns", semantics.LAST_FAILURE),
        ({"outcome": "upstream", "upstream_status": 200, "cause": "stream_cut"}, "stream_cut", semantics.LAST_FAILURE),
        ({"outcome": "server_stopped", "upstream_status": 200, "cause": "shutdown"}, "ok", semantics.LAST_ANSWER),
    ],
)
def test_how_an_upstream_does(fields: dict[str, Any], word: str, moment: str | None) -> None:
    """By its host: what it said last, and when it was well and when not; what a client did wrong is neither."""
    tally = tally_of()
    tally.know(semantics.SERVER, ["h"])
    count_request(tally, {"attempts": 1, **fields}, "h", lambda: 7.0)

    counted = tally.snapshot()
    found = {name: counted[name] for name in (semantics.LAST_ANSWER, semantics.LAST_FAILURE) if name in counted}
    labels = ("h", word) if moment == semantics.LAST_FAILURE else ("h",)
    assert counted[semantics.UPSTREAM] == {("h", word): 1.0}
    assert found == ({moment: {labels: 7.0}} if moment else {})
