"""Every field that a request may have, at its top and at any depth, and what becomes of it by default.

A stage that does more about a field notes that itself; these tables speak where none has.  A *node* is an object in a
request, named for its group and, where its `type` tells it from others of the group, for that: `block.text`,
`tool.web_search`, `metadata`.  Source: the request types of the Anthropic SDK 2.12.0, GA and beta; a test walks them
and fails when a field has no row, and when a row has no field.
"""

from __future__ import annotations

from stages.tables.fields.blocks import BLOCK_NODES
from stages.tables.fields.request import FIELDS
from stages.tables.fields.row import CACHED, UNKNOWN_FIELD, UNKNOWN_KIND, Fields, Row
from stages.tables.fields.settings import SETTING_NODES
from stages.tables.fields.tools import TOOL_NODES
from stages.tables.identifiers import undated_type

__all__ = ["CACHED", "FIELDS", "NODES", "UNKNOWN_FIELD", "UNKNOWN_KIND", "Fields", "Row", "node_of"]

NODES: dict[str, Fields] = {**SETTING_NODES, **BLOCK_NODES, **TOOL_NODES}
"""Node to its fields, below the top of a request."""


def node_of(group: str, kind: object) -> str | None:
    """Find the node of a group by its `type`, whatever the date at its end; None when there is none.

    A group without types of its own is one node, under the group's own name.
    """
    if isinstance(kind, str):
        for name in (f"{group}.{kind}", f"{group}.{undated_type(kind)}"):
            if name in NODES:
                return name
    return group if group in NODES else None
