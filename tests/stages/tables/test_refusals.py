"""What is left out of a request that was refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.failure import Failure, Kind
from stages.tables.errors import failure_of
from stages.tables.profiles import PROFILES, SPELLINGS, Profile
from stages.tables.refusals import remedies
from stages.tables.refused_fields import REFUSED_FIELDS, Field
from tests.support.cases import cases

OPENAI = PROFILES["openai"]
TALK: list[dict[str, Any]] = [
    {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "be"}]},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
    {"type": "reasoning", "summary": [], "encrypted_content": "sealed"},
    {"type": "message", "role": "assistant", "content": "ho"},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hm"}]},
]


def first(
    error: Any, items: list[dict[str, Any]] = TALK, profile: Profile = OPENAI
) -> tuple[str, dict[str, Any]] | None:
    """The name and the changes of the likeliest remedy for a refusal."""
    found = next(remedies(failure_of(error, status=400), {"input": items}, profile), None)
    return None if found is None else (found.name, dict(found.changes))


NAMED = {
    "reasoning.summary": {"summaries": False},
    "include": {"include": False},
    "prompt_cache_key": {"cache_key": False},
    "safety_identifier": {"safety_identifier": False},
    "prompt_cache_options": {"cache_breakpoints": False},
    "stream_options": {"obfuscation": False},
    "store": {"store": False},
    "phase": {"phases": False},
    "reasoning.effort": {"effort": False},
    "max_tool_calls": {"tool_limit": False},
    "parallel_tool_calls": {"parallel_calls": False},
    "service_tier": {"service_tier": False},
    "temperature": {"sampling": False},
}
"""A field, and the profile that lacks it."""

SAY: dict[str, Callable[[str], Any]] = {
    "param": lambda name: {
        "error": {"message": "It is not supported here.", "param": name, "code": "unsupported_value"}
    },
    "unknown parameter": lambda name: {"error": {"message": f"Unknown parameter: '{name}'."}},
    "unsupported": lambda name: {"detail": f"Unsupported parameter: {name}"},
    "unrecognised": lambda name: {"error": {"message": f"Unrecognized request argument supplied: {name}"}},
    "loc": lambda name: {
        "detail": [
            {"type": "extra_forbidden", "loc": ["body", *name.split(".")], "msg": "Extra inputs are not permitted"}
        ]
    },
    "loc in a text": lambda name: {
        "error": f"[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs are not permitted'}}]"
    },
    "quoted": lambda name: {"error": {"message": f"`{name}` is not supported by this model"}},
    "additional": lambda name: {"error": f"Additional properties are not allowed ('{name}' was unexpected)"},
    "prefixed": lambda name: {"error": {"message": f"{name}: Extra inputs are not permitted"}},
    "field": lambda name: {"error": {"message": f"Extra inputs are not permitted, field: '{name}', value: 1"}},
}
"""Ways to refuse a field."""


@pytest.mark.parametrize("way", SAY)
@cases(("name", "changes"), NAMED.items())
def test_a_field_that_is_refused(name: str, changes: dict[str, Any], way: str) -> None:
    """By its place or in words, in whatever words."""
    assert first(SAY[way](name)) == (name, changes)


@cases(
    ("error", "name", "changes"),
    [
        (
            {
                "message": "Your organization must be verified to generate reasoning summaries.",
                "param": "reasoning.summary",
            },
            "reasoning.summary",
            {"summaries": False},
        ),
        (
            {"message": "Your organization must be verified to generate reasoning summaries."},
            "reasoning.summary",
            {"summaries": False},
        ),
        (
            {"message": "Encrypted content is not supported with this model.", "param": "include"},
            "include",
            {"include": False},
        ),
        (
            {"message": "Encrypted content is not supported with this model."},
            "reasoning.encrypted_content",
            {"sealed": False},
        ),
        (
            {"message": "Unsupported value: 'xhigh'. Supported values are: 'low', 'medium', and 'high'."}
            | {"param": "reasoning.effort"},
            "reasoning.effort",
            {"efforts": "low,medium,high"},
        ),
        ({"message": "The model does not support the parameter `reasoning`."}, "reasoning", {"effort": False}),
        ({"message": "Unknown", "param": "input[1].content[0].prompt_cache_breakpoint"}, "prompt_cache_options", None),
        ({"message": "Unknown parameter", "param": "input[3].phase"}, "phase", None),
        ({"message": "Invalid value: 'developer'. Supported values are: 'system', 'user'."}, "developer", None),
        ({"message": "Invalid value", "param": "input[0].role"}, "developer", None),
        ({"message": "Error 400 store is not supported"}, "store", {"store": False}),
        ({"message": "Unsupported parameter(s): include"}, "include", {"include": False}),
        ({"message": "this model does not support include"}, "include", {"include": False}),
        ({"message": "不支持的参数: store"}, "store", {"store": False}),
        ({"message": "Paramètre inconnu : include"}, "include", {"include": False}),
        ({"message": "Unbekannter Parameter: reasoning"}, "reasoning", {"effort": False}),
        ({"message": "Invalid parameter: parallel_tool_calls"}, "parallel_tool_calls", {"parallel_calls": False}),
        ({"message": "temperature is deprecated for this model"}, "temperature", {"sampling": False}),
        ({"message": "No", "issues": [{"path": ["reasoning"], "keys": ["summary"]}]}, "reasoning.summary", None),
    ],
)
def test_words_of_their_own(error: dict[str, Any], name: str, changes: dict[str, Any] | None) -> None:
    """Sentences that were seen."""
    found = first({"error": error}, TALK[:2] if "Encrypted" in error["message"] else TALK)

    assert found is not None
    assert found[0] == name
    assert changes is None or found[1] == changes


@pytest.mark.parametrize(
    ("sentence", "streamed", "changes"),
    [
        ("Your organization must be verified to stream this model.", True, {"streams": False}),
        ("The model does not support streaming", True, {"streams": False}),
        ("Unsupported parameter: 'stream'", True, {"streams": False}),
        ("该模型不支持流式输出", True, {"streams": False}),
        ("Stream must be set to true", False, {"always_stream": True}),
        ("This model only support stream mode, please enable the stream parameter.", False, {"always_stream": True}),
        ("Non-streaming requests are not supported", False, {"always_stream": True}),
        ("Stream must be set to true", True, None),
        ("The upstream is not available", True, None),
    ],
)
def test_whether_it_streams(sentence: str, streamed: bool, changes: dict[str, bool] | None) -> None:
    """Who may not have a stream gets a whole answer, and who must have one a stream; else nothing is changed."""
    found = next(remedies(failure_of(sentence, status=400), {"stream": streamed}, OPENAI), None)

    assert (found and found.changes) == changes


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "No.", "param": "input[2].encrypted_content"}},
        {
            "detail": [
                {
                    "loc": ["body", "input", "list[union[A,B]]", 2, "ResponseReasoningItem", "id"],
                    "msg": "Field required",
                }
            ]
        },
        {"error": "[{'loc': ('body', 'input', 'list[union[A,B]]', 2, 'X', 'id'), 'msg': 'Field required'}]"},
        {"error": {"message": "reasoning items are not supported"}},
        {
            "error": {
                "message": "Invalid value: 'reasoning'. Supported values are: 'message'.",
                "param": "input[2].type",
            }
        },
        {"error": {"message": "item['content'] of a reasoning item must be a non-empty array"}},
        {"error": {"code": "invalid_encrypted_content", "message": "No."}},
        {"error": {"message": "Item with id 'rs_1' not found."}},
    ],
)
def test_reasoning_in_anybodys_words(error: Any) -> None:
    """By the item that is pointed at, or in words; without reasoning there is nothing to leave out."""
    assert first(error) == ("reasoning", {"reasoning_replay": "none"})


@pytest.mark.parametrize(
    ("error", "lasting"),
    [
        ({"code": "invalid_encrypted_content", "message": "No."}, False),
        ({"message": "Item 'rs_1' of type 'reasoning' was provided without its required following item."}, False),
        ({"message": "reasoning items are not supported"}, True),
    ],
)
def test_a_seal_that_does_not_open_is_no_lesson(error: Any, lasting: bool) -> None:
    """The next conversation's may."""
    found = next(remedies(failure_of({"error": error}, status=400), {"input": TALK}, OPENAI))

    assert found.lasting is lasting


@cases(
    "error",
    [
        {"error": {"message": "Field required", "param": "input[3].id"}},
        {"detail": [{"loc": ["body", "input", 3, "content"], "msg": "Input should be a valid list"}]},
        {"error": {"message": "Cannot determine type of 'item'"}},
        {"error": {"message": "Invalid value: 'output_text'. Supported values are: 'input_text'."}},
        {"error": {"message": "missing field `id`"}},
    ],
)
@cases("spelling", SPELLINGS)
def test_the_next_spelling(spelling: str, error: Any) -> None:
    """All that are left, each once."""
    profile = attrs.evolve(OPENAI, assistant_text=spelling)
    items = [item for item in TALK if item["type"] != "reasoning"]
    items.insert(0, TALK[0])
    found = [*remedies(failure_of(error, status=400), {"input": items}, profile)]

    told = [remedy.changes["assistant_text"] for remedy in found if remedy.name == "assistant_text"]
    assert set(told) == set(SPELLINGS) - {spelling}


@cases(
    "failure",
    [
        Failure(Kind.RATE_LIMIT, "Unknown parameter: 'store'."),
        Failure(Kind.UPSTREAM, "Unknown parameter: 'store'."),
        Failure(Kind.INVALID_REQUEST, "prompt is too long", cause="context_length_exceeded"),
        Failure(Kind.INVALID_REQUEST, "Missing required parameter: 'input'.", places=("input",)),
        Failure(Kind.INVALID_REQUEST, "temperature must be at most 2", places=("temperature",)),
        Failure(Kind.INVALID_REQUEST, "Invalid schema for function 'look'", places=("tools[0].function.parameters",)),
        Failure(Kind.INVALID_REQUEST, "Items are not stored"),
        Failure(Kind.INVALID_REQUEST, "Please store your key safely, it is not known"),
        Failure(Kind.INVALID_REQUEST, "Invalid value for 'temperature': must be <= 2"),
        Failure(Kind.INVALID_REQUEST, "No reasoning was expected"),
        Failure(Kind.INVALID_REQUEST, "The tool may include a name"),
    ],
)
def test_what_is_not_healed(failure: Failure) -> None:
    """A wish that is merely wrong, a word of English, another kind of failure: the client hears of it."""
    assert [*remedies(failure, {"input": TALK[:2]}, OPENAI)] == []


@cases("field", REFUSED_FIELDS, ids=lambda field: field.name)
def test_every_row_is_a_field_of_a_profile(field: Field) -> None:
    """So that a setting can say the same for good."""
    assert isinstance(getattr(OPENAI, field.change), bool)


@given(st.text(max_size=100), st.lists(st.text(max_size=30), max_size=3))
def test_any_refusal_can_be_read(message: str, places: list[str]) -> None:
    """Whatever it says and names."""
    failure = Failure(Kind.INVALID_REQUEST, message, places=tuple(places))

    assert all(remedy.changes for remedy in remedies(failure, {"input": TALK}, OPENAI))
