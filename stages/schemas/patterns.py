"""Regular expressions of JSON schemas, which are JavaScript's, in the words of Python's `re`, the upstream's."""

from __future__ import annotations

import re
import warnings


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
    """Whether Python takes a pattern as it is."""
    try:
        with warnings.catch_warnings():
            # Sets that a later Python may read otherwise are not our reader's concern.
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


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
