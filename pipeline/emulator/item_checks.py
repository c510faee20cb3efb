"""Checks of the input items: their shapes, who belongs to whom, and whose reasoning it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.emulator.faults import Fault, invalid
from pipeline.emulator.ids import unseal
from pipeline.emulator.loop import items
from pipeline.emulator.name_checks import MAX_FUNCTION_NAME, checked_name, name_too_long

_ITEMS = frozenset(
    {
        "additional_tools",
        "apply_patch_call",
        "apply_patch_call_output",
        "code_interpreter_call",
        "compaction",
        "compaction_trigger",
        "computer_call",
        "computer_call_output",
        "configuration_update",
        "custom_tool_call",
        "custom_tool_call_output",
        "file_search_call",
        "function_call",
        "function_call_output",
        "image_generation_call",
        "item_reference",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "message",
        "program",
        "program_output",
        "reasoning",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
    }
)
_PARTS = {
    "assistant": ("output_text", "refusal"),
    "user": ("input_text", "input_image", "input_file"),
    "system": ("input_text", "input_image", "input_file"),
    "developer": ("input_text", "input_image", "input_file"),
}
_PREFIXES = {"function_call": "fc", "message": "msg", "reasoning": "rs", "web_search_call": "ws"}
_NOT_THE_MODEL = frozenset({"function_call_output", "custom_tool_call_output", "none"})


def item_shapes(request: dict[str, Any]) -> Fault | None:
    """Every item has a known type, parts that its role may have, and names and ids within their limits."""
    for index, item in enumerate(items(request)):
        where = f"input[{index}]"
        kind = item.get("type", "message")
        if kind not in _ITEMS:
            return _unsupported(kind, sorted(_ITEMS), f"{where}.type")
        found = _item_id(item, kind, where) or _parts(item, kind, where)
        if kind == "function_call":
            found = found or checked_name(item.get("name"), f"{where}.name")
        if found or (found := _call_id(item, where)):
            return found
    return None


def _item_id(item: dict[str, Any], kind: str, where: str) -> Fault | None:
    prefix, named = _PREFIXES.get(kind), item.get("id")
    if prefix is None or named is None or str(named).startswith(prefix):
        return None
    message = f"Invalid '{where}.id': '{named}'. Expected an ID that begins with '{prefix}'."
    return invalid(message, f"{where}.id", "invalid_value")


def _parts(item: dict[str, Any], kind: str, where: str) -> Fault | None:
    content = item.get("content")
    if kind != "message" or not isinstance(content, list):
        return None
    role = item.get("role")
    if role not in _PARTS:
        return _unsupported(role, sorted(_PARTS), f"{where}.role")
    for index, part in enumerate(content):
        if part.get("type") not in _PARTS[role]:
            return _unsupported(part.get("type"), _PARTS[role], f"{where}.content[{index}]")
    return None


def _call_id(item: dict[str, Any], where: str) -> Fault | None:
    named = item.get("call_id")
    return (
        name_too_long(named, f"{where}.call_id") if isinstance(named, str) and len(named) > MAX_FUNCTION_NAME else None
    )


def _unsupported(value: Any, supported: list[str] | tuple[str, ...], param: str) -> Fault:
    *most, last = (f"'{one}'" for one in supported)
    listed = f"{', '.join(most)}{',' if len(most) > 1 else ''} and {last}"
    return invalid(f"Invalid value: '{value}'. Supported values are: {listed}.", param, "invalid_value")


def pairs(request: dict[str, Any]) -> Fault | None:
    """Every call has its output, and every output stands behind its call."""
    called: set[str] = set()
    answered: set[str] = set()
    for item in items(request):
        named = str(item.get("call_id"))
        if item.get("type") == "function_call":
            called.add(named)
        elif item.get("type") == "function_call_output":
            if named not in called:
                return invalid(f"No tool call found for function call output with call_id {named}.", "input")
            answered.add(named)
    missing = next((one for one in _call_order(request) if one not in answered), None)
    return invalid(f"No tool output found for function call {missing}.", "input") if missing else None


def _call_order(request: dict[str, Any]) -> Iterator[str]:
    return (str(item.get("call_id")) for item in items(request) if item.get("type") == "function_call")


def reasoning_checks(request: dict[str, Any]) -> Fault | None:
    """Every reasoning item carries our own seal, made for it, and stands before what it led to."""
    sent = items(request)
    for item, following in zip(sent, [*sent[1:], {"type": "none"}], strict=True):
        if item.get("type") == "reasoning" and (found := _seal(item) or _orphan(item, following)):
            return found
    return None


def _seal(item: dict[str, Any]) -> Fault | None:
    encrypted, named = item.get("encrypted_content"), item.get("id")
    if not encrypted:
        message = (
            f"Item with id '{named}' not found. Items are not persisted when `store` is set to false. "
            "Try again with `store` set to true, or remove this item from your input."
        )
        return invalid(message, "input")
    known = unseal(str(encrypted))
    if known is not None and named in (known, None):
        return None
    reason = "item_id did not match the target item id" if known else "could not be decrypted or parsed"
    shown = f"{str(encrypted)[:4]}...{str(encrypted)[-4:]}"
    message = f"The encrypted content {shown} could not be verified. Reason: Encrypted content {reason}."
    return invalid(message, None, "invalid_encrypted_content")


def _orphan(item: dict[str, Any], following: dict[str, Any]) -> Fault | None:
    if following.get("role", "assistant") == "assistant" and following.get("type") not in _NOT_THE_MODEL:
        return None
    message = f"Item '{item.get('id')}' of type 'reasoning' was provided without its required following item."
    return invalid(message, "input")


def reference_checks(request: dict[str, Any]) -> Fault | None:
    """Nothing is stored here, so nothing can be referred to."""
    if named := request.get("previous_response_id"):
        message = f"Previous response with id '{named}' not found."
        return invalid(message, "previous_response_id", "previous_response_not_found")
    named = next((item.get("id") for item in items(request) if item.get("type") == "item_reference"), None)
    return invalid(f"Item with id '{named}' not found.", "input") if named else None
