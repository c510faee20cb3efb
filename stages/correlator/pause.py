"""Long work of the books: it is done beside the loop, a stretch at a time, so that other streams go on meanwhile.

An answer may bring megabytes in one event, or end with thousands of items that are all looked at together. The books
wait for nothing themselves: they say by a pause that what follows may take long, and whoever reads them goes on in a
thread (`stages.actor.beside`). What comes out there is handed on in pieces that nobody works at for long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from stages.canonical.events import ArgumentsDelta, TextDelta, ThinkingDelta

MANY = 32
"""Items that are looked at together on the spot: some milliseconds of work."""

STRETCH = 64
"""Parts of a message that are drawn at once, at most."""

SLICE = 2**15
"""Characters of a text that are handed on as one piece; a stretch ends where it has as many."""


class Pause:
    """Nothing is said, and what follows may take long."""


PAUSE: Final = Pause()
"""The only one."""

_TEXTS: dict[type, str] = {TextDelta: "text", ThinkingDelta: "thinking", ArgumentsDelta: "text"}
# What a long text may stand in, and be divided.


def divided(parts: Iterable[Any]) -> Iterator[Any]:
    """Yield parts of a message, without pauses and with long texts in slices."""
    for part in parts:
        field = _TEXTS.get(type(part))
        if field is None:
            if part is not PAUSE:
                yield part
        elif len(text := getattr(part, field)) <= SLICE:
            yield part
        else:
            yield from (type(part)(text[at : at + SLICE]) for at in range(0, len(text), SLICE))


def stretch(parts: Iterator[Any]) -> list[Any]:
    """Draw the next parts: a few, or as many as hold a slice of text; none at the end."""
    found: list[Any] = []
    size = 0
    for part in parts:
        found.append(part)
        field = _TEXTS.get(type(part))
        size += len(getattr(part, field)) if field is not None else 0
        if size >= SLICE or len(found) >= STRETCH:
            break
    return found
