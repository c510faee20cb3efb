"""Undoes on the text of a structured answer what the upstream needed done to its schema.

A stage like the stop scanner: parts of a message in, the same parts out.  Each text block is one JSON text; fillers
go out of it, and it may have to be taken out of an object itself.  Reasoning and calls pass untouched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

import attrs

from stages.canonical.events import BlockStop, MessageEnd, TextDelta
from stages.canonical.failure import Failure
from stages.canonical.omittable import StructuredAnswer
from stages.filters.argument_repair import Scanner

_P = TypeVar("_P")

_ENDS = (BlockStop, Failure)

_SPACE = " \t\n\r"
_SPACES = re.compile(f"[{_SPACE}]+")


class AnswerFormat:
    """The transducer; the message's end says how many members were left out."""

    def __init__(self, structure: StructuredAnswer) -> None:
        """Undo what `structure` says."""
        self._structure = structure
        self._left_out = 0
        self._begin()

    def feed(self, part: _P) -> Iterator[_P | TextDelta | MessageEnd]:
        """Take the next part; yield what may pass."""
        if isinstance(part, TextDelta):
            if text := self._read(part.text):
                yield TextDelta(text)
        elif isinstance(part, _ENDS):
            yield from self.finish()
            yield part
        elif isinstance(part, MessageEnd) and self._left_out:
            yield attrs.evolve(part, repaired=part.repaired + self._left_out)
        else:
            yield part

    def finish(self) -> Iterator[TextDelta]:
        """Let go of what was held; the next text is another one."""
        rest = self._scanner.finish() if self._scanner is not None else ""
        if self._unwrapper is not None:
            rest = self._unwrapper.feed(rest) + self._unwrapper.finish()
        if rest:
            yield TextDelta(rest)
        self._left_out += self._scanner.left_out if self._scanner is not None else 0
        self._begin()

    def _begin(self) -> None:
        omittable, member = self._structure.omittable, self._structure.member
        self._scanner = Scanner(omittable) if omittable is not None else None
        self._unwrapper = Unwrapper(member) if member else None

    def _read(self, text: str) -> str:
        if self._scanner is not None:
            text = self._scanner.feed(text)
        return self._unwrapper.feed(text) if self._unwrapper is not None else text


class Unwrapper:
    """Takes the value of an object's one member out of its text.

    What comes before the value is held until the value begins; after that, only an end that may be the object's own.  A
    text that is no such object passes as it is.
    """

    def __init__(self, member: str) -> None:
        """Expect `{"member": value}`; the name needs no escapes."""
        self._opening = f'{{"{member}":'
        self._before = re.compile(rf'[{_SPACE}]*\{{[{_SPACE}]*"{member}"[{_SPACE}]*:[{_SPACE}]*(?=[^{_SPACE}])')
        self._held = ""
        self._inside = False
        self._other = False

    def feed(self, piece: str) -> str:
        """Take more of the text; return what is of the value."""
        if self._other or not piece:
            return piece
        text = self._held + piece
        if not self._inside:
            began = self._before.match(text)
            if began is None:
                return self._wait(text)
            self._inside, text = True, text[began.end() :]
        value = text.rstrip(_SPACE).removesuffix("}").rstrip(_SPACE)
        self._held = text[len(value) :]
        return value

    def finish(self) -> str:
        """Return what was held of a text that is no such object; else it was the object's end."""
        rest, self._held = self._held, ""
        return "" if self._inside else rest

    def _wait(self, text: str) -> str:
        """Hold what may become the beginning of the object; let everything pass if it cannot."""
        if self._opening.startswith(_SPACES.sub("", text)):
            self._held = text
            return ""
        self._held, self._other = "", True
        return text
