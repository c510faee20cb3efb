"""What may have to be left out of the arguments of each of a request's tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from stages.canonical.request import AnyTool, Tool
from stages.canonical.shape import Shape
from stages.tables.client_tools import declared_name, functions_of
from stages.tables.schemas import repair
from stages.tables.shapes import shape_of
from stages.tables.strict_schemas import convert


def argument_shapes(tools: Iterable[AnyTool]) -> Mapping[str, Shape]:
    """Compile the schemas of those tools whose arguments may need repair, by the upstream's name."""
    shapes = {declared_name(tool): _shape(tool) for tool in _run_by_client(tools)}
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _run_by_client(tools: Iterable[AnyTool]) -> Iterator[Tool]:
    for tool in tools:
        if isinstance(tool, Tool):
            yield tool
        else:
            yield from functions_of(tool) or ()


def _shape(tool: Tool) -> Shape | None:
    """Compile what was declared; where strict mode has made members nullable, undo that instead."""
    strict = convert(repair(tool.input_schema)[0]) if tool.strict else None
    return shape_of(tool.input_schema) if strict is None else strict.shape
