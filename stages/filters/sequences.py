"""Finds the first of many texts in one that streams, in time that grows with what streams alone.

The automaton of Aho and Corasick ("Efficient string matching", 1975).  A state is a beginning of some text looked for:
the longest that what was read ends with.  What cannot begin any of them is skipped by a regular expression.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable

import attrs


@attrs.frozen
class Match:
    """A text that was found: the one that is complete first, of several that end together the longest.

    Attributes:
        end: where it ends, in characters of the piece that was read last.
        text: what was found.
    """

    end: int
    text: str


class Searcher:
    """Reads a text piece by piece; however it is cut, the same is found.

    Attributes:
        depth: how many characters at the end of what was read may still become one of the texts.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        """Prepare to look for texts, none of them empty; takes time and memory by their characters."""
        self.depth = 0
        self._state = 0
        self._next: list[dict[str, int]] = [{}]
        self._depths = [0]
        self._complete: list[str] = [""]
        for text in texts:
            self._add(text)
        self._fallback = [0] * len(self._next)
        self._link()
        self._beginnings = re.compile(f"[{re.escape(''.join(self._next[0]))}]") if self._next[0] else _NOTHING

    def feed(self, piece: str) -> Match | None:
        """Read a piece; None when nothing is complete yet. Nothing more may be read once something was found."""
        state, at, transitions = self._state, 0, self._next
        while at < len(piece):
            if not state:
                begin = self._beginnings.search(piece, at)
                if begin is None:
                    break
                at = begin.start()
            character = piece[at]
            while state and character not in transitions[state]:
                state = self._fallback[state]
            state = transitions[state].get(character, 0)
            at += 1
            if self._complete[state]:
                return Match(at, self._complete[state])
        self._state, self.depth = state, self._depths[state]
        return None

    def restart(self) -> None:
        """Begin another text."""
        self._state = self.depth = 0

    def _add(self, text: str) -> None:
        state = 0
        for character in text:
            if character not in self._next[state]:
                self._next[state][character] = len(self._next)
                self._next.append({})
                self._depths.append(self._depths[state] + 1)
                self._complete.append("")
            state = self._next[state][character]
        self._complete[state] = text

    def _link(self) -> None:
        """Find for each state the longest other one that it ends with, shorter states first."""
        waiting = deque(self._next[0].values())
        while waiting:
            state = waiting.popleft()
            for character, deeper in self._next[state].items():
                shorter = self._fallback[state]
                while shorter and character not in self._next[shorter]:
                    shorter = self._fallback[shorter]
                self._fallback[deeper] = shorter = self._next[shorter].get(character, 0)
                self._complete[deeper] = self._complete[deeper] or self._complete[shorter]
                waiting.append(deeper)


_NOTHING = re.compile("(?!)")
