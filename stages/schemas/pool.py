"""Schemas that are put together of others, each once, so that equal ones are found without being compared.

A few references can make a schema of which one half is the other half, twenty times over: small in memory, where the
halves are one object, and without end for whoever compares it or writes it out. So each has a number by what it is made
of, and a size as it would be written, which the budget pays for.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from stages.schemas.budget import Budget
from stages.wire import json

CHARACTERS = 4
"""Characters written for one step of the budget."""


class SchemaPool:
    """The schemas of one document, and combinations of them."""

    def __init__(self, budget: Budget) -> None:
        """Begin without any; `budget` pays for what is added."""
        self._budget = budget
        self._numbers: dict[Hashable, int] = {}
        self._by_identity: dict[int, int] = {}
        self._known: list[tuple[Any, int]] = []

    def combined(self, keyword: str, schemas: list[Any]) -> Any:
        """Combine schemas, equal ones once; a single one is itself.

        Args:
            keyword: `allOf` or `anyOf`.
            schemas: what is combined: at least one, each of the document or made here.

        Raises:
            TooIntricateError: it would be larger than the budget.
        """
        if len(schemas) == 1:
            return schemas[0]
        numbers = tuple(dict.fromkeys(map(self._number, schemas)))
        self._budget.spend(len(schemas))
        if len(numbers) == 1:
            return self._known[numbers[0]][0]
        key = keyword, numbers
        if key not in self._numbers:
            parts = [self._known[number] for number in numbers]
            self._add(key, {keyword: [schema for schema, _ in parts]}, sum(size for _, size in parts))
        return self._known[self._numbers[key]][0]

    def _number(self, schema: Any) -> int:
        found = self._by_identity.get(id(schema))
        if found is None:
            said = json.canonical(schema)
            found = self._by_identity[id(schema)] = self._numbers.get(said, -1)
            if found < 0:
                found = self._add(said, schema, len(said))
        return found

    def _add(self, key: Hashable, schema: Any, size: int) -> int:
        """Give a new schema its number; the pool holds it, so that its identity is never another's."""
        self._budget.spend(size // CHARACTERS)
        number = self._numbers[key] = self._by_identity[id(schema)] = len(self._known)
        self._known.append((schema, size))
        return number
