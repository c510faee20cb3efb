"""The text of an item as far as it was told, in parts, and what a repetition adds to it.

How to think about it.  A text comes as deltas, again as the whole of a part, and again as the whole item.  Which part a
delta belongs to should be told by its index; but servers carry the index on from item to item, count deltas with it, or
leave it out.  So an index is never a key.  It only helps to see where a part ends:

- A part ends where an event says so (`boundary`, or the whole of the part), or where an index changes that has stood
  still over two deltas before: it does not count deltas, so it counts parts.
- What a whole adds is what stands behind the text that was told, wherever the borders of parts lie.  White space is
  looked past where it must be, because servers trim their final texts.  A whole that says something else adds nothing:
  what was told cannot be taken back.

Cost: every question looks at no more characters than the whole has that it is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_STEADY = 2
"""Deltas under one index that show that it does not count deltas."""

FOLD = 64
"""Pieces that are kept each for itself: one of four letters takes seventy bytes, one of many no more than its text."""

_WORD = re.compile(r"\S+")

_SLICE = 2**16
# Characters that are divided into words in one call: those of a large text would hold up everybody.


def solid(text: str) -> str:
    """A text without its white space."""
    if len(text) <= _SLICE:
        return "".join(text.split())
    return "".join(["".join(text[at : at + _SLICE].split()) for at in range(0, len(text), _SLICE)])


class Prefix:
    """A text that grows by pieces and is asked for its beginning.

    Attributes:
        pieces: the text, in pieces of any length.
        length: its characters.
        came: how many pieces it was told in.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.pieces: list[str] = []
        self.length = 0
        self.came = 0
        self._folded = 0
        self._solid: list[str] = []
        self._compressed = 0

    def add(self, text: str) -> None:
        """Append a piece."""
        self.pieces.append(text)
        self.length += len(text)
        self.came += 1
        if len(self.pieces) - self._folded >= FOLD:
            self._fold()

    def extend(self, pieces: Sequence[str], size: int) -> None:
        """Append pieces of so many characters together."""
        self.pieces += pieces
        self.length += size
        self.came += len(pieces)
        if len(self.pieces) - self._folded >= FOLD:
            self._fold()

    def copy(self) -> Prefix:
        """The same text, to grow otherwise."""
        copy = Prefix()
        copy.pieces, copy.length, copy.came, copy._folded = [*self.pieces], self.length, self.came, self._folded
        return copy

    def _fold(self) -> None:
        """Join the newest pieces into one, since a stream may last for hours; each character is joined once."""
        if self._compressed > self._folded:
            self.solid(0)
            self._compressed = self._folded + 1
        self.pieces[self._folded :] = ["".join(self.pieces[self._folded :])]
        self._folded += 1

    def begin(self, count: int) -> str:
        """The first `count` characters, or all there are."""
        return _first(self.pieces, count)

    def solid(self, count: int) -> str:
        """The first `count` characters that are no white space, or all there are."""
        for piece in self.pieces[self._compressed :]:
            if words := solid(piece):
                self._solid.append(words)
        self._compressed = len(self.pieces)
        return _first(self._solid, count)

    def equals(self, whole: str) -> bool:
        """Whether a whole says this text and nothing else, white space aside."""
        core = solid(whole)
        return self.solid(len(core) + 1) == core

    def rest_of(self, whole: str) -> str | None:
        """What a whole adds to this text: empty if nothing, None if the two say different things."""
        if self.length <= len(whole) and whole.startswith(self.begin(len(whole))):
            return whole[self.length :]
        if self.begin(len(whole)) == whole:
            return ""
        core = solid(whole)
        told = self.solid(len(core) + 1)
        if told.startswith(core):
            return ""
        if not core.startswith(told):
            return None
        rest = whole[_after(whole, len(told)) :]
        return rest.lstrip() if rest.isspace() or self.pieces[-1][-1:].isspace() else rest


def _first(pieces: Sequence[str], count: int) -> str:
    found, length = [], 0
    for piece in pieces:
        if length >= count:
            break
        found.append(piece)
        length += len(piece)
    return "".join(found)[:count]


def _after(text: str, count: int) -> int:
    """Where the text goes on behind its first `count` characters that are no white space."""
    for word in _WORD.finditer(text):
        if count <= word.end() - word.start():
            return word.start() + count
        count -= word.end() - word.start()
    return len(text)


class Parts:
    """What was told of an item: all of it, and its parts.

    `index` is the upstream's of the last text, `open` whether more text of that index goes on with the last part, and
    `fresh` whether a part was announced whose text is still to come.
    """

    def __init__(self) -> None:
        """Begin with no part."""
        self.all = Prefix()
        self.parts: list[Prefix] = []
        self.index: int | None = None
        self.open = False
        self.fresh = False
        self._closed_at: int | None = None
        self._since = 0
        self._places: dict[int, int] = {}

    @property
    def texts(self) -> list[str]:
        """The parts, each joined."""
        return ["".join(part.pieces) for part in self.parts]

    def boundary(self, *, begins: bool = False) -> None:
        """Note that a part ends here, or that the next one `begins`."""
        self.open = False
        self.fresh = begins

    def begins(self, index: int | None) -> bool:
        """Whether text under this index begins a part of its own."""
        if not self.parts:
            return True
        if index is not None and index == self.index:
            return False
        if not self.open:
            return True
        return index is not None and self.index is not None and self.parts[-1].came - self._since >= _STEADY

    def add(self, index: int | None, text: str, *, begins: bool) -> None:
        """Take more text; `begins` says that it is a part of its own."""
        if begins:
            self._begin()
        elif index != self.index:
            self._since = self.parts[-1].came
        if index is not None:
            self.index = index
            self._places.setdefault(index, len(self.parts) - 1)
        elif begins:
            self.index = None
        self.open, self.fresh = True, False
        self.parts[-1].add(text)
        if self.all is not self.parts[-1]:
            self.all.add(text)

    def go_on(self, index: int | None, pieces: Sequence[str], size: int) -> bool:
        """Take more text of the only part, of so many characters, as nearly all text is; False for any other."""
        if not self.open or index != self.index or self.all is not self.parts[-1]:
            return False
        self.all.extend(pieces, size)
        return True

    def _begin(self) -> None:
        """Begin a part; the only one is all of the text, which is kept once."""
        part = Prefix()
        if not self.parts:
            self.all = part
        elif len(self.parts) == 1:
            self.all = self.all.copy()
        self.parts.append(part)
        self._since = 0

    def place_of(self, index: int | None) -> int:
        """Which part an index means: the one that came under it, else the last one, or the next if that has ended."""
        known = self._places.get(index) if index is not None else None
        if known is not None:
            return known
        return len(self.parts) if self.begins(index) else len(self.parts) - 1

    def rest_of_part(self, index: int | None, whole: str) -> tuple[bool, str]:
        """What the whole text of a part adds: whether it is a part of its own, and the text."""
        known = self._places.get(index) if index is not None else None
        if known is not None and known < len(self.parts) - 1 and self.parts[known].rest_of(whole) is not None:
            return False, ""  # of an earlier part, and late
        begins, was_open = self.begins(index), self.open
        rest = self.parts[-1].rest_of(whole) if self.parts else None
        self.open = False
        if begins and not was_open:
            # The last part is over, and this says just the same: a repetition, unless it is known to be the next part,
            # which was announced, or whose index is the next after one that a whole has closed.
            follows = self.fresh or (index is not None and self._closed_at == self.index == index - 1)
            repeated = rest == "" and len(whole) >= self.parts[-1].length and not follows
            self._closed_at = index
            return (False, "") if repeated else (True, whole)
        self._closed_at = index
        if rest is None:
            rest = self.all.rest_of(whole)  # some servers say the text of the whole item here
        return (begins, whole) if rest is None and begins else (False, rest or "")

    def rest_of_whole(self, wholes: Sequence[str]) -> list[tuple[bool, str]]:
        """What a whole item adds: pieces of text, each with whether it is a part of its own.

        Args:
            wholes: the texts of its parts.
        """
        missing = len(self.all.rest_of("".join(wholes)) or "")
        found: list[tuple[bool, str]] = []
        for whole in reversed(wholes):
            if missing <= 0:
                break
            piece = whole[-missing:]
            found.append((len(piece) == len(whole) or not self.parts, piece))
            missing -= len(whole)
        return [(begins, piece) for begins, piece in reversed(found) if piece]

    def fits(self, wholes: Sequence[str]) -> bool:
        """Whether a whole item could be this one."""
        return self.all.rest_of("".join(wholes)) is not None
