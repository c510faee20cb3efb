"""What the reading of a schema may cost: so many steps for each of its bytes, whatever it makes of them.

A few lines of references or combinators can stand for more readings than anybody can count. Whoever reads a schema
spends a step on everything it looks at; when the steps are spent, it gives up and says nothing rather than more slowly.
"""

from __future__ import annotations

from stages.canonical.request import JsonObject
from stages.wire import json

STEPS = 2_000
"""Steps for any schema: the largest of 185 recorded ones took 144."""

PER_BYTE = 2
"""Steps more for each byte: recorded schemas took 0.3 at most, most of them a tenth of that."""


class TooIntricateError(Exception):
    """The schema has too many readings, or readings that cannot be told apart."""


class Budget:
    """Steps that may still be taken."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    @classmethod
    def of(cls, document: JsonObject) -> Budget:
        """Allow what a document of its size may cost."""
        return cls(STEPS + PER_BYTE * len(json.encode(document)))

    def spend(self, steps: int = 1) -> None:
        """Take steps.

        Raises:
            TooIntricateError: more than there are.
        """
        self._left -= steps
        if self._left < 0:
            raise TooIntricateError
