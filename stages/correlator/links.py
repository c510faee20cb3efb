"""Finds what models cite with: inline links, `([name](https://...))` as a rule, and private-use marks.

An annotation comes after the text it is about, and its text is such a link (recorded: all but one of 110).  So a link
is what must be held back for a moment, and nothing else needs to be.
"""

from __future__ import annotations

import re

UNDECIDED = -1
"""The end of something that may yet become a link."""

_MAX_MARK = 200
_MAX_LENGTH = 4096
_OPENING = re.compile("\\((?=\\[|\\Z)|\\[|\ue200")
_LABEL = re.compile(r"\[{1,3}[^\[\]\n]{0,200}")
_CLOSING = re.compile(r"\]{1,3}")
_IN_ADDRESS = re.compile(r"[()\s\[\]]")
_SCHEME = "http"
_MARK_END = "\ue201"


def find_link(text: str, at: int = 0) -> tuple[int, int] | None:
    """Find the first link at or after `at`: its begin and end, or `UNDECIDED` for an end that has not come."""
    for opening in _OPENING.finditer(text, at):
        begin = opening.start()
        end = _mark_end(text, begin) if text[begin] == "\ue200" else _link_end(text, begin)
        if end is None or (end == UNDECIDED and len(text) - begin > _MAX_LENGTH):
            continue
        return begin, end
    return None


def _mark_end(text: str, begin: int) -> int | None:
    """Where a private-use mark ends; one that is too long is none."""
    end = text.find(_MARK_END, begin, begin + _MAX_MARK)
    if end < 0:
        return UNDECIDED if len(text) - begin <= _MAX_MARK else None
    return end + 1


def _link_end(text: str, begin: int) -> int | None:
    """Where the link ends that begins here, its parentheses included; None if it is none."""
    bracket = begin + 1 if text[begin] == "(" else begin
    label = _LABEL.match(text, bracket)
    if label is None:
        return UNDECIDED  # nothing but the opening parenthesis has come
    closing = _CLOSING.match(text, label.end())
    if closing is None:
        return UNDECIDED if label.end() == len(text) else None
    if closing.end() == len(text):
        return UNDECIDED
    end = _address_end(text, closing.end() + 1) if text[closing.end()] == "(" else None
    if end is None or end == UNDECIDED or bracket == begin:
        return end
    if end == len(text):
        return UNDECIDED
    return end + 1 if text[end] == ")" else end


def _address_end(text: str, at: int) -> int | None:
    """Where an address in parentheses ends, the closing one included; parentheses in it come in pairs, no brackets."""
    if not _SCHEME.startswith(text[at : at + len(_SCHEME)]):
        return None
    depth = 1
    for found in _IN_ADDRESS.finditer(text, at, at + _MAX_LENGTH):
        if found[0] not in "()":
            return None
        depth += 1 if found[0] == "(" else -1
        if depth == 0:
            return found.end()
    return UNDECIDED
