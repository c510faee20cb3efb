"""Leaves out of JSON text what its schema forbids and nobody meant, while the text streams.

How to think about it.  Models fill optional members with `null` or `""` where they mean "unset", and strict mode makes
them do it.  A `Scanner` reads the text once, in pieces cut anywhere, and hands it on as it comes.  Only where a member
may have to be left out it holds text back: from the comma before the key to the first characters of the value, which
decide.

Rules for editors:

- Text that needs no repair leaves byte for byte.  Text that is no JSON leaves as it came, from where that shows.
- A state is a method that gets the text and a position before its end, and returns the next position.
- What is held begins at `_hold` (-1: nothing is), what may leave at `_begin`.  Held text is put before the next piece.

What is not here: which members may be left out (`stages/schemas/omittable.py`), and whether the whole is JSON at all
(`stages/json_buffer.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from stages.canonical.omittable import OmittableMember, OmittableMembers
from stages.wire import json

_BODY = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_FLAT = re.compile(r'[^"{}\[\]]*')
_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"[-+.\w]*")


class Scanner:
    """The repair of one JSON text; `left_out` counts the members that were left out so far."""

    def __init__(self, omittable: OmittableMembers) -> None:
        """Repair a text that should be what `omittable` was compiled from."""
        self.left_out = 0
        self._state: Callable[[str, int], int] = self._value
        self._between = (self._value, self._filled, self._first_left_out, self._next_key, self._colon)
        self._over = False
        self._in_string = False
        self._escaped = False
        self._stack: list[tuple[OmittableMembers, bool]] = []  # containers that are looked into; True for an object
        self._depth = 0  # of those that are not
        self._member = OmittableMember(inside=omittable)  # what is known of the value to come
        self._name = ""  # the key that is open, as it is written
        self._held = ""
        self._spaces: list[str] = []
        self._begin = 0
        self._hold = -1
        self._filler = 0  # where a value begins that may be a filler
        self._out: list[str] = []

    def feed(self, piece: str) -> str:
        """Take more of the text; return what may leave by now."""
        if self._over:
            return piece
        if self._in_string and (('"' not in piece and "\\" not in piece) or _BODY.fullmatch(piece)):
            return piece  # the inside of a long text, which is most of what there is, must cost nothing
        if self._held and not piece.strip(" \t\n\r") and self._state in self._between:
            self._spaces.append(piece)  # models run away in these: joined once, not with every piece
            return ""
        text, at = "".join((self._held, *self._spaces, piece)), len(self._held)
        self._spaces.clear()
        self._begin, self._hold, self._out = 0, 0 if self._held else -1, []
        end = len(text)
        while at < end:
            at = self._state(text, at)
        if self._hold < 0:
            self._hold = end
        self._filler -= self._hold
        self._held = text[self._hold :]
        self._in_string = not self._escaped and self._state in (self._string, self._deep_string)
        return "".join((*self._out, text[self._begin : self._hold]))

    def finish(self) -> str:
        """Return what was held back, as the text ends here; a filler that is whole is left out all the same."""
        rest, self._held = "".join((self._held, *self._spaces)), ""
        self._spaces.clear()
        if rest and self._state in (self._filled, self._first_left_out):
            self.left_out += 1
            return ""
        return rest

    # -- what is held ------------------------------------------------------------------------------

    def _release(self) -> None:
        self._hold = -1

    def _leave_out(self, text: str, at: int) -> None:
        """Forget what is held; go on at `at`."""
        self._out.append(text[self._begin : self._hold])
        self._begin, self._hold = at, -1
        self.left_out += 1

    def _give_up(self, text: str) -> int:
        """Let everything pass: this is no JSON, and somebody else will say so."""
        self._release()
        self._over = True
        return len(text)

    # -- values ------------------------------------------------------------------------------------

    def _value(self, text: str, at: int) -> int:
        at = _spaced(text, at)
        first = text[at : at + 1]
        if first == "n" and self._member.null:
            self._filler, self._state = at, self._null
        elif first == '"' and self._member.empty:
            self._filler, self._state = at, self._empty
            at += 1
        elif first:
            self._release()
            return self._known_value(text, at, first)
        return at

    def _known_value(self, text: str, at: int, first: str) -> int:
        """Read the beginning of a value that stays in any case."""
        if first in "{[":
            return self._open(at, first)
        if first == '"':
            self._state = self._string
            return at + 1
        if first in "}],:":
            return self._give_up(text)
        self._state = self._scalar
        return at

    def _open(self, at: int, bracket: str) -> int:
        inside = self._member.inside
        if inside is None:
            self._depth, self._state = 1, self._deep
        else:
            self._stack.append((inside, bracket == "{"))
            self._state = self._first_key if bracket == "{" else self._first_item
        return at + 1

    def _null(self, text: str, _: int) -> int:
        word = text[self._filler : self._filler + 4]
        if word == "null":
            self._state = self._filled
        elif not "null".startswith(word):
            self._release()
            self._state = self._scalar
            return self._filler
        return self._filler + len(word)

    def _empty(self, text: str, at: int) -> int:
        if text[at] == '"':
            self._state = self._filled
            return at + 1
        self._release()
        self._state = self._string
        return at

    def _filled(self, text: str, at: int) -> int:
        """Decide about a filler by what follows it."""
        at = _spaced(text, at)
        follows = text[at : at + 1]
        if follows == "," and text[self._hold] != ",":
            self._state = self._first_left_out
            return at + 1
        if follows in (",", "}"):
            self._leave_out(text, at)
            self._state = self._after
        elif follows:
            return self._give_up(text)
        return at

    def _first_left_out(self, text: str, at: int) -> int:
        """Leave out an object's first member together with the comma behind it, once another member follows."""
        at = _spaced(text, at)
        if text[at : at + 1] == '"':
            self._leave_out(text, at)
            return self._next_key(text, at)
        return at if at == len(text) else self._give_up(text)

    def _scalar(self, text: str, at: int) -> int:
        at = _end(_SCALAR, text, at)
        if at < len(text):
            self._state = self._after
        return at

    def _string(self, text: str, at: int) -> int:
        at = self._quote(text, at)
        if at < len(text):
            self._state = self._after
        return at + 1

    def _quote(self, text: str, at: int) -> int:
        """Find the quotation mark that ends a string; the text's end where it does not come yet."""
        at = _end(_BODY, text, at + self._escaped)
        self._escaped = text[at : at + 1] == "\\"
        return len(text) if self._escaped else at

    # -- containers --------------------------------------------------------------------------------

    def _after(self, text: str, at: int) -> int:
        """Read what follows a value: a comma, or the end of what it stands in."""
        if not self._stack:
            self._over = True
            return len(text)
        at = _spaced(text, at)
        omittable, is_object = self._stack[-1]
        follows = text[at : at + 1]
        if follows == ",":
            self._member = OmittableMember(inside=omittable.items)
            self._state = self._next_key if is_object else self._value
            if is_object and omittable.omittable_names:
                self._hold = at
        elif follows == ("}" if is_object else "]"):
            self._stack.pop()
            self._state = self._after
        elif follows:
            return self._give_up(text)
        return at + 1

    def _first_key(self, text: str, at: int) -> int:
        at = _spaced(text, at)
        return self._after(text, at) if text[at : at + 1] == "}" else self._next_key(text, at)

    def _next_key(self, text: str, at: int) -> int:
        at = _spaced(text, at)
        if text[at : at + 1] == '"':
            if self._stack[-1][0].omittable_names and self._hold < 0:
                self._hold = at
            self._name, self._state = "", self._key
            return at + 1
        return at if at == len(text) else self._give_up(text)

    def _key(self, text: str, at: int) -> int:
        end = self._quote(text, at)
        self._name += text[at:end]
        omittable = self._stack[-1][0]
        if end < len(text):
            self._member = omittable.member(_decoded(self._name))
            self._state = self._colon
            certain = not (self._member.null or self._member.empty)
        else:
            certain = "\\" not in self._name and not any(
                name.startswith(self._name) for name in omittable.omittable_names
            )
        if certain:
            self._release()
        return end + 1

    def _colon(self, text: str, at: int) -> int:
        at = _spaced(text, at)
        if text[at : at + 1] == ":":
            self._state = self._value
            return at + 1
        return at if at == len(text) else self._give_up(text)

    def _first_item(self, text: str, at: int) -> int:
        at = _spaced(text, at)
        if text[at : at + 1] == "]":
            return self._after(text, at)
        self._member = OmittableMember(inside=self._stack[-1][0].items)
        self._state = self._value if at < len(text) else self._first_item
        return at

    # -- what is not looked into -------------------------------------------------------------------

    def _deep(self, text: str, at: int) -> int:
        at = _end(_FLAT, text, at)
        mark = text[at : at + 1]
        if mark == '"':
            self._state = self._deep_string
        elif mark:
            self._depth += 1 if mark in "{[" else -1
            self._state = self._deep if self._depth else self._after
        return at + 1

    def _deep_string(self, text: str, at: int) -> int:
        at = self._quote(text, at)
        if at < len(text):
            self._state = self._deep
        return at + 1


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where a match of a pattern that always matches ends."""
    match = pattern.match(text, at)
    return at if match is None else match.end()


def _spaced(text: str, at: int) -> int:
    return _end(_SPACE, text, at)


def _decoded(name: str) -> str:
    """Read a key; one that is no JSON is nobody's name, but could be one's beginning."""
    if "\\" not in name:
        return name
    try:
        return str(json.decode(f'"{name}"'))
    except json.MalformedJson:
        return name
