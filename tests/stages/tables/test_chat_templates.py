"""What chat templates refuse, in words that were seen, and what the profile lacks then."""

from __future__ import annotations

import attrs
import pytest

from stages.canonical.failure import Kind
from stages.tables.chat_templates import TEMPLATE_RULES, is_of_a_template, lacking
from stages.tables.errors import failure_of
from stages.tables.profiles import PROFILES, Profile
from tests.support.cases import cases
from tests.support.chat_templates import ENGINES

LATE, NONE = ("late_system",), ("late_system", "system_role")
TURNS, ROLE = ("late_system", "role_repeats"), ("developer_role", "late_system", "system_role")

REFUSALS: list[tuple[str, tuple[str, ...]]] = [
    ("System message must be at the beginning.", LATE),
    ("System messages must come first.", LATE),
    ("Unexpected role 'system' after role 'user'", LATE),
    ("Only user and assistant roles are supported, with the exception of an initial optional system message!", LATE),
    ("System role not supported", NONE),
    ("This model does not support the system role", NONE),
    ("Only user and assistant roles are supported!", NONE),
    ("Conversation roles must alternate user/assistant/user/assistant/...", TURNS),
    (
        "After the optional system message, conversation roles must alternate user and assistant roles except for …",
        TURNS,
    ),
    ("Unexpected role 'user' after role 'tool'", TURNS),
    ("messages: consecutive user messages are not allowed", TURNS),
    ("Unexpected message role.", ROLE),
    ("Unknown message role: developer", ROLE),
    ("Only user, system and assistant roles are supported!", ROLE),
    ("This model only supports single tool-calls at once!", ("parallel_history",)),
    ("Tool call IDs should be alphanumeric strings with length 9!", ("long_call_ids",)),
    ("Failed to initialize samplers: failed to parse grammar", ("schema_limits",)),
    ("JSON schema conversion failed: Pattern must start with '^' and end with '$'", ("schema_limits",)),
    ("JSON schema error at #/properties/a: unrecognized", ("schema_limits",)),
    ("The provided JSON schema contains features not supported by xgrammar.", ("schema_limits",)),
    ("Tool call id was toolu_1 but must be a-z, A-Z, 0-9, with a length of 9.", ("long_call_ids",)),
]
"""A sentence, and the fields that are tried."""


@cases(("sentence", "fields"), REFUSALS)
@pytest.mark.parametrize("engine", ENGINES)
def test_words_of_templates(sentence: str, fields: tuple[str, ...], engine: str) -> None:
    """However an engine hands them on."""
    failure = failure_of(ENGINES[engine](sentence), status=400)

    assert failure.kind is Kind.INVALID_REQUEST
    assert tuple(lacking(failure.spoken or failure.message))[: len(fields)] == fields


@cases(
    "sentence",
    [
        "prompt is too long",
        "Unknown parameter: 'store'.",
        "Invalid value: 'developer'. Supported values are: 'system', 'user'.",
        "`parallel_tool_calls` is not supported by this model",
        "messages: roles are missing",
        "The tool call id call_1 has no result",
    ],
)
def test_other_words(sentence: str) -> None:
    """They are no template's."""
    assert tuple(lacking(sentence)) == ()
    assert not is_of_a_template(sentence)


def test_every_field_is_one_of_a_profile() -> None:
    """So that a setting can say the same for good."""
    fields = {field.name for field in attrs.fields(Profile) if getattr(PROFILES["openai"], field.name) is True}

    assert {name for rule in TEMPLATE_RULES for name in rule.lacks} <= fields


@pytest.mark.parametrize("status", [None, 400, 500])
def test_a_template_speaks_of_the_request(status: int | None) -> None:
    """So nobody waits for a server to recover, whatever its status says; a person reads the template's own words."""
    failure = failure_of(ENGINES["llama.cpp"]("This model does not support tools.")["error"]["message"], status=status)

    assert (failure.kind, failure.message) == (
        Kind.INVALID_REQUEST,
        "Jinja Exception: This model does not support tools.",
    )
