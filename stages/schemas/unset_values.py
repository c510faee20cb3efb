"""Which of the values that models write for "unset" a schema forbids: `null`, and the empty string.

What a schema is not understood to forbid counts as allowed, so a wrong answer here leaves a member in, never out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stages.canonical.request import JsonObject
from stages.schemas.budget import Budget
from stages.schemas.patterns import may_be_empty
from stages.schemas.references import resolve_reference
from stages.schemas.strict_subset import JSON_TYPES
from stages.wire.lenient import listed

NEVER_EMPTY = frozenset(
    {
        "date", "date-time", "duration", "email", "hostname", "idn-email", "idn-hostname", "ipv4", "ipv6", "iri",
        "time", "uri", "url", "uuid",
    }
)  # fmt: skip
"""Formats that an empty text never has (JSON Schema 2020-12, validation, section 7.3)."""


class Fillers:
    """Knows of the schemas of one document what each of them forbids; each is looked at once."""

    def __init__(self, document: JsonObject, budget: Budget) -> None:
        """Look at schemas of a document.

        Args:
            document: where references lead.
            budget: pays for each schema that is looked at.
        """
        self._document = document
        self._budget = budget
        self._known: dict[tuple[int, str | None], bool] = {}

    def allows(self, schema: Any, value: str | None) -> bool:
        """Whether a schema may accept `null` or `""`.

        Args:
            schema: a schema of the document; what is no schema allows everything.
            value: None or the empty string.

        Raises:
            TooIntricateError: the budget is spent.
        """
        if not isinstance(schema, dict):
            return schema is not False
        key = id(schema), value
        if key not in self._known:
            self._known[key] = True  # what goes round in circles forbids nothing
            self._known[key] = self._looked_at(schema, value)
        return self._known[key]

    def _looked_at(self, schema: JsonObject, value: str | None) -> bool:
        self._budget.spend()
        if value is None and schema.get("nullable") is True:
            return True
        if not all(fits(schema[key], value) for key, fits in _SIMPLE.items() if key in schema):
            return False
        every = listed(schema.get("allOf"))
        if "$ref" in schema:
            target = resolve_reference(self._document, schema["$ref"])
            every = every if target is None else [*every, target]
        if not all(self.allows(part, value) for part in every):
            return False
        choices = [schema[key] for key in ("anyOf", "oneOf") if isinstance(schema.get(key), list)]
        return all(any(self.allows(option, value) for option in options) for options in choices)


def _typed(types: Any, value: str | None) -> bool:
    named = types if isinstance(types, list) else [types]
    return ("null" if value is None else "string") in named or not JSON_TYPES.issuperset(map(str, named))


def _listed(values: Any, value: str | None) -> bool:
    return not isinstance(values, list) or any(other is value or other == value for other in values)


def _long_enough(length: Any, value: str | None) -> bool:
    return value is None or not isinstance(length, int) or length < 1


def _matching(pattern: Any, value: str | None) -> bool:
    return value is None or not isinstance(pattern, str) or may_be_empty(pattern)


_SIMPLE: dict[str, Callable[[Any, str | None], bool]] = {
    "type": _typed,
    "enum": _listed,
    "const": lambda wanted, value: wanted is value or wanted == value,
    "minLength": _long_enough,
    "pattern": _matching,
    "format": lambda name, value: value is None or not isinstance(name, str) or name not in NEVER_EMPTY,
}
