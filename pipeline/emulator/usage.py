"""Token counts and the prompt cache: simple, deterministic, and right about what a prefix is.

A token is four bytes of text here.  What matters is that counts grow with what is sent, and that a request which only
appends to an earlier one of the same `prompt_cache_key` finds that one cached, while any edit before its end finds
only what stands before the breakpoints that come before the edit.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from pipeline.emulator.breakpoints import MARK, ends_marked, split_at_marks
from pipeline.emulator.loop import items
from pipeline.emulator.response import EmulatedUsage, writes_cache
from pipeline.emulator.scenario import ReasoningItem, Scenario
from stages.wire import json

_IMAGE = 3000
"""Bytes that an image or a file inside the request counts for, however large it is."""

_SETTINGS = ("instructions", "tools", "text")

WRITTEN = 3
"""Marked breakpoints of a request that are written to the cache, the latest; one more stands at the end by itself."""

TAIL = 8
"""Tokens at the end of every prompt that no cache holds, as in the recordings: 4012 of 4020 are written, then read."""


def count_input(request: dict[str, Any]) -> int:
    """Count the tokens of a request's input, its instructions and its tools."""
    return sum(map(_tokens, _sections(request)))


def count_usage(request: dict[str, Any], scenario: Scenario, cached: int) -> EmulatedUsage:
    """Count what a scenario costs, of whose input `cached` tokens were sent before."""
    whole = count_input(request)
    cached = max(0, cached - TAIL)
    return EmulatedUsage(
        input=whole,
        cached=cached,
        written=max(0, whole - TAIL - cached) if writes_cache(request["model"]) else 0,
        output=sum(item.size for item in scenario.items),
        reasoning=sum(item.size for item in scenario.items if isinstance(item, ReasoningItem)),
    )


class PrefixCache:
    """Remembers the inputs it has seen, as digests, the most recent `size` of them.

    Unlike the real cache it has no smallest prefix (1024 tokens there), so that short demonstrations show something.
    """

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def visit(self, request: dict[str, Any]) -> int:
        """Tell how many tokens of a request's input are known from an earlier one, and remember all of them."""
        cached, tokens, last = 0, 0, b""
        marked: list[bytes] = []
        for digest, section in _prefixes(request):
            tokens, last = tokens + _tokens(section), digest
            if digest in self._known:
                cached = tokens
                self._known.move_to_end(digest)
            if ends_marked(section):
                marked.append(digest)
        self._known |= dict.fromkeys([*marked[-WRITTEN:], last])
        while len(self._known) > self._size:
            self._known.popitem(last=False)
        return cached


def _prefixes(request: dict[str, Any]) -> Iterator[tuple[bytes, Any]]:
    """Yield a digest of the input up to each section, and that section."""
    rolling = hashlib.sha256(json.encode([request.get("model"), request.get("prompt_cache_key")]))
    for section in _sections(request):
        rolling.update(json.encode(_bare(section)))
        yield rolling.digest(), section


def _sections(request: dict[str, Any]) -> list[Any]:
    """List what makes the prompt, in the order the model sees it: settings first, as one, then every item.

    An item that breakpoints stand within is as many sections as they make of it.
    """
    settings = {name: request[name] for name in _SETTINGS if request.get(name)}
    return [settings, *(piece for item in items(request) for piece in split_at_marks(item))]


def _bare(section: Any) -> Any:
    """A section without its marks, which are no part of what the model reads."""
    if isinstance(section, dict):
        return {key: _bare(value) for key, value in section.items() if key != MARK}
    return [_bare(value) for value in section] if isinstance(section, list) else section


def _tokens(section: Any) -> int:
    return (_weight(section) + 3) // 4


def _weight(value: Any) -> int:
    """Count the bytes of all text within a value."""
    if isinstance(value, str):
        return _IMAGE if value.startswith("data:") else len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, dict):
        return sum(len(key) + _weight(one) for key, one in value.items() if key != MARK)
    if isinstance(value, list):
        return sum(map(_weight, value))
    return 0 if value is None else 4
