"""How long an upstream asks to wait, read from its sentence: inside a stream there are no headers that tell it."""

from __future__ import annotations

import math
import re

_UNITS = (
    ("ms", 0.001, r"ms|milli-?seconds?"),
    ("s", 1.0, r"s|secs?|second(?:es?|s)?|se[cgk]und(?:[eo]s?|en|as)|秒"),
    ("m", 60.0, r"m|mins?|minutes?|分钟"),
    ("h", 3600.0, r"h|hrs?|hours?|小时"),
    ("d", 86_400.0, r"d|days?|天"),
)
"""A unit's name here, its seconds, and how it is written; the ones that others begin with come first."""

_PIECE = (
    r"(\d{1,9}(?:\.\d{1,9})?)\s?(?:" + "|".join(f"(?P<{name}>{words})" for name, _, words in _UNITS) + r")(?![a-z])"
)
_SPAN = re.compile(_PIECE, re.IGNORECASE)
_UNNAMED = re.sub(r"\?P<\w+>", "?:", _PIECE)
_SPAN_IN_WORDS = rf"(?P<span>{_UNNAMED}(?:[\s,]{{0,2}}(?:and\s)?{_UNNAMED}){{0,4}})"
_ASKS = re.compile(
    r"(?:retry|try|request|available|allowed|wait|resets?|again|cool(?:ing)? ?down|back-?off|essayez|intente|重试)"
    r"[^\d\n]{0,40}?" + _SPAN_IN_WORDS,
    re.IGNORECASE,
)
_BEFORE = re.compile(_SPAN_IN_WORDS + r"[^\d\n]{0,30}(?:before|until|then|retry|erneut|后)[^\n]{0,20}", re.IGNORECASE)
_BARE = re.compile(
    r"(?:(?:retry|try again)[\s_-](?:after|in)[:\s]{1,3}|retry_delay ?\{\s{0,9}seconds: )"
    r"(?P<span>\d{1,6})(?:\.\d{1,9})?(?![\w.:])",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\b(?:after|in)[:\s]{1,3}(?P<h>\d{1,2}):(?P<m>[0-5]\d):(?P<s>[0-5]\d)(?![\w:])", re.IGNORECASE)


def wait_in(sentence: str) -> int | None:
    """Find the seconds to wait, rounded up; None when none are told."""
    for pattern in (_ASKS, _BEFORE):
        if found := pattern.search(sentence):
            return math.ceil(_seconds(found["span"]))
    if clock := _CLOCK.search(sentence):
        return int(clock["h"]) * 3600 + int(clock["m"]) * 60 + int(clock["s"])
    bare = _BARE.search(sentence)
    return int(bare["span"]) if bare else None


def _seconds(span: str) -> float:
    """Add up the pieces of a span such as `1m26.4s` or `2 minutes and 5 seconds`."""
    return sum(
        float(piece[1]) * scale
        for piece in _SPAN.finditer(span)
        for name, scale, _ in _UNITS
        if piece[name] is not None
    )
