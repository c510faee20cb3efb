"""What the model thought, and in which phase it spoke, comes back to it in the next turn, through any client.

The client here does what all clients do: it sends the answer's blocks back as they came, with a result for each call.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import grammar
from tests.support.client import Reply
from tests.support.items import parts_of
from tests.support.judges import judge_upstream_request
from tests.support.running import REQUEST, client_of
from tests.support.upstream import Script, ScriptedUpstream, events, json_script
from tests.support.upstream_events import completed

pytestmark = pytest.mark.usefixtures("shared")  # each second turn is heard by the judge

Item = dict[str, Any]
Block = dict[str, Any]

DISPLAYS: dict[str, dict[str, Any]] = {
    "without a word": {},
    "summarized": {"thinking": {"type": "adaptive", "display": "summarized"}},
    "updates": {"thinking": {"type": "adaptive", "display": "updates"}},
    "omitted": {"thinking": {"type": "adaptive", "display": "omitted"}},
    "a budget": {"thinking": {"type": "enabled", "budget_tokens": 2048}},
    "between tools": {"thinking": {"type": "between_tools"}},
}
"""Ways to ask for reasoning that bring it."""


def reasoning(index: int, *parts: str, sealed: str = "gAAAA") -> Item:
    """A reasoning item with these parts of a summary."""
    summary = [{"type": "summary_text", "text": part} for part in parts]
    return {"type": "reasoning", "id": f"rs_{index}", "summary": summary, "encrypted_content": f"{sealed}{index}"}


def message(index: int, phase: str) -> Item:
    """A message in a phase."""
    content = [{"type": "output_text", "text": f"said {index}", "annotations": []}]
    return {"type": "message", "id": f"msg_{index}", "role": "assistant", "phase": phase, "content": content}


def call(index: int) -> Item:
    """A call."""
    named = {"call_id": f"call_{index}", "name": "Bash", "arguments": "{}"}
    return {"type": "function_call", "id": f"fc_{index}", **named}


def _stream(items: list[Item]) -> Script:
    told: list[Item] = []
    for index, item in enumerate(items):
        empty = {"content": []} if item["type"] == "message" else {"summary": [], "encrypted_content": "early"}
        begun = item if item["type"] == "function_call" else {**item, **empty}
        told.append({"type": "response.output_item.added", "output_index": index, "item": begun})
        told.append({"type": "response.output_item.done", "output_index": index, "item": item})
    return Script([events(*told), completed()])


def _whole(items: list[Item]) -> Script:
    return json_script({"id": "resp_1", "status": "completed", "output": items})


def _content(reply: Reply, *, stream: bool) -> list[Block]:
    assert reply.status == 200
    if not stream:
        content: list[Block] = reply.json()["content"]
        return content
    told = grammar.read(reply.body)
    assert told.error is None
    return [{**block, "input": {}} if block["type"] == "tool_use" else block for block in map(_plain, told.content)]


def _plain(block: Block) -> Block:
    return {key: value for key, value in block.items() if key != "partial_json"}


async def _next_turn(items: list[Item], *, stream: bool, asked: dict[str, Any]) -> tuple[list[Block], list[Item]]:
    """Let the upstream say these items; return what the client saw, and what they are in the next request's input."""
    upstream = ScriptedUpstream((_stream if stream else _whole)(items), _whole([message(9, "final_answer")]))
    client, request = client_of(upstream), REQUEST | asked
    content = _content(await client.messages(request | {"stream": stream}), stream=stream)
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "done"}
        for block in content
        if block["type"] == "tool_use"
    ]
    answer = [{"role": "assistant", "content": content}] if content else []
    more = [*request["messages"], *answer, {"role": "user", "content": results or "go on"}]
    assert (await client.messages(request | {"stream": False, "messages": more})).status == 200
    second = upstream.requests[1]
    assert judge_upstream_request(second) == []
    outputs = [item for item in second["input"] if item["type"] == "function_call_output"]
    assert len(outputs) == len(results)
    back = [item for item in second["input"][1:] if _is_models(item)]
    return content, [{**item, "content": parts_of(item)} if item["type"] == "message" else item for item in back]


def _is_models(item: Item) -> bool:
    return item["type"] in ("reasoning", "function_call") or item.get("role") == "assistant"


def _back(item: Item) -> Item:
    """Say how an item must come back: whole, and without its id."""
    return {key: value for key, value in item.items() if key != "id"}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize("parts", [(), ("one",), ("one", "two\n\nthree")])
async def test_reasoning_comes_back(parts: tuple[str, ...], display: str, shared: object, *, stream: bool) -> None:
    """With or without a summary, shown or not, streamed or not: item by item, before what it led to."""
    del shared
    said = [
        reasoning(0, *parts),
        message(1, "commentary"),
        reasoning(2, *parts),
        call(3),
        reasoning(4),
        call(5),
        message(6, "final_answer"),
    ]
    content, back = await _next_turn(said, stream=stream, asked=DISPLAYS[display])

    assert back == [_back(item) for item in said]
    shown = "" if display == "omitted" else "\n\n".join(parts)
    assert [block["thinking"] for block in content if block["type"] == "thinking"] == [shown, shown, ""]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("size", [300_000, 3_000_000])
async def test_a_large_seal_comes_back(size: int, *, stream: bool) -> None:
    """Whatever the upstream seals goes through the client in one piece."""
    said = [reasoning(0, sealed="g" * size), message(1, "final_answer")]

    _, back = await _next_turn(said, stream=stream, asked={})
    assert back == [_back(item) for item in said]


@pytest.mark.parametrize("stream", [True, False])
async def test_switched_off_nothing_is_shown_and_the_phases_are_told_by_place(*, stream: bool) -> None:
    """There is no block that could carry anything, so reasoning stays behind, and every text keeps its phase."""
    said = [reasoning(0, "one"), message(1, "commentary"), call(2), message(3, "final_answer")]
    content, back = await _next_turn(said, stream=stream, asked={"thinking": {"type": "disabled"}})

    assert [block["type"] for block in content] == ["text", "tool_use", "text"]
    assert back == [_back(item) for item in said[1:]]


@st.composite
def answers(draw: st.DrawFn) -> list[Item]:
    """Draw an answer: its phases are those of the place, except where reasoning before a message can tell another."""
    kinds = draw(st.lists(st.sampled_from(("reasoning", "message", "call")), min_size=1, max_size=7))
    items: list[Item] = []
    for index, kind in enumerate(kinds):
        if kind != "message":
            parts = draw(st.lists(st.text(min_size=1, max_size=5), max_size=2))
            items.append(reasoning(index, *parts) if kind == "reasoning" else call(index))
            continue
        last = not {"message", "call"} & set(kinds[index + 1 :])
        told = index > 0 and kinds[index - 1] == "reasoning"
        phases = ("commentary", "final_answer")
        items.append(message(index, draw(st.sampled_from(phases)) if told else phases[last]))
    return items


@given(answers(), st.booleans(), st.sampled_from(sorted(DISPLAYS)))
async def test_every_answer_comes_back(said: list[Item], stream: bool, display: str) -> None:
    """Whatever it was made of: all but the reasoning that led to nothing, in order, each message with its phase."""
    while said and said[-1]["type"] == "reasoning":
        said = said[:-1]
    trailing = [reasoning(8, "left out")]
    _, back = await _next_turn([*said, *trailing], stream=stream, asked=DISPLAYS[display])

    assert back == [_back(item) for item in said]
