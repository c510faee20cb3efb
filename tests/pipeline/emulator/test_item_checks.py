"""Input items that the real API refuses are refused in its words."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.emulator.answer import answer
from tests.pipeline.emulator.talk import asked, assistant, refusal, refuses, sealed, user

_CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
_OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "x"}


@pytest.mark.parametrize(
    ("request_", "message", "param", "code"),
    [
        ({"input": [user("x"), _CALL]}, "No tool output found for function call c1.", "input", None),
        ({"input": [_OUTPUT]}, "No tool call found for function call output with call_id c1.", "input", None),
        ({"input": [_OUTPUT, _CALL]}, "No tool call found for function call output with call_id c1.", "input", None),
        (
            {"input": [{**_CALL, "call_id": "c" * 65}]},
            (
                "Invalid 'input[0].call_id': string too long. Expected a string with maximum length 64, "
                "but got a string with length 65 instead."
            ),
            "input[0].call_id",
            "string_above_max_length",
        ),
        (
            {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
            "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
            "input[0].content[0]",
            "invalid_value",
        ),
        (
            {"input": [{**_CALL, "id": "toolu_1"}]},
            "Invalid 'input[0].id': 'toolu_1'. Expected an ID that begins with 'fc'.",
            "input[0].id",
            "invalid_value",
        ),
    ],
)
def test_refused(request_: dict[str, Any], message: str, param: str | None, code: str | None) -> None:
    """Each mistake gets its message, the parameter it is about, and its code."""
    refuses(request_, message, param, code)


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"role": "tool", "content": []}, "input[0].role"),
        ({**_CALL, "name": "a b"}, "input[0].name"),
        ({"type": "item_reference", "id": "rs_1"}, "input"),
    ],
)
def test_other_items_are_refused(item: dict[str, Any], param: str) -> None:
    """A role of another API, a call of an impossible name, and a reference where nothing is stored."""
    assert refusal(input=[item])["param"] == param


@pytest.mark.parametrize("kind", ["tool_use", "thinking"])
def test_unknown_items_are_refused(kind: str) -> None:
    """An item type that is not of this API, such as one of the other API, is an invalid value."""
    error = refusal(input=[{"type": kind}])

    assert (error["param"], error["code"]) == ("input[0].type", "invalid_value")


def test_reasoning_comes_back() -> None:
    """What the emulator has sealed it accepts, from another conversation too, as no state is needed to know it."""
    assert answer(asked("x", input=[user("[[think]]"), *sealed(), user("next")])).status == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"encrypted_content": "gAAAAABforeign"}, "could not be decrypted or parsed."),
        ({"encrypted_content": "not base64 \u00e9"}, "could not be decrypted or parsed."),
        ({"id": "rs_another"}, "item_id did not match the target item id."),
    ],
)
def test_foreign_reasoning_is_refused(change: dict[str, str], reason: str) -> None:
    """A seal of somebody else, or of another item, is `invalid_encrypted_content`, and is not quoted whole."""
    reasoning, message = sealed()
    error = refusal(input=[user("x"), {**reasoning, **change}, message, user("next")])

    assert (error["code"], error["param"]) == ("invalid_encrypted_content", None)
    assert error["message"].endswith(reason)


def test_a_changed_seal_is_refused() -> None:
    """One character is enough."""
    reasoning, message = sealed()
    content = reasoning["encrypted_content"]
    changed = content[:40] + ("A" if content[40] != "A" else "B") + content[41:]

    assert refusal(input=[{**reasoning, "encrypted_content": changed}, message])["code"] == "invalid_encrypted_content"


def test_reasoning_needs_its_seal_and_its_follower() -> None:
    """A bare id is not found, since nothing is stored, and reasoning before a user message is an orphan."""
    reasoning, _ = sealed()
    bare = {key: value for key, value in reasoning.items() if key != "encrypted_content"}

    assert f"Item with id '{reasoning['id']}' not found." in refusal(input=[bare, assistant("x")])["message"]
    assert "without its required following item" in refusal(input=[reasoning, user("x")])["message"]
    assert "without its required following item" in refusal(input=[user("x"), reasoning])["message"]
