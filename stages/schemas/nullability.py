"""Whether a regular expression may match the empty text: read off the pattern, never tried.

How to think about it.  At an empty text there is one place to stand, so each part of a pattern either matches there or
does not, whatever the others do; a sequence matches if all of it does, alternatives if one does.  Parts that this is
not enough for, such as references to groups, count as "perhaps".
"""

from __future__ import annotations

import re

import attrs

# Two bits: whether it may match, and whether it must. Sequences are `&`, alternatives are `|`.
_NEVER, _PERHAPS, _ALWAYS = 0b00, 0b10, 0b11
_OPPOSITE = {_NEVER: _ALWAYS, _PERHAPS: _PERHAPS, _ALWAYS: _NEVER}

_ATOMS = {"anchor": _ALWAYS, "flags": _ALWAYS, "reference": _PERHAPS, "set": _NEVER, "escape": _NEVER, "other": _NEVER}
_TOKEN = re.compile(
    r"""
      (?P<unreadable>\[\^?\]|\(\?\(|\(\?\#|\(\?[a-zA-Z]*x)         # dialects differ, conditions, comments, free spacing
    | (?P<set>\[\^?(?:\\.|[^\]\\])*\])
    | (?P<not>\(\?<?!)
    | (?P<flags>\(\?[aiLmsu]+\))
    | (?P<reference>\(\?P=\w+\)|\\k<\w+>|\\[1-9]|\\B)
    | (?P<open>\((?:\?(?:[:>=]|<=|P?<\w+>|[aimsu-]*:))?)
    | (?P<close>\))
    | (?P<bar>\|)
    | (?P<anchor>[\^$]|\\[AZz])
    | (?P<escape>\\u\{[0-9A-Fa-f]+\}|\\[pP]\{[\w=]*\}|\\.)
    | (?P<optional>(?:[*?]|\{0+(?:,\d*)?\})[?+]?)
    | (?P<doubtful>\{(?:,\d*)?\}[?+]?)                            # a count in one dialect only
    | (?P<repeat>(?:\+|\{\d+(?:,\d*)?\})[?+]?)
    | (?P<end>[\[(])                                                # what is never closed, or opens something new
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@attrs.define
class _Group:
    """A group that is being read: the alternatives before, the parts of this one, and the last of them."""

    negative: bool = False
    either: int = _NEVER
    row: int = _ALWAYS
    last: int = _ALWAYS

    def add(self, atom: int) -> None:
        """Take the next part; until then, a quantifier may change the last."""
        self.row, self.last = self.row & self.last, atom

    def alternative(self) -> None:
        """Begin another alternative."""
        self.either |= self.row & self.last
        self.row = self.last = _ALWAYS

    def whole(self) -> int:
        """Say what the group is as a part of another."""
        self.alternative()
        return _OPPOSITE[self.either] if self.negative else self.either


def may_be_empty(pattern: str) -> bool:
    """Whether the empty text may fit a pattern of either dialect, found anywhere in it; one that is unreadable fits."""
    groups = [_Group()]
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup or "end"
        if kind in _ATOMS:
            groups[-1].add(_ATOMS[kind])
        elif kind in ("open", "not"):
            groups.append(_Group(negative=kind == "not"))
        elif kind == "close" and len(groups) > 1:
            inner = groups.pop().whole()
            groups[-1].add(inner)
        elif kind == "bar":
            groups[-1].alternative()
        elif kind in _QUANTIFIERS:
            groups[-1].last = _QUANTIFIERS[kind]
        elif kind == "repeat":
            pass  # as often as may be, it matches where it matches once
        else:
            return True
    return len(groups) > 1 or groups[0].whole() != _NEVER


_QUANTIFIERS = {"optional": _ALWAYS, "doubtful": _PERHAPS}
