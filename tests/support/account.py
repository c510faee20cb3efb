"""Whether a report accounts for all that a request says, read from the body as it came and not from our tree of it."""

from __future__ import annotations

from typing import Any

from stages.canonical.report import Disposition
from stages.tables.fields import FIELDS, NODES, Row, node_of
from stages.wire.messages_request import BLOCKS

FAITHFUL = (Disposition.KEPT, Disposition.TRANSLATED)
"""Fates of fields that need no word."""


class Account:
    """Compares a request's body with its report.

    Attributes:
        silent: the paths of fields that nothing is said about.
    """

    def __init__(self, report: dict[str, Disposition]) -> None:
        self.silent: list[str] = []
        self._told = report

    def request(self, body: dict[str, Any]) -> list[str]:
        """Go through a body from the top; return the silent fields."""
        for name, value in body.items():
            if name not in self._told and value not in (None, False, [], {}):
                self.silent.append(name)
            row = FIELDS.get(name)
            if row is not None and row.disposition in FAITHFUL and self._told.get(name) is not Disposition.DROPPED:
                self._values(value, row.inside, name)
        return self.silent

    def _values(self, value: Any, group: str, path: str) -> None:
        """Go into objects, where a list of them or one alone; a string in place of blocks is one text."""
        if not group:
            return
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._values(item, group, f"{path}.{index}")
        elif isinstance(value, dict) and not self._covered(value, group, path):
            node = node_of(group, value.get("type") or ("custom" if group == "tool" else None))
            if node is None and f"{path}.type" not in self._told:
                self.silent.append(path)
            for name, inner in value.items() if node else ():
                self._field(NODES[node or ""], name, inner, f"{path}.{name}")

    def _covered(self, value: dict[str, Any], group: str, path: str) -> bool:
        """Whether a word about an object is one about all that is in it: it was dropped, or shown as a whole."""
        disposition = self._told.get(path)
        whole = group == "block" and value.get("type") not in BLOCKS
        return disposition is Disposition.DROPPED or (disposition is not None and whole)

    def _field(self, rows: dict[str, Row], name: str, value: Any, path: str) -> None:
        row = rows.get(name) or rows.get("*")
        if path in self._told or (name == "type" and row is None):
            return
        if row is None or not (row.disposition in FAITHFUL or row.says_nothing(value)):
            self.silent.append(path)
        elif row.disposition in FAITHFUL:
            self._values(value, row.inside, path)
