"""Checks of names: what the API takes for a function's name, and how long names and ids may be."""

from __future__ import annotations

import re
from typing import Any

from pipeline.emulator.faults import Fault, invalid

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_NAME_PATTERN = "^[a-zA-Z0-9_-]+$"
MAX_FUNCTION_NAME = 64
"""Characters of a function name or a call id."""


def checked_name(name: Any, param: str) -> Fault | None:
    """Refuse a function name that is absent, longer than 64, or not of letters, digits, `_` and `-`."""
    if not isinstance(name, str):
        return invalid(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")
    if len(name) > MAX_FUNCTION_NAME:
        return name_too_long(name, param)
    if _NAME.fullmatch(name) is None:
        message = (
            f"Invalid '{param}': string does not match pattern. "
            f"Expected a string that matches the pattern '{_NAME_PATTERN}'."
        )
        return invalid(message, param, "invalid_value")
    return None


def name_too_long(value: str, param: str) -> Fault:
    """Refuse a string of more than 64 characters."""
    message = (
        f"Invalid '{param}': string too long. Expected a string with maximum length {MAX_FUNCTION_NAME}, "
        f"but got a string with length {len(value)} instead."
    )
    return invalid(message, param, "string_above_max_length")
