"""Plain messages: made and written once, and the same items as if each turn had mapped them anew."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import example, given
from hypothesis import strategies as st

from stages.canonical.request import Caller, Message, Text, ToolResult, ToolUse
from stages.mapper import Mapped, Target, map_request
from stages.mapper.plain_messages import plain_answer, plain_question
from stages.wire import json
from stages.wire.carrier import Carrier, encode
from stages.wire.messages_request import structure
from stages.wire.written import WrittenItem

IDS = st.sampled_from(["a", "b", "toolu_call_c", "an id that the upstream does not take"])
TEXTS = st.fixed_dictionaries({"type": st.just("text"), "text": st.sampled_from(["", " ", "hi", "ho"])})
CALLS = st.fixed_dictionaries({"type": st.just("tool_use"), "id": IDS, "name": st.just("look"), "input": st.just({})})
RESULTS = st.fixed_dictionaries(
    {"type": st.just("tool_result"), "tool_use_id": IDS, "content": st.lists(TEXTS, max_size=2)},
    optional={"is_error": st.booleans()},
)
CARRIER = Carrier("rs_1", "sealed", (2,), model="gpt-5.4", account="acc")
SIGNATURES = [
    "another's",
    *(encode(attrs.evolve(CARRIER, phase=phase)) for phase in ("", "commentary", "final_answer")),
    encode(attrs.evolve(CARRIER, raw=True, encrypted_content="")),
]
THOUGHTS = st.fixed_dictionaries(
    {"type": st.just("thinking"), "thinking": st.just("so"), "signature": st.sampled_from(SIGNATURES)}
)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.just("user"), "content": st.lists(TEXTS | RESULTS, max_size=3)})
    | st.fixed_dictionaries({"role": st.just("assistant"), "content": st.lists(TEXTS | CALLS | THOUGHTS, max_size=4)}),
    max_size=6,
)
THOUGHT = {"type": "thinking", "thinking": "so", "signature": encode(attrs.evolve(CARRIER, phase="commentary"))}
TEXT = {"type": "text", "text": "hi"}
CALL = {"type": "tool_use", "id": "a", "name": "look", "input": {}}
MARK = {"cache_control": {"type": "ephemeral"}}
MODELS = st.sampled_from(["gpt-5", "gpt-5.4"])
"""Neither takes breakpoints; the second has phases."""


def said(*blocks: dict[str, Any]) -> dict[str, Any]:
    """Write an assistant's message."""
    return {"role": "assistant", "content": [*blocks]}


def _mark(block: dict[str, Any]) -> dict[str, Any]:
    return {} if block["type"] == "thinking" else MARK


def mapped(model: str, messages: list[dict[str, Any]]) -> Mapped:
    """Map a conversation."""
    request = structure({"model": model, "max_tokens": 10, "messages": messages})
    return map_request(request, Caller(), Target(account="acc"), message_id="msg_1")


def notes(of: Mapped) -> set[tuple[str, str]]:
    """What was reported, but for marks; a text without one that stands alone may have been a string."""
    noted = ((note.path.removesuffix(".content.0"), note.reason) for note in of.report.notes)
    return {(path.removesuffix(".content"), reason) for path, reason in noted if not path.endswith("cache_control")}


@given(MODELS, MESSAGES)
@example("gpt-5.4", [said(THOUGHT, TEXT)])
@example("gpt-5.4", [said(THOUGHT, CALL, TEXT)])
@example("gpt-5.4", [said(THOUGHT), said(TEXT | {"text": " "}, CALL)])
@example("gpt-5.4", [said(CALL), said(THOUGHT, CALL)])
def test_a_message_with_a_mark_becomes_the_same_items(model: str, messages: list[dict[str, Any]]) -> None:
    """A mark makes a message none of the plain ones, and says nothing to a model without breakpoints."""
    marked = [{**each, "content": [block | _mark(block) for block in each["content"]]} for each in messages]
    plain, mixed = mapped(model, messages), mapped(model, marked)

    assert plain.body["input"] == mixed.body["input"]
    assert notes(plain) == notes(mixed)


@given(MODELS, MESSAGES)
def test_an_item_that_was_written_is_what_was_written(model: str, messages: list[dict[str, Any]]) -> None:
    """Its bytes are those of its members."""
    for item in mapped(model, messages).body["input"]:
        assert not isinstance(item, WrittenItem) or bytes(item.said) == json.encode(dict(item))


def test_a_known_message_becomes_the_very_same_items() -> None:
    """So neither mapping nor writing is done again."""
    asked = Message("user", (Text("look"),))
    said = Message("assistant", (Text("so"), ToolUse("a", "look", {"at": 1})))
    found = Message("user", (ToolResult("a", (Text("x"),)), Text("and?")))

    assert plain_question(asked) is plain_question(asked)
    assert plain_question(found) is plain_question(found) is not None
    assert plain_answer(said, "string", phases=True) is plain_answer(said, "string", phases=True) is not None
    assert plain_answer(said, "string", phases=False) != plain_answer(said, "string", phases=True)
    assert plain_answer(said, "item", phases=True) is None  # its ids depend on where it stands
