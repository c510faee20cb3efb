"""Breakpoints of the prompt cache: which parts carry one, which may, and what they make of an item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.emulator.faults import Fault, invalid
from pipeline.emulator.loop import items
from pipeline.emulator.response import writes_cache

MARK = "prompt_cache_breakpoint"
"""The field of a part behind which a prefix ends."""

_TIMES = (None, "30m", "12h")
_OPTIONS = ("mode", "ttl", "prewarm", "comparison_response_id")
_LISTS = ("content", "output")


def options(request: dict[str, Any]) -> Fault | None:
    """Refuse settings of the cache for models that take none, unknown ones, and a wish to prepare it that is none."""
    asked = request.get("prompt_cache_options")
    if asked is None:
        return None
    if not writes_cache(request["model"]):
        message = "Unsupported parameter: 'prompt_cache_options' is not supported with this model."
        return invalid(message, "prompt_cache_options")
    unknown = next((f"prompt_cache_options.{name}" for name in asked if name not in _OPTIONS), None)
    if unknown:
        return invalid(f"Unknown parameter: '{unknown}'.", unknown, "unknown_parameter")
    if not isinstance(asked.get("prewarm", False), bool):
        where = "prompt_cache_options.prewarm"
        return invalid(f"Invalid type for '{where}': expected a boolean.", where, "invalid_type")
    return None


def misplaced(request: dict[str, Any]) -> Fault | None:
    """Refuse breakpoints for models that take none, on parts that went out, and of another form than theirs."""
    return next(_faults(request), None)


def _faults(request: dict[str, Any]) -> Iterator[Fault]:
    for place, part in _marked(request):
        mark, where = part[MARK], f"{place}.{MARK}"
        if not writes_cache(request["model"]):
            yield invalid(f"Unsupported parameter: '{where}' is not supported with this model.", where)
        elif not str(part.get("type")).startswith("input_"):
            yield invalid(f"Unknown parameter: '{where}'.", where, "unknown_parameter")
        elif not isinstance(mark, dict) or mark.get("mode") != "explicit" or mark.get("ttl") not in _TIMES:
            yield invalid(f"Invalid value for '{where}'.", where, "invalid_value")


def _marked(request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for at, item in enumerate(items(request)):
        for name in _LISTS:
            for index, part in enumerate(_parts(item, name)):
                if MARK in part:
                    yield f"input[{at}].{name}[{index}]", part


def ends_marked(section: dict[str, Any]) -> bool:
    """Tell whether the last part of an item carries a breakpoint."""
    return any(parts and MARK in parts[-1] for parts in (_parts(section, name) for name in _LISTS))


def split_at_marks(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Cut an item behind each breakpoint in it; one without any stays whole."""
    name = next((name for name in _LISTS if any(MARK in part for part in _parts(item, name))), None)
    if name is None:
        yield item
        return
    parts, begun = _parts(item, name), 0
    for index, part in enumerate(parts, start=1):
        if MARK in part or index == len(parts):
            yield {**item, name: parts[begun:index]}
            begun = index


def _parts(item: dict[str, Any], name: str) -> list[dict[str, Any]]:
    parts = item.get(name)
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
