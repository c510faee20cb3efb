"""Samples with a mark in one value each, to see whether that value reaches the upstream."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import attrs

from stages.canonical.report import Disposition
from stages.tables.fields import FIELDS, NODES, Row, node_of
from tests.support import samples

MARK = "Zq7x"
"""Occurs in no sample, and is base64 as well."""

_TIED = ("type", "role", "media_type", "model", "id", "tool_use_id", "name", "tool_name", "user_id")
# Values that mean something only as they are, or that must be the same in two places.


MEANT = {
    ("block.thinking", "thinking"): "reasoning of another service is dropped as a whole",
    ("block.thinking", "signature"): "the same",
    ("result.web_search_result", "encrypted_content"): "only its own service can read it, and that is reported",
    ("tool.mcp_toolset", "mcp_server_name"): "the name of the server, marked here alone, is that of no server",
    ("block.mcp_tool_listing", "mcp_server_name"): "the same",
}
"""Values that mean something else upstream, or nothing."""


@attrs.frozen
class Marked:
    """A body with one marked value.

    Attributes:
        node: the node that it stands in.
        field: the node's field; `*` for one that has no row of its own.
        row: what the tables say about it.
        body: the body.
    """

    node: str
    field: str
    row: Row
    body: dict[str, Any]


def bodies() -> Iterator[dict[str, Any]]:
    """One body for each sample."""
    request, hello = samples.request, {"role": "user", "content": "go on"}
    for block in samples.USERS.values():
        yield request({"role": "user", "content": [block]})
    for block in samples.RESULTS.values():
        call = {"role": "assistant", "content": [samples.CALL]}
        yield request(call, {"role": "user", "content": [block]}, tools=[samples.LOOK, samples.LATE])
    for blocks in samples.ANSWERS.values():
        yield request({"role": "assistant", "content": [*blocks, samples.TEXT]}, hello)
    for block in samples.SYSTEM.values():
        yield request({"role": "system", "content": [block]}, tools=[samples.LOOK, samples.LATE])
    for tool in samples.TOOLS.values():
        yield samples.with_tool(tool)
    located = {**samples.TOOLS["web_search_20250305"], "allowed_domains": ["example.com"]}
    place = {"type": "approximate", "city": "Ulm", "region": "BW", "country": "DE", "timezone": "Europe/Berlin"}
    yield samples.with_tool({**located, "user_location": place})
    yield request(system=[samples.TEXT], stop_sequences=["END"])


def marked() -> Iterator[Marked]:
    """Every text of every sample, marked in turn."""
    for body in bodies():
        for name, value in body.items():
            if name in FIELDS and FIELDS[name].inside:
                yield from _inside(body, (name,), value, FIELDS[name].inside)


def _inside(body: dict[str, Any], place: tuple[Any, ...], value: Any, group: str) -> Iterator[Marked]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _inside(body, (*place, index), item, group)
    if not isinstance(value, dict):
        return
    node = node_of(group, value.get("type") or ("custom" if group == "tool" else None))
    for name, inner in value.items() if node else ():
        rows = NODES[node or ""]
        field = name if name in rows else "*"
        if field not in rows or name in _TIED or rows[field].disposition is Disposition.DROPPED:
            continue
        if isinstance(inner, str):
            yield Marked(node or "", field, rows[field], _with_mark(body, (*place, name)))
        elif rows[field].inside:
            yield from _inside(body, (*place, name), inner, rows[field].inside)


def _with_mark(body: dict[str, Any], place: tuple[Any, ...]) -> dict[str, Any]:
    told = copy.deepcopy(body, {})
    spot: Any = told
    for step in place[:-1]:
        spot[step] = copy.copy(spot[step])
        spot = spot[step]
    spot[place[-1]] += MARK
    return told
