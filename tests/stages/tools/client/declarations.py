"""How the tests of this folder declare a tool and look at what it becomes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from stages.canonical.request import JsonObject, ServerTool, Tool
from stages.tools.client import functions_of


def declared(kind: str, name: str | None = None, **fields: Any) -> ServerTool:
    """Make a declaration as the wire's reader makes it: the body is what the client wrote."""
    body = {"type": kind, **({} if name is None else {"name": name}), **fields}
    return ServerTool(kind, name, body)


def functions(kind: str, name: str | None = None, **fields: Any) -> list[Tool]:
    """Make the functions of a declaration that must be known."""
    found = functions_of(declared(kind, name, **fields))
    assert found is not None
    return found


def function(kind: str, name: str | None = None, **fields: Any) -> Tool:
    """Make the one function of a declaration."""
    (found,) = functions(kind, name, **fields)
    return found


def shape(model: type[BaseModel]) -> tuple[set[str], set[str]]:
    """Read a model of the SDK: the wire names of its fields, and those that must be there."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    return set(fields), {name for name, field in fields.items() if field.is_required()}


def shape_of(schema: JsonObject) -> tuple[set[str], set[str]]:
    """Read the same of a schema of ours."""
    return set(schema["properties"]), set(schema["required"])
