"""What the translation alone costs."""

from __future__ import annotations

import pytest

from pipeline.bench import canned
from pipeline.bench.in_process import BURST_READ, SIZES, request_cpu, stream_cpu, translate_reads
from stages.wire import json, sse


def _events(data: bytes) -> list[dict[str, object]]:
    return [json.decode(payload) for payload in sse.Decoder().feed(data)]


@pytest.mark.parametrize(
    ("script", "kind", "field"),
    [(canned.text_script(50), "text_delta", "text"), (canned.call_script(50), "input_json_delta", "partial_json")],
)
def test_what_is_measured_is_the_whole_translation(script: canned.Script, kind: str, field: str) -> None:
    """All that the upstream says arrives at the client, and the message ends; reads of any size give the same."""
    single, burst = translate_reads(script.pieces), translate_reads([b"".join(script.pieces)])

    events = _events(single)
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    texts = [str(delta[field]) for delta in deltas if isinstance(delta, dict) and delta["type"] == kind]
    assert single == burst
    assert len([text for text in texts if text]) == 50
    assert events[-1]["type"] == "message_stop"


def test_a_request_has_a_cost_for_each_step() -> None:
    """All are more than nothing, and the sum is their sum."""
    cost = request_cpu(SIZES[0], seconds=0.001)

    steps = (cost.decode, cost.map, cost.encode, cost.estimate)
    assert min(steps) > 0
    assert cost.total == sum(steps)
    assert cost.size >= SIZES[0]


@pytest.mark.parametrize("kind", ["text", "arguments"])
def test_a_delta_has_a_cost(kind: str) -> None:
    """In both ways of arriving."""
    cost = stream_cpu(kind, deltas=100, seconds=0.001)

    assert cost.kind == kind
    assert min(cost.single, cost.burst) > 0


def test_a_burst_is_more_than_one_read() -> None:
    """The stream of the measurement is cut, also in the middle of events."""
    assert len(b"".join(canned.text_script(2_000).pieces)) > 3 * BURST_READ
