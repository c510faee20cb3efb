"""Regular expressions of JSON schemas, which are JavaScript's, in the words of Python's `re`, the upstream's.

What is asked of a pattern is asked in time that grows with its length: it is compiled in a form that compiles quickly
and nothing is ever matched with it, because a few characters of a pattern can take Python's matcher years.
"""

from __future__ import annotations

import re
import warnings
from threading import Lock

from stages.schemas.nullability import may_be_empty

__all__ = ["LONGEST_PATTERN", "compiles", "may_be_empty", "to_python"]

LONGEST_PATTERN = 4096
"""Characters of a pattern that is compiled; what is longer counts as one that does not compile."""


def to_python(pattern: str) -> str | None:
    r"""Say a pattern in Python's dialect.

    Returns:
        The pattern itself wherever Python takes it; the same in Python's words where only those differ (named groups,
        code points in braces, "any character"); None when Python has no words for it, such as `\p{L}`.
    """
    if compiles(pattern):
        return pattern
    rewritten = _REWRITTEN.sub(_reword, pattern)
    return rewritten if rewritten != pattern and compiles(rewritten) else None


def compiles(pattern: str) -> bool:
    """Whether Python takes a pattern as it is, and it is no longer than `LONGEST_PATTERN`."""
    if len(pattern) > LONGEST_PATTERN:
        return False
    try:
        # What warnings do is the whole process's, and patterns are read in several threads.
        with _warnings, warnings.catch_warnings():
            # Sets that a later Python may read otherwise are not our reader's concern.
            warnings.simplefilter("ignore")
            re.compile(_cheap(pattern))
    except (re.error, RecursionError, OverflowError):
        return False
    return True


_warnings = Lock()


def _cheap(pattern: str) -> str:
    """Say a pattern in one that compiles if and only if it does, and quickly.

    `re` writes a range of characters out into a map, 20 ms for each that reaches far, and looks at every character of
    one that ignores case. So case is not ignored, and characters beyond ASCII move together, in the same order.
    """
    wide = sorted({point for found in _CHARACTER.finditer(pattern) if (point := _point(found)) >= _WIDE})
    moved = {point: chr(_WIDE + min(at, _WIDE - 1)) for at, point in enumerate(wide)}
    caseless = _CASELESS.sub(lambda found: _flags(found[1].replace("i", ""), found[2]), pattern)
    return _CHARACTER.sub(lambda found: moved.get(_point(found), found[0]), caseless) if wide else caseless


def _flags(others: str, end: str) -> str:
    return f"(?{others or 'u'})" if end == ")" else f"(?{others}{end}"


def _point(found: re.Match[str]) -> int:
    """The code point that a character, or its escape, stands for; -1 for other escapes, and for what is none."""
    digits = found["digits"]
    point = int(digits, 16) if digits else ord(found[0]) if len(found[0]) == 1 else -1
    return -1 if point > _LAST else point


_WIDE = 0x80
_LAST = 0x10FFFF
_CHARACTER = re.compile(
    r"\\(?:u(?=[0-9A-Fa-f]{4})|U(?=[0-9A-Fa-f]{8})|x(?=[0-9A-Fa-f]{2}))"
    r"(?P<digits>(?<=u)[0-9A-Fa-f]{4}|(?<=U)[0-9A-Fa-f]{8}|(?<=x)[0-9A-Fa-f]{2})|\\.|[^\x00-\x7f]",
    re.DOTALL,
)
_CASELESS = re.compile(r"\(\?([aLmsux]*i[aiLmsux]*)([):-])")
_REWRITTEN = re.compile(
    r"""
      \(\?<(?P<group>[A-Za-z_]\w*)>          # (?<name>
    | \\k<(?P<same>[A-Za-z_]\w*)>            # \k<name>
    | \\u\{(?P<point>[0-9A-Fa-f]{1,6})\}     # \u{1F600}
    | (?P<any>\[\^\])                        # [^]
    | \\.                                    # an escape that is both languages'
    """,
    re.VERBOSE | re.DOTALL,
)


def _reword(found: re.Match[str]) -> str:
    if found["group"]:
        return f"(?P<{found['group']}>"
    if found["same"]:
        return f"(?P={found['same']})"
    if found["point"]:
        return f"\\U{int(found['point'], 16):08x}"
    return r"[\s\S]" if found["any"] else found[0]
