"""Checks: the mistakes for which the real API refuses a request, and its words for them.

Not a full validator: these are the rules that a translator can break (`docs/facts/responses-api.md`).  The first
mistake found is the one reported, as the API does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.emulator import breakpoints, item_checks
from pipeline.emulator.faults import Fault, invalid
from pipeline.emulator.loop import declared
from pipeline.emulator.name_checks import checked_name

_PARAMETERS = frozenset(
    {
        "access_programs",
        "background",
        "background_options",
        "context_management",
        "conversation",
        "image",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "moderation",
        "parallel_tool_calls",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    }
)
_COUNTED = frozenset(
    {
        "conversation",
        "input",
        "instructions",
        "model",
        "parallel_tool_calls",
        "personality",
        "previous_response_id",
        "reasoning",
        "text",
        "tool_choice",
        "tools",
        "truncation",
    }
)
_MIN_OUTPUT = 16
Check = Callable[[dict[str, Any]], Fault | None]
"""Looks for one kind of mistake in a request."""


def refused(request: dict[str, Any]) -> Fault | None:
    """Tell why the API would refuse to answer a request; None if it would not."""
    return next((found for check in REQUEST_CHECKS if (found := check(request))), None)


def refused_count(request: dict[str, Any]) -> Fault | None:
    """Tell why the API would refuse to count a request: its counting endpoint takes fewer parameters."""
    unknown = next((name for name in request if name not in _COUNTED), None)
    return invalid(f"Unknown parameter: '{unknown}'.", unknown, "unknown_parameter") if unknown else None


def _unknown_parameter(request: dict[str, Any]) -> Fault | None:
    unknown = next((name for name in request if name not in _PARAMETERS), None)
    return invalid(f"Unknown parameter: '{unknown}'.", unknown, "unknown_parameter") if unknown else None


def _missing(request: dict[str, Any]) -> Fault | None:
    if not isinstance(request.get("model"), str) or not request["model"]:
        return invalid("Missing required parameter: 'model'.", "model", "missing_required_parameter")
    if not isinstance(request.get("input"), (str, list)):
        message = "One of 'input', 'previous_response_id', 'prompt' or 'conversation' must be provided."
        return invalid(message, "input", "missing_required_parameter")
    return None


def _objects(request: dict[str, Any]) -> Fault | None:
    """Input items and tools are objects; a check that comes later may rely on it."""
    sent = request["input"] if isinstance(request["input"], list) else []
    for name, values in (("input", sent), ("tools", request.get("tools") or [])):
        for index, value in enumerate(values):
            if not isinstance(value, dict):
                where = f"{name}[{index}]"
                return invalid(f"Invalid type for '{where}': expected an object.", where, "invalid_type")
    return None


def _too_little_output(request: dict[str, Any]) -> Fault | None:
    asked = request.get("max_output_tokens")
    if asked is None or asked >= _MIN_OUTPUT:
        return None
    message = (
        "Invalid 'max_output_tokens': integer below minimum value. "
        f"Expected a value >= {_MIN_OUTPUT}, but got {asked} instead."
    )
    return invalid(message, "max_output_tokens", "integer_below_min_value")


def _tools(request: dict[str, Any]) -> Fault | None:
    for index, tool in enumerate(request.get("tools") or []):
        if tool.get("type") != "function":
            continue
        where = f"tools[{index}]"
        if found := checked_name(tool.get("name"), f"{where}.name"):
            return found
        schema = tool.get("parameters")
        if schema is not None and schema.get("type") != "object":
            message = (
                f"Invalid schema for function '{tool['name']}': schema must be a JSON Schema of 'type: \"object\"', "
                f"got 'type: \"{schema.get('type')}\"'."
            )
            return invalid(message, f"{where}.parameters", "invalid_function_parameters")
    return None


def _tool_choice(request: dict[str, Any]) -> Fault | None:
    choice = request.get("tool_choice")
    if not isinstance(choice, dict):
        return None
    if choice.get("type") == "allowed_tools":
        return _allowed_tools(request, choice)
    if choice.get("type") != "function":
        return None
    if any(tool.get("name") == choice.get("name") for tool in request.get("tools") or []):
        return None
    return invalid("Tool choice 'function' not found in 'tools' parameter.", "tool_choice")


def _allowed_tools(request: dict[str, Any], choice: dict[str, Any]) -> Fault | None:
    """A list of tools that may be called has a mode, and names what is there to be called."""
    if choice.get("mode") not in ("auto", "required"):
        message = f"Invalid value: '{choice.get('mode')}'. Supported values are: 'auto' and 'required'."
        return invalid(message, "tool_choice.mode", "invalid_value")
    known = {_named(tool) for tool in declared(request)}
    for index, tool in enumerate(choice.get("tools") or [{}]):
        if _named(tool) not in known:
            message = f"Tool choice '{tool.get('name') or tool.get('type')}' not found in 'tools' parameter."
            return invalid(message, f"tool_choice.tools[{index}]")
    return None


def _named(tool: dict[str, Any]) -> tuple[Any, ...]:
    return tool.get("type"), tool.get("name"), tool.get("server_label")


REQUEST_CHECKS: tuple[Check, ...] = (
    _unknown_parameter,
    _missing,
    _objects,
    _too_little_output,
    _tools,
    _tool_choice,
    item_checks.item_shapes,
    breakpoints.options,
    breakpoints.misplaced,
    item_checks.reference_checks,
    item_checks.pairs,
    item_checks.reasoning_checks,
)
"""All checks, in the order in which mistakes are reported."""
