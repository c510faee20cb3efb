"""One tool that the client runs, declared: what the upstream gets, what is said of it, what its arguments may need.

Clients send the same tools with every turn, so all of this is remembered: a turn costs one look-up a tool.
"""

from __future__ import annotations

import re

import attrs

from stages.canonical.omittable import OmittableMembers
from stages.canonical.report import Disposition
from stages.canonical.request import JsonObject, Tool
from stages.schemas.omittable import omittable_of
from stages.schemas.repair import disposition_of, repair
from stages.schemas.strict import convert
from stages.tools.client import declared_name
from stages.wire import json
from stages.wire import responses_request as responses
from stages.wire.cache import by_identity

EXAMPLES = "Examples of its input:"
"""What stands above the examples in a tool's description."""

_NAME = re.compile("^[a-zA-Z0-9_-]{1,128}$")
_MENDED_NAME = f"String should match pattern '{_NAME.pattern}'; it is mended upstream"
_NOT_STRICT = "the schema is outside the upstream's strict subset, so it is only asked for"


@attrs.frozen
class DeclaredFunction:
    """A declaration; shared between requests, so that nobody may change it.

    Attributes:
        declared: the upstream's tool.
        notes: what was changed: field of the tool, disposition, reason.
        omittable: what may have to be left out of its arguments; None when nothing can.
    """

    declared: JsonObject = attrs.field(repr=False)
    notes: tuple[tuple[str, Disposition, str], ...] = ()
    omittable: OmittableMembers | None = None


@by_identity
def function_of(tool: Tool) -> DeclaredFunction:
    """Declare a tool."""
    parameters, changes = repair(tool.input_schema)
    strict = convert(parameters) if tool.strict else None
    notes = [] if _NAME.match(tool.name) else [("name", Disposition.APPROXIMATED, _MENDED_NAME)]
    notes += [("input_schema", disposition_of(change), change) for change in changes]
    notes += [("input_schema", disposition, reason) for disposition, reason in (strict.notes if strict else ())]
    if tool.strict and strict is None:
        notes.append(("strict", Disposition.APPROXIMATED, _NOT_STRICT))
    description, examples = tool.description, tool.extra.get("input_examples")
    if examples not in (None, []):
        notes.append(("input_examples", Disposition.EMULATED, "told in the description"))
        description = _with_examples(description, examples)
    schema = strict.schema if strict else parameters
    declared = responses.function_tool(declared_name(tool), description, schema, strict=strict is not None)
    # Where strict mode has made members nullable, that is undone instead.
    return DeclaredFunction(declared, tuple(notes), strict.omittable if strict else omittable_of(tool.input_schema))


def _with_examples(description: str | None, examples: object) -> str:
    """Tell the client's examples of the input: the upstream has no other place for them."""
    listed = examples if isinstance(examples, list) else [examples]
    examples_text = "\n".join([EXAMPLES, *(json.encode(example).decode() for example in listed)])
    return f"{description}\n\n{examples_text}" if description else examples_text
