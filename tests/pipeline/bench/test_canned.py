"""The answers that the bench's upstream plays."""

from __future__ import annotations

import pytest

from pipeline.bench import canned
from stages.wire import json, sse


def _events(script: canned.Script) -> list[dict[str, object]]:
    decoder = sse.Decoder()
    return [json.decode(payload) for piece in script.pieces for payload in decoder.feed(piece)]


@pytest.mark.parametrize(
    ("script", "kind", "whole"),
    [
        (canned.text_script(7), "response.output_text", "text"),
        (canned.call_script(7), "response.function_call_arguments", "arguments"),
    ],
)
def test_the_deltas_add_up_to_what_done_repeats(script: canned.Script, kind: str, whole: str) -> None:
    """A stream that contradicts itself would measure how contradictions are resolved."""
    events = _events(script)

    deltas = [event["delta"] for event in events if event["type"] == f"{kind}.delta"]
    done = next(event for event in events if event["type"] == f"{kind}.done")
    assert len(deltas) == len(script.deltas) == 7
    assert "".join(map(str, deltas)) == done[whole]
    assert events[-1]["type"] == "response.completed"


def test_each_delta_is_one_event() -> None:
    """One write of the upstream is one event."""
    assert all(delta.count(b"\n\n") == 1 and delta.endswith(b"\n\n") for delta in canned.text_script(3).deltas)


def test_the_arguments_of_a_call_are_an_object() -> None:
    """The JSON buffer checks that at the end."""
    done = next(event for event in _events(canned.call_script(5)) if "arguments" in event)

    assert json.decode(str(done["arguments"])) == {"content": canned.WORD * 3}


def test_the_answer_that_is_not_streamed_says_the_same() -> None:
    """As many words as there would have been deltas."""
    assert canned.whole_response(9).count(canned.WORD.encode()) == 9
