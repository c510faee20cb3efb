"""The measurement of what telemetry costs: what is measured does happen, and nothing fails on its way."""

from __future__ import annotations

import pytest

from pipeline.bench.telemetry import KeptSpans, calls_a_request, least_cpu, telemetry_parts, whole_requests


async def test_whole_requests_are_answered(capsys: pytest.CaptureFixture[str]) -> None:
    """Each way, and it is logged where that is on alone."""
    lines = dict[str, int]()
    async with whole_requests() as ways:
        for name, way in ways.items():
            assert await way() == 200
            lines[name] = capsys.readouterr().err.count('"route": "/v1/messages"')

    assert lines == {"none": 0, "log": 1, "metrics": 0, "spans": 0, "all": 1}


async def test_parts_are_gone_through(capsys: pytest.CaptureFixture[str]) -> None:
    """All take some time, and the one that writes has written."""
    assert all((await least_cpu(telemetry_parts(), 1)).values())
    assert '"outcome": "ok"' in capsys.readouterr().err


async def test_calls_are_counted() -> None:
    """The same each time, so a busy machine can tell."""

    async def two() -> None:
        len([])

    async def three() -> None:
        await two()

    counts = await calls_a_request({"two": two, "three": three})

    assert counts["three"] - counts["two"] == 1


def test_spans_are_kept_until_they_are_taken() -> None:
    """A measurement sends nothing."""
    assert KeptSpans().take() == []
