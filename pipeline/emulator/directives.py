"""Directives: how a person tells the emulator, inside an ordinary prompt, what to answer.

    turns  =  group { group }          one group a turn; other text may stand anywhere between them
    group  =  "[" step { "+" step } "]"   or   directive { "+" directive } on one line
    step   =  "[" word [ ":" tool ] [ argument ] "]"

`[[call:Read {"file_path": "/tmp/x"}]]` is a group of one step, `[[call:A {}]+[call:B {}]]` one of two, and so is
`[[think]]+[[call]]`. Arguments of a call are JSON, read by a JSON parser, so brackets inside them are no trouble;
other arguments end at the bracket that matches.  What does not parse is no directive: shell prompts are full of `[[`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from attrs import field, frozen

_OPEN = re.compile(r"\[\s*(?=\[)")
_STEP = re.compile(r"\[([a-z][a-z-]*)(?::([A-Za-z0-9_.-]+))?[ \t]*")
_PLUS = re.compile(r"[ \t]*\+[ \t]*(?=\[)")
_CLOSE = re.compile(r"\s*\]")
_json = json.JSONDecoder()


@frozen
class Directive:
    """One directive: its word, the tool it names, the JSON given for a call, and any other argument as text."""

    word: str
    tool: str | None = None
    arguments: Any = field(default=None, repr=False)
    text: str = field(default="", repr=False)

    def number(self, default: float, most: float) -> float:
        """Read the argument as a number from 0 to `most`; `default` where there is none."""
        try:
            return min(max(float(self.text.split()[0]), 0.0), most)
        except (IndexError, ValueError):
            return default


def parse_directives(text: str, known: frozenset[str]) -> tuple[tuple[Directive, ...], ...]:
    """Find the directives of a prompt.

    Args:
        text: what the person wrote.
        known: the words that are directives; anything else in double brackets is just text.

    Returns:
        One tuple of steps for each turn to be answered, in order.
    """
    groups: list[tuple[Directive, ...]] = []
    position = 0
    while opening := _OPEN.search(text, position):
        found = _group(text, opening.end(), known)
        if found is None:
            position = opening.start() + 1
            continue
        steps, end = found
        joined = bool(groups) and text[position : opening.start()].strip(" \t") == "+"
        if joined:
            groups[-1] += steps
        else:
            groups.append(steps)
        position = end
    return tuple(groups)


def _group(text: str, position: int, known: frozenset[str]) -> tuple[tuple[Directive, ...], int] | None:
    steps: list[Directive] = []
    while True:
        found = _step(text, position, known)
        if found is None:
            return None
        step, position = found
        steps.append(step)
        plus = _PLUS.match(text, position)
        if plus is None:
            break
        position = plus.end()
    close = _CLOSE.match(text, position)
    return None if close is None else (tuple(steps), close.end())


def _step(text: str, position: int, known: frozenset[str]) -> tuple[Directive, int] | None:
    head = _STEP.match(text, position)
    if head is None or head[1] not in known:
        return None
    word, tool, position = head[1], head[2], head.end()
    if tool is not None and text.startswith("{", position):
        return _call(word, tool, text, position)
    end = _matching(text, position)
    return None if end is None else (Directive(word, tool, text=text[position:end].strip()), end + 1)


def _call(word: str, tool: str, text: str, position: int) -> tuple[Directive, int] | None:
    try:
        arguments, end = _json.raw_decode(text, position)
    except (json.JSONDecodeError, RecursionError):
        return None
    close = _CLOSE.match(text, end)
    return None if close is None else (Directive(word, tool, arguments), close.end())


def _matching(text: str, position: int) -> int | None:
    """Find the bracket that closes the one opened just before `position`."""
    depth = 1
    for index in range(position, len(text)):
        depth += {"[": 1, "]": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return None
