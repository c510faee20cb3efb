"""What a model would read out of a prompt in plain words: which tool it is about, and the values that a call needs.

This is little, and on purpose: enough for the suites of other people, whose prompts hold no directives.  A tool is
meant whose name has a long word of the prompt's; a number in it goes where a number is asked for, and what stands
between quotes where a text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.emulator.example import example

LONG_WORD = 5
"""Letters of a word that says what a tool is about; shorter ones stand in every prompt."""

_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?!\w|\.\w)")
_QUOTED = re.compile(r"(?<!\w)(?:'([^'\n]{1,200})'|\"([^\"\n]{1,200})\"|`([^`\n]{1,200})`)(?!\w)")


def meant_tool(prompt: str, tools: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The first tool whose name, made of several words, shares a long one with a prompt; None where none does."""
    said = {word.lower() for word in _WORD.findall(prompt) if len(word) >= LONG_WORD}
    return next((tool for tool in tools if "_" in tool["name"] and said & _words_of(tool["name"])), None)


def _words_of(name: str) -> set[str]:
    return {word for word in name.lower().split("_") if len(word) >= LONG_WORD}


def arguments_from(prompt: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The plainest arguments that a schema accepts, with what the prompt says in the places where that fits."""
    made: dict[str, Any] = example({"type": "object", **schema})
    numbers, texts = _numbers(prompt), (next(filter(None, found)) for found in _QUOTED.findall(prompt))
    for name, plainest in made.items():
        wanted = schema.get("properties", {}).get(name)
        if not isinstance(wanted, dict):
            continue
        if wanted.get("type") in ("integer", "number"):
            made[name] = next((number for number in numbers if _accepts(wanted, number)), plainest)
        elif wanted.get("type") == "string" and not wanted.keys() & {"enum", "const", "format", "pattern"}:
            made[name] = next(texts, plainest)
    return made


def _numbers(prompt: str) -> Iterator[float]:
    for text in _NUMBER.findall(prompt):
        yield float(text) if "." in text else int(text)


def _accepts(wanted: dict[str, Any], number: float) -> bool:
    whole = wanted["type"] == "number" or isinstance(number, int)
    return whole and wanted.get("minimum", number) <= number <= wanted.get("maximum", number)
