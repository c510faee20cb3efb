"""Pages as Anthropic's lists have them: `limit`, `after_id`, `before_id`, and the ids at the ends of what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from stages.canonical.failure import Failure, Kind

DEFAULT_PAGE, MAX_PAGE = 20, 1_000
"""How many things a page has unless asked otherwise, and at most."""


@attrs.frozen
class Window:
    """Which part of a list is asked for: at most `limit` things, behind one or before one; newest first."""

    limit: int
    after: str | None
    before: str | None

    @classmethod
    def of(cls, query: Mapping[str, list[str]]) -> Window | Failure:
        """Read it from the values of a query."""
        text = _last(query, "limit")
        try:
            limit = DEFAULT_PAGE if text is None else int(text[:10])
        except ValueError:
            return wrong("limit: Input should be a valid integer, unable to parse string as an integer")
        if limit < 1:
            return wrong("limit: Input should be greater than or equal to 1")
        if limit > MAX_PAGE:
            return wrong(f"limit: Input should be less than or equal to {MAX_PAGE}")
        after, before = _last(query, "after_id"), _last(query, "before_id")
        if after is not None and before is not None:
            return wrong("after_id: cannot be given together with before_id")
        return cls(limit, after, before)

    @property
    def cursor(self) -> str:
        """The name of the parameter that says where it is."""
        return "after_id" if self.after else "before_id"

    @staticmethod
    def page(data: list[dict[str, Any]], *, more: bool) -> dict[str, Any]:
        """Write a page."""
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
        return {"data": data, "has_more": more, **ends}


def wrong(message: str) -> Failure:
    """Refuse a query."""
    return Failure(Kind.INVALID_REQUEST, message)


def _last(query: Mapping[str, list[str]], name: str) -> str | None:
    """Return a parameter's last value; an empty one counts as absent."""
    return next((value for value in reversed(query.get(name, [])) if value), None)
