"""API versions: what each refuses that another takes, and how an unknown one is answered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.request import Request
from stages.tables.versions import DEFAULT, VERSIONS, rules_of, version_complaint
from stages.wire.messages_request import structure

NEW = "2026-10-21"
CITING = {"type": "text", "text": "x", "citations": [{"type": "char_location"}]}
DOCUMENT = {"type": "document", "source": {"type": "text", "data": "x"}}
FOUND = {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "a"}, CITING]}
RESULT: dict[str, Any] = {"type": "tool_result", "tool_use_id": "t"}


def asking(*content: dict[str, Any], role: str = "user", **fields: Any) -> Request:
    """A request whose second message is this."""
    said = [{"role": "user", "content": "x"}, {"role": role, "content": list(content) or "y"}]
    return structure({"model": "m", "max_tokens": 1, "messages": said, **fields})


def complaints(request: Request, version: str) -> list[str]:
    """Everything that a version says about a request."""
    return [wrong for rule in rules_of(version) for wrong in rule(request)]


REFUSED: list[tuple[Request, str]] = [
    (asking(temperature=1), "temperature: Extra inputs are not permitted"),
    (asking(temperature=0.0), "temperature: Extra inputs are not permitted"),
    (asking(top_p=0.9), "top_p: Extra inputs are not permitted"),
    (asking(top_k=0), "top_k: Extra inputs are not permitted"),
    (
        asking({"type": "text", "text": "a"}, DOCUMENT, role="assistant"),
        "messages.1.content.1: `document` blocks are not permitted in assistant messages",
    ),
    (asking(CITING), "messages.1.content.0.citations: citations are not permitted on text of user messages"),
    (asking(FOUND), "messages.1.content.0.content.1.citations: citations are not permitted on text of user messages"),
    (
        asking({**RESULT, "content": [CITING]}),
        "messages.1.content.0.content.0.citations: citations are not permitted on text of user messages",
    ),
    (
        asking({**RESULT, "content": [FOUND]}),
        "messages.1.content.0.content.0.content.1.citations: citations are not permitted on text of user messages",
    ),
]


@pytest.mark.parametrize(("request_", "wrong"), REFUSED, ids=lambda value: value if isinstance(value, str) else "")
def test_the_new_version_refuses_what_the_old_one_takes(request_: Request, wrong: str) -> None:
    """Each with its place; without a version, the old one counts."""
    assert complaints(request_, NEW) == [wrong]
    assert complaints(request_, DEFAULT) == complaints(request_, "") == []


@pytest.mark.parametrize(
    "request_",
    [
        asking(unknown=1, top_k=None),
        asking(DOCUMENT),
        asking({**RESULT, "content": [DOCUMENT]}),
        asking(CITING, role="assistant"),
        asking({**CITING, "citations": []}, {**CITING, "citations": None}),
    ],
    ids=["unknown fields", "a user's document", "a tool's document", "an assistant's citation", "no citation"],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_every_version_takes(version: str, request_: Request) -> None:
    """Unknown fields stay tolerated, and the new rules go no further than they say."""
    assert complaints(request_, version) == []


@pytest.mark.parametrize("version", ["", *VERSIONS])
def test_known_versions(version: str) -> None:
    """No version at all is the one that nearly every client means."""
    assert version_complaint(version) is None


@pytest.mark.parametrize(
    ("version", "shown"),
    [
        ("2024-01-01", "2024-01-01"),
        ("2023-06-01 ", "2023-06-01 "),
        ('a"\r\n\x1b[2Jé', 'a"???[2J?'),
        ("x" * 5_000, "x" * 40),
    ],
)
def test_an_unknown_version_is_quoted_with_care(version: str, shown: str) -> None:
    """It is the client's text: bounded, and nothing but printable characters."""
    assert version_complaint(version) == f'anthropic-version: "{shown}" is not a valid version'


@given(st.text())
def test_any_version_is_answered(version: str) -> None:
    """The sentence stays short and printable."""
    said = version_complaint(version)

    assert said is None or (said.isascii() and said.isprintable() and len(said) < 90)
