"""What is remembered of sessions."""

from __future__ import annotations

from pipeline.telemetry.usage_by_session import MAX_SESSION_MODELS, UsageBySession

LINE = {"asked_model": "a", "upstream_model": "u", "input_tokens": 1, "cache_read_input_tokens": 3, "output_tokens": 5}


def test_sums_by_model() -> None:
    """The latest first; a cost is told as long as every request had one."""
    usage = UsageBySession()
    for line in ({"cost_usd": 0.5}, {"cost_usd": 0.25}, {"upstream_model": "v"}):
        usage.add(LINE | {"session": "s", **line})
    second, first = usage.of("", "s")

    assert (first.used, first.requests, first.priced, first.sums["cost_usd"]) == ("u", 2, True, 0.75)
    assert (second.used, second.requests, second.priced) == ("v", 1, False)
    assert first.sums["cache_read_input_tokens"] == 6


def test_what_is_no_answer_of_a_session() -> None:
    """Failures, and clients that tell no session."""
    usage = UsageBySession()
    usage.add({"session": "s", "outcome": "upstream"})
    usage.add(LINE)
    usage.add(LINE | {"session": ""})

    assert usage.of("", "s") == usage.of("", "") == []


def test_memory_is_bounded() -> None:
    """What was heard of longest ago is forgotten, sessions and models alike."""
    usage = UsageBySession(most=2)
    for session in ("a", "b", "a", "c"):
        usage.add(LINE | {"session": session})
    for number in range(100):
        usage.add(LINE | {"session": "c", "upstream_model": str(number)})

    assert [bool(usage.of("", session)) for session in ("a", "b", "c")] == [True, False, True]
    assert [each.used for each in usage.of("", "c")] == [str(99 - number) for number in range(MAX_SESSION_MODELS)]
