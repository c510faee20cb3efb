"""The ids that the blocks of one message have: clients key results by them, so no two are alike."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any


class Ids:
    """Gives out the ids of a message's calls, and remembers which calls of the upstream's own wait for a result."""

    def __init__(self) -> None:
        """Begin with none."""
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._asking: defaultdict[str, deque[Any]] = defaultdict(deque)

    def unused(self, ident: str, mark: str) -> str:
        """Take an id, or the first variant of it that nobody has: its number behind the mark."""
        given, number = ident, self._numbers.get(ident, 0)
        while given in self._taken:
            number += 1
            given = f"{ident}{mark}{number}"
        self._numbers[ident] = number
        self._taken.add(given)
        return given

    def asks(self, tool: str, call: Any) -> None:
        """Note a call of a tool that has no result yet."""
        self._asking[tool].append(call)

    def asking(self, tool: str) -> Any | None:
        """The first call of a tool that has no result yet."""
        calls = self._asking[tool]
        while calls and calls[0].answered:
            calls.popleft()
        return calls[0] if calls else None
