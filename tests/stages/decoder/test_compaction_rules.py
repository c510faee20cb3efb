"""What is wrong with summaries is said with the `error_code` that Anthropic's SDKs branch on."""

from __future__ import annotations

from typing import Any

import pytest

from stages.wire.summary_seal import SEAL_PREFIX, seal
from tests.stages.decoder.bodies import ASSISTANT, THINKING, TOOL, USER, body, refused, taken
from tests.support.cases import cases

SUMMARIZE = {"type": "summarize"}
SYSTEM = {"role": "system", "content": "s"}
CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]}

ELSEWHERE: tuple[dict[str, Any], ...] = (
    {"context_management": {"edits": []}},
    {"stop_sequences": ["."]},
    {"output_config": {"format": {"type": "json_schema", "schema": {}}}},
    {"output_format": {"type": "json_schema", "schema": {}}},
    {"tools": [TOOL], "tool_choice": {"type": "any"}},
    {"max_tokens": 0},
)
"""What only an answer can have."""


def summary(content: str | None, signature: str | None = None, role: str = "assistant") -> dict[str, Any]:
    """A message that is a summary."""
    return {"role": role, "content": [{"type": "compaction", "content": content, "signature": signature}]}


@cases(
    ("fields", "error_code"),
    [
        ({"compaction": SUMMARIZE, "messages": [USER, CALL]}, "compaction_incomplete_turn"),
        (
            {"compaction": SUMMARIZE, "messages": [SYSTEM]},
            "compaction_nothing_to_summarize",
        ),
        ({"messages": [USER, summary("s", role="system")]}, "compaction_block_misplaced"),
        ({"messages": [summary("s", f"{SEAL_PREFIX}AAAA"), USER]}, "compaction_signature_invalid"),
        ({"messages": [summary("another", seal("s")), USER]}, "compaction_content_mismatch"),
        ({"messages": [summary(""), USER]}, None),
        ({"compaction": {"type": "later"}}, None),
        ({"compaction": "summarize"}, None),
        *(({"compaction": SUMMARIZE, **other}, None) for other in ELSEWHERE),
    ],
)
def test_what_is_refused(fields: dict[str, Any], error_code: str | None) -> None:
    """A 400 each."""
    assert refused(body(**fields)).error_code == error_code


@pytest.mark.parametrize(
    "fields",
    [
        {"compaction": SUMMARIZE, "messages": [USER, ASSISTANT]},
        {"compaction": SUMMARIZE, "tools": [TOOL], "tool_choice": {"type": "auto"}},
        {"compaction": SUMMARIZE, "max_tokens": 4096, "thinking": THINKING},
        {"compaction": None, "messages": [USER, CALL]},
        {"messages": [summary("s", seal("s")), USER]},
        {"messages": [summary("s", "of another service"), USER]},
        {"messages": [summary("s")]},
        {"messages": [USER, summary(None), USER]},
    ],
)
def test_what_is_taken(fields: dict[str, Any]) -> None:
    """The other side; another service's seal is not ours to judge."""
    taken(body(**fields))


def test_a_count_asks_for_no_summary() -> None:
    """The field is passed over there."""
    taken(body(compaction=SUMMARIZE, messages=[USER, CALL], max_tokens=...), counting=True)
