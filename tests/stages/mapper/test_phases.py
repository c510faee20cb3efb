"""The phase of a text, told by its place in the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.request import (
    Caller,
    ContentBlock,
    Message,
    RedactedThinking,
    Request,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Unknown,
)
from stages.mapper import Target, map_request
from stages.mapper.phases import COMMENTARY, FINAL, phases_of
from stages.wire import carrier
from stages.wire.carrier import Carrier
from tests.end_to_end.recorded import load, recordings, whole_response
from tests.support.cases import cases

SAID = Text("said")
BLANK = Text(" \n")
CITED = Text("said", extra={"citations": [{"type": "web_search_result_location"}]})
CALL = ToolUse("toolu_1", "look", {})
SEARCH = Unknown("server_tool_use", {"type": "server_tool_use", "id": "s"})
FOUND = Unknown("web_search_tool_result", {"type": "web_search_tool_result", "tool_use_id": "s"})
THOUGHT = Thinking("x", "y")
HIDDEN = RedactedThinking("z")


def told(blocks: list[ContentBlock]) -> dict[int, str]:
    """Tell the phases of an answer in which every text is one of its own."""
    return phases_of(Message("assistant", tuple(blocks)), {at for at, block in enumerate(blocks) if block is not BLANK})


@cases(
    ("blocks", "expected"),
    [
        ([SAID], [FINAL]),
        ([SAID, CALL], [COMMENTARY]),
        ([THOUGHT, SAID, CALL, CALL], [COMMENTARY]),
        ([SAID, SAID], [COMMENTARY, FINAL]),
        ([SAID, THOUGHT, SAID], [COMMENTARY, FINAL]),
        ([SAID, THOUGHT], [FINAL]),
        ([SAID, HIDDEN], [FINAL]),
        ([SAID, BLANK], [FINAL]),
        ([BLANK, SAID], [FINAL]),
        ([SAID, SEARCH, FOUND, SAID], [COMMENTARY, FINAL]),
        ([SAID, CITED, SAID], [FINAL, FINAL, FINAL]),
        ([CITED, CITED, CALL], [COMMENTARY, COMMENTARY]),
        ([CITED, THOUGHT, SAID], [COMMENTARY, FINAL]),
        ([CITED, BLANK, SAID], [FINAL, FINAL]),
        ([SAID, SAID, CITED], [COMMENTARY, FINAL, FINAL]),
        ([CITED, CALL, CITED], [COMMENTARY, FINAL]),
    ],
)
def test_the_place_tells(blocks: list[ContentBlock], expected: list[str]) -> None:
    """What something follows is commentary, the end is final, and pieces of one text share a phase."""
    phases = told(blocks)

    assert [phases[at] for at, block in enumerate(blocks) if isinstance(block, Text) and block is not BLANK] == expected


def test_a_text_that_goes_on_is_none_of_its_own() -> None:
    """Blocks that our own citations cut are one text, with the phase of its first block's place."""
    blocks = (SAID, CITED, SAID, SAID)

    assert phases_of(Message("assistant", blocks), {0, 3}) == {0: COMMENTARY, 3: FINAL}
    assert phases_of(Message("assistant", (*blocks, CALL)), {0})[0] == COMMENTARY
    assert phases_of(Message("assistant", blocks), {0}) == {0: FINAL}


@given(st.lists(st.sampled_from((SAID, BLANK, CITED, CALL, SEARCH, THOUGHT, HIDDEN)), max_size=8))
def test_final_stands_at_the_end_alone(blocks: list[ContentBlock]) -> None:
    """For every answer: no commentary follows a final text, and no call does."""
    phases = told(blocks)

    order = [phases[at] for at in sorted(phases)]
    assert order == sorted(order)
    finals = [at for at, phase in phases.items() if phase == FINAL and isinstance(blocks[at], Text)]
    assert all(at not in finals or CALL not in blocks[at:] for at in phases)


FOREIGN = Thinking("hm", "EqMC")
OURS = Carrier("rs_1", "sealed", phase=FINAL, model="gpt-6.2-sol", account="other")


@pytest.mark.parametrize(
    ("name", "thought", "phases"),
    [
        ("gpt-6.2-sol", FOREIGN, [COMMENTARY, FINAL]),
        ("gpt-5.4", FOREIGN, [COMMENTARY, FINAL]),
        ("gpt-6.2-sol", Thinking("", carrier.encode(OURS)), [FINAL, FINAL]),
        ("gpt-5.4", Thinking("", carrier.encode(OURS)), [FINAL, FINAL]),
        ("gpt-5.2", Thinking("", carrier.encode(OURS)), [None, None]),
        ("gpt-5.2", FOREIGN, [None, None]),
        ("gpt-4o", FOREIGN, [None, None]),
        ("a-model-of-tomorrow", FOREIGN, [None, None]),
    ],
)
def test_history_of_any_service_gets_phases(name: str, thought: Thinking, phases: list[str | None]) -> None:
    """Models that know phases get them, by the carrier where there is one, even if its reasoning may not go back."""
    asked = Message("user", (Text("hi"),))
    result = Message("user", (ToolResult("toolu_1"),))
    answered = Message("assistant", (thought, SAID, CALL))
    request = Request(name, (asked, answered, result, Message("assistant", (SAID,)), asked))
    mapped = map_request(request, Caller(), Target(), message_id="msg_1")

    spoken = [item for item in mapped.body["input"] if item.get("role") == "assistant"]
    assert [item.get("phase") for item in spoken] == phases


def _expected(output: list[dict[str, Any]]) -> list[str]:
    return [item["phase"] for item in output if item["type"] == "message"]


def _shown(output: list[dict[str, Any]]) -> list[ContentBlock]:
    """Show recorded items as the blocks that a client gets of them."""
    shown: dict[str, ContentBlock] = {"message": SAID, "reasoning": THOUGHT, "function_call": CALL}
    return [shown.get(item["type"], SEARCH) for item in output]


def test_recorded_answers_agree(shared: Path) -> None:
    """Every recorded answer whose messages have phases has those that are told by the place."""
    assert shared.is_dir()
    outputs = [whole["output"] for path in recordings() if (whole := whole_response(load(path)))]
    marked = [output for output in outputs if any(item.get("phase") for item in output)]

    for output in marked:
        blocks = _shown(output)
        phases = told(blocks)
        assert [phases[at] for at, block in enumerate(blocks) if block is SAID] == _expected(output)
    assert len(marked) > 50
