"""Requests that the real API refuses are refused in its words."""

from __future__ import annotations

from typing import Any

from pipeline.emulator.answer import answer
from tests.pipeline.emulator.talk import BASH, refuses
from tests.support.cases import cases


@cases(
    ("request_", "message", "param", "code"),
    [
        ({"top_k": 3}, "Unknown parameter: 'top_k'.", "top_k", "unknown_parameter"),
        ({"model": None}, "Missing required parameter: 'model'.", "model", "missing_required_parameter"),
        (
            {"max_output_tokens": 1},
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead.",
            "max_output_tokens",
            "integer_below_min_value",
        ),
        (
            {"tools": [{**BASH, "parameters": {}}]},
            (
                "Invalid schema for function 'Bash': schema must be a JSON Schema of 'type: \"object\"', "
                "got 'type: \"None\"'."
            ),
            "tools[0].parameters",
            "invalid_function_parameters",
        ),
        (
            {"tool_choice": {"type": "function", "name": "gone"}},
            "Tool choice 'function' not found in 'tools' parameter.",
            "tool_choice",
            None,
        ),
        (
            {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "gone"}]}},
            "Tool choice 'gone' not found in 'tools' parameter.",
            "tool_choice.tools[0]",
            None,
        ),
        (
            {"tool_choice": {"type": "allowed_tools", "mode": "none", "tools": []}},
            "Invalid value: 'none'. Supported values are: 'auto' and 'required'.",
            "tool_choice.mode",
            "invalid_value",
        ),
        (
            {"model": "gpt-5.4", "prompt_cache_options": {"prewarm": True}},
            "Unsupported parameter: 'prompt_cache_options' is not supported with this model.",
            "prompt_cache_options",
            None,
        ),
        (
            {"model": "gpt-6", "prompt_cache_options": {"prewarm": 1}},
            "Invalid type for 'prompt_cache_options.prewarm': expected a boolean.",
            "prompt_cache_options.prewarm",
            "invalid_type",
        ),
        (
            {"previous_response_id": "resp_1"},
            "Previous response with id 'resp_1' not found.",
            "previous_response_id",
            "previous_response_not_found",
        ),
        ({"input": ["x"]}, "Invalid type for 'input[0]': expected an object.", "input[0]", "invalid_type"),
    ],
)
def test_refused(request_: dict[str, Any], message: str, param: str | None, code: str | None) -> None:
    """Each mistake gets its message, the parameter it is about, and its code."""
    refuses(request_, message, param, code)


def test_input_is_required() -> None:
    """A request without `input` is refused."""
    error = answer({"model": "m"}).body["error"]

    assert (error["param"], error["code"]) == ("input", "missing_required_parameter")
