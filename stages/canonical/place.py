"""Where something stands in a request: handed down with the node, written out only when somebody reads it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

Position = tuple[int, int]
"""Where a block stands: index of the message, index in it."""


class Place(tuple[Any, ...]):
    """A place: a field of a part, or an entry of a list; as text, Anthropic's dotted path, `messages.3.content.0`.

    It is a pair of the place around it and the step from there, so that one more step costs the same at any depth and
    places of one message share their beginning.  Few places are ever written out: a conversation of five hundred
    messages has thousands of them and a handful of notes.  It is a tuple because those are made, compared and hashed
    without a line of Python.  The step of a list is a number, so an entry is never taken for a field of that name.
    """

    __slots__ = ()

    def field(self, name: str) -> Place:
        """The place of a field of what stands here."""
        return Place((self, name))

    def at(self, index: int) -> Place:
        """The place of an entry of the list that stands here."""
        return Place((self, index))

    @property
    def outer(self) -> Place:
        """The place around this one; a request has none.

        Raises:
            IndexError: This is the request itself.
        """
        outer: Place = self[0]
        return outer

    @property
    def top(self) -> str:
        """The field at the top of the request in which this is; empty for the request itself."""
        step: Any = ""
        place = self
        while place:
            place, step = place
        return str(step)

    def __str__(self) -> str:
        """The dotted path; empty for the request itself."""
        steps: list[str] = []
        place = self
        while place:
            place, step = place
            steps.append(str(step))
        return ".".join(reversed(steps))

    def __repr__(self) -> str:
        """The same, since a pair of pairs says nothing to a reader."""
        return f"<Place {self}>"


ROOT = Place()
"""The request itself."""

SYSTEM, TOOLS, MESSAGES = map(ROOT.field, ("system", "tools", "messages"))
"""The lists at the top of a request."""


@lru_cache(maxsize=1024)
def content_of_message(index: int) -> Place:
    """The place of a message's content.  Kept, because every turn of every conversation goes through the same ones."""
    return MESSAGES.at(index).field("content")
