"""Every field that an Anthropic SDK can send has a fate, at any depth, and no fate is for a field that none sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from typing_extensions import get_type_hints, is_typeddict

from stages.canonical.report import Disposition
from stages.tables.fields import FIELDS, NODES, Row, node_of
from stages.tables.fields.row import dropped, kept, same
from tests.support.cases import cases

types = pytest.importorskip("anthropic.types")
beta = pytest.importorskip("anthropic.types.beta")

PACKAGES = {"ga": types, "beta": beta}

TOP = "request"

OURS = {
    (TOP, "temperature"): "sent by clients older than the SDK, and still good for 2023-06-01",
    (TOP, "top_p"): "the same",
    (TOP, "top_k"): "the same",
    (TOP, "output_format"): "the old name of output_config.format",
    (TOP, "safeguards"): "sent by Claude Code, known to no SDK",
    ("thinking.adaptive", "budget_tokens"): "a budget counts whatever the way of thinking is called",
}
"""Rows without a field in the SDK, and why they are there all the same."""

STARS = {
    "schema": "a JSON Schema has any keyword",
    "members": "a toolset's members have names of their own",
    "mcp_members": "and so have the tools of a server",
}
"""Nodes whose fields no table can name."""


def shapes(module: Any) -> tuple[Any, ...]:
    """The request types of a package."""
    params = module.message_create_params
    return (params.MessageCreateParamsNonStreaming, params.MessageCreateParamsStreaming)


def objects(hint: Any) -> Iterator[Any]:
    """The types of objects that a hint allows, directly or in lists."""
    if is_typeddict(hint):
        yield hint
    else:
        for inner in get_args(hint):
            yield from objects(inner)


def words(hint: Any) -> list[Any]:
    """The literals that a hint allows."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [word for inner in get_args(hint) for word in words(inner)]


class Walk:
    """Goes through a request type, and compares it with the tables.

    Attributes:
        missing: fields without a row, and objects without a node.
        blind: fields with objects inside whose row names no group.
        used: rows that have a field.
    """

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self.blind: set[str] = set()
        self.used: set[tuple[str, str]] = set()
        self._seen: set[tuple[Any, str]] = set()

    def request(self, shape: Any) -> None:
        """Walk from the top."""
        self._fields(shape, TOP, FIELDS)

    def _fields(self, shape: Any, node: str, rows: dict[str, Row]) -> None:
        for name, hint in get_type_hints(shape).items():
            if name == "type" and name not in rows and "*" not in rows:
                continue  # it has told the node from the others
            key = name if name in rows else "*"
            if key not in rows:
                self.missing.add(f"{node}.{name}")
                continue
            self.used.add((node, key))
            for inner in objects(hint):
                self._inside(inner, rows[key], f"{node}.{name}")

    def _inside(self, shape: Any, row: Row, where: str) -> None:
        if not row.inside:
            self.blind.add(where)
            return
        for tag in words(get_type_hints(shape).get("type")) or [None]:
            node = node_of(row.inside, tag)
            if node is None:
                self.missing.add(f"{where}: {row.inside}.{tag}")
            elif (shape, node) not in self._seen:
                self._seen.add((shape, node))
                self._fields(shape, node, NODES[node])


def walked(*packages: Any) -> Walk:
    """Walk the request types of these packages."""
    walk = Walk()
    for package in packages:
        for shape in shapes(package):
            walk.request(shape)
    return walk


@pytest.mark.parametrize("package", PACKAGES)
def test_the_sdk_has_no_field_without_a_row(package: str) -> None:
    """A field that a new SDK adds, at any depth, fails here until somebody has decided about it."""
    walk = walked(PACKAGES[package])

    assert walk.missing == set()
    assert walk.blind == set()
    assert len(walk.used) > 200


def test_no_row_is_for_nothing() -> None:
    """Every row is for a field that an SDK sends, but for a few that others send."""
    rows = {(TOP, name) for name in FIELDS} | {(node, name) for node, fields in NODES.items() for name in fields}

    assert rows - walked(*PACKAGES.values()).used == set(OURS)


def test_every_group_has_its_nodes() -> None:
    """What a row says is inside can be found."""
    groups = {row.inside for fields in (FIELDS, *NODES.values()) for row in fields.values()} - {""}

    assert groups == {node.partition(".")[0] for node in NODES}
    assert {node for node, fields in NODES.items() if "*" in fields} == set(STARS)


@cases("node", [TOP, *NODES])
def test_every_row_says_why(node: str) -> None:
    """A fate without a reason is no answer to a person; a reason is one line, without a full stop."""
    for row in (FIELDS if node == TOP else NODES[node]).values():
        assert row.reason
        assert row.reason == row.reason.strip().rstrip(".")
        assert "\n" not in row.reason


@cases(
    ("group", "kind", "node"),
    [
        ("block", "text", "block.text"),
        ("tool", "web_search_20250305", "tool.web_search"),
        ("tool", "web_search_20991231", "tool.web_search"),
        ("tool", "web_search_2099", None),
        ("tool", "tool_search_tool_bm25", "tool.tool_search_tool_bm25"),
        ("metadata", None, "metadata"),
        ("metadata", "whatever", "metadata"),
        ("caller", "direct", "caller.direct"),
        ("caller", "code_execution_20260120", "caller"),
        ("block", ["text"], None),
        ("nothing", None, None),
    ],
)
def test_nodes_are_found_by_their_type(group: str, kind: object, node: str | None) -> None:
    """The date of a tool does not matter; a group without types is one node."""
    assert node_of(group, kind) == node


def test_some_values_say_nothing() -> None:
    """Null never does, and a value that is what leaving the field out means does not either."""
    row = kept("why", idle=(False, {"type": "direct"}))

    idle: list[Any] = [None, False, {"type": "direct"}]
    telling: list[Any] = [True, {}, {"type": "else"}, []]

    assert all(map(row.says_nothing, idle))
    assert not any(map(row.says_nothing, telling))


def test_rows_are_shared() -> None:
    """Fields named with a group have it inside; the others are as the row says."""
    rows = same(dropped("why"), "a", b="group")

    assert (rows["a"].inside, rows["b"].inside) == ("", "group")
    assert {(row.disposition, row.reason) for row in rows.values()} == {(Disposition.DROPPED, "why")}
