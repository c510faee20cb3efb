"""Requests of the Messages API on the wire: JSON becomes the canonical tree, or a complaint that names its place.

All structuring is cattrs'.  Two converters share the same hooks: the fast one stops at the first mistake without
knowing where it is, and only then the detailed one walks the same way again to find out.  Complaints have pydantic's
form, which is the form of Anthropic's own: the location joined with dots, union tags included, then what was expected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import AttributeValidationNote, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, override

from stages.canonical import request as canonical
from stages.canonical.request import JsonObject


class Misfit(ValueError):
    """A value that does not fit its field; the text is what was expected."""


class _TagNote(str):
    """Names the union member that an error came from, so that it can stand in the location."""

    __slots__ = ()


BLOCKS: dict[str, type] = {
    "text": canonical.Text,
    "image": canonical.Image,
    "document": canonical.Document,
    "search_result": canonical.SearchResult,
    "thinking": canonical.Thinking,
    "redacted_thinking": canonical.RedactedThinking,
    "tool_use": canonical.ToolUse,
    "tool_result": canonical.ToolResult,
    "tool_reference": canonical.ToolReference,
    "compaction": canonical.Compaction,
    "tool_addition": canonical.ToolAddition,
    "tool_removal": canonical.ToolRemoval,
}
"""The content blocks that have words of their own; any other becomes `Unknown` and is not lost."""

_CHANGED = {
    "tool_reference": ("name",),
    "mcp_tool_reference": ("server_name", "name"),
    "mcp_toolset_reference": ("server_name",),
    "tool_definition": ("definition",),
}
"""What a tool that comes or goes may be told by, and the fields that it needs then."""

_CHANGES = frozenset({"tool_addition", "tool_removal"})

_SCALARS: dict[type, tuple[tuple[type, ...], str]] = {
    str: ((str,), "Input should be a valid string"),
    int: ((int,), "Input should be a valid integer"),
    float: ((int, float), "Input should be a valid number"),
    bool: ((bool,), "Input should be a valid boolean"),
}
"""What JSON may bring for a scalar, and the complaint about anything else: nothing is coerced."""


Hook = Callable[[Any, Any], Any]
"""Structures one kind of value: the value and the wanted type come in."""


def _scalar(kind: type) -> Hook:
    allowed, complaint = _SCALARS[kind]

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
            raise Misfit(complaint)
        return value

    return structure


def _object(value: Any, _: Any) -> JsonObject:
    if not isinstance(value, dict):
        raise Misfit("Input should be a valid dictionary")
    return value


def _checked(build: Hook) -> Hook:
    """Refuse anything but an object; unchecked, text in place of an object would count as an empty one."""

    def structure(value: Any, wanted: Any) -> Any:
        if not isinstance(value, dict):
            raise Misfit("Input should be an object")
        return build(value, wanted)

    return structure


def _is_of_later_days(block: JsonObject) -> bool:
    """Whether a block changes a tool that it names in a way which we do not know."""
    tool = block.get("tool")
    return isinstance(tool, dict) and isinstance(tool.get("type"), str) and tool["type"] not in _CHANGED


def _needs(value: JsonObject, fields: tuple[str, ...]) -> None:
    """Complain about the first field that an object of this kind lacks."""
    missing = next((field for field in fields if value.get(field) is None), None)
    if missing is not None:
        error = KeyError(missing)
        error.add_note(_TagNote(missing))
        raise error


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _literal(kind: Any) -> Hook:
    allowed = get_args(kind)
    listed = [f"'{option}'" for option in allowed]

    def structure(value: Any, _: Any) -> Any:
        if value not in allowed:
            raise Misfit(f"Input should be {', '.join(listed[:-1])} or {listed[-1]}")
        return value

    return structure


def _metadata(value: Any, _: Any) -> canonical.Metadata:
    fields = _object(value, None)
    user = fields.get("user_id")
    extra = {key: inner for key, inner in fields.items() if key != "user_id"}
    return canonical.Metadata(user if isinstance(user, str) else None, extra=extra)


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Misfit("Input should be a valid list")
    return value


class _Hooks:
    """What the two converters share: how each kind of value is structured."""

    def __init__(self, *, detailed: bool) -> None:
        self.converter = cattrs.Converter(detailed_validation=detailed)
        self.converter.register_structure_hook_factory(attrs.has, self._attributes)
        for kind in _SCALARS:
            self.converter.register_structure_hook(kind, _scalar(kind))
        for known, hook in (
            (dict[str, Any], _object),
            (canonical.ContentBlock, self.block),
            (tuple[canonical.ContentBlock, ...], self.content),
            (canonical.AnyTool, self.tool),
            (canonical.AnyTool | None, self.tool),
            (canonical.ChangedTool, self.changed_tool),
            (canonical.Metadata, _metadata),
            (tuple[canonical.Message, ...], self.listed(canonical.Message)),
            (tuple[canonical.AnyTool, ...], self.listed(canonical.AnyTool)),
            (tuple[str, ...], self.listed(str)),
        ):
            self._register(known, hook)
        self.converter.register_structure_hook_factory(_is_literal, _literal)
        self._change = self._attributes(canonical.ChangedTool)

    def _register(self, known: Any, hook: Hook) -> None:
        def fits(kind: Any) -> bool:
            return bool(kind == known)

        self.converter.register_structure_hook_func(fits, hook)

    def _attributes(self, kind: type) -> Hook:
        """Make the hook of a class of ours; fields that it has no attribute for are kept in `extra`."""
        if not issubclass(kind, canonical.Node):
            return _checked(self.converter.gen_structure_attrs_fromdict(kind))
        build = _checked(make_dict_structure_fn(kind, self.converter, extra=override(omit=True)))
        names = {field.name for field in attrs.fields(kind)} - {"extra"} | {"type"}

        def structure(value: Any, wanted: Any) -> Any:
            node = build(value, wanted)
            if value.keys() <= names:
                return node
            return attrs.evolve(node, extra={key: inner for key, inner in value.items() if key not in names})

        return structure

    def tagged(self, value: Any, tag: str, kind: Any) -> Any:
        """Structure a union's member, and have its tag stand in the location of a complaint."""
        try:
            return self.converter.structure(value, kind)
        except Exception as error:
            error.add_note(_TagNote(tag))
            raise

    def block(self, value: Any, _: Any) -> Any:
        """Structure a content block by its `type`; an unknown one is kept as it is."""
        if not isinstance(value, dict):
            raise Misfit("Input should be an object")
        tag = value.get("type")
        if not isinstance(tag, str):
            missing = "Unable to extract tag using discriminator 'type'"
            raise Misfit(missing if tag is None else "Input tag should be a string")
        kind = BLOCKS.get(tag) if tag not in _CHANGES or not _is_of_later_days(value) else None
        return canonical.Unknown(tag, value) if kind is None else self.tagged(value, tag, kind)

    def content(self, value: Any, _: Any) -> Any:
        """Structure content, which may be one string."""
        if isinstance(value, str):
            return (canonical.Text(value),)
        return tuple(self.converter.structure(_items(value), list[canonical.ContentBlock]))

    def tool(self, value: Any, _: Any) -> Any:
        """Structure a tool: the client's own in full, Anthropic's by name."""
        if not isinstance(value, dict):
            raise Misfit("Input should be an object")
        kind = value.get("type")
        if kind in (None, "custom"):
            return self.tagged(value, "custom", canonical.Tool)
        name = value.get("name")
        return canonical.ServerTool(str(kind), name if isinstance(name, str) else None, value)

    def changed_tool(self, value: Any, _: Any) -> Any:
        """Structure what is added or removed, by its `type`."""
        if not isinstance(value, dict):
            raise Misfit("Input should be an object")
        _needs(value, ("type",))
        tag = str(value["type"])
        try:
            _needs(value, _CHANGED.get(tag, ()))
            return self._change(value, canonical.ChangedTool)
        except Exception as error:
            error.add_note(_TagNote(tag))
            raise

    def listed(self, member: Any) -> Hook:
        """Make the hook of a sequence of these; a tuple, which JSON never brings, is structured already."""
        whole = list[member]

        def structure(value: Any, _: Any) -> Any:
            if type(value) is tuple:
                return value
            return tuple(self.converter.structure(_items(value), whole))

        return structure


_FAST = _Hooks(detailed=False).converter
_DETAILED = _Hooks(detailed=True).converter
_KNOWN = {field.name for field in attrs.fields(canonical.Request)} - canonical.NO_FIELDS
# Fields for which null means what their absence means.
_NULLABLE = {name for name in _KNOWN if name not in ("model", "messages")}


def structure_tool(value: Any) -> canonical.AnyTool:
    """Build one tool.

    Raises:
        Exception: it has the wrong form; `structure` says which.
    """
    tool: canonical.AnyTool = _FAST.structure(value, canonical.AnyTool)  # type: ignore[arg-type] # a union is a type here
    return tool


def structure_message(value: Any) -> canonical.Message:
    """Build one message.

    Raises:
        Exception: it has the wrong form; `structure` says which.
    """
    return _FAST.structure(value, canonical.Message)


def structure(body: JsonObject) -> canonical.Request:
    """Build the canonical tree of a request body, in which tuples of tools or messages are canonical already.

    Raises:
        Misfit: a known field has the wrong form; the text is Anthropic's own complaint, location first.
    """
    known = {key: value for key, value in body.items() if key in _KNOWN and (value is not None or key not in _NULLABLE)}
    extra = {key: value for key, value in body.items() if key not in _KNOWN}
    try:
        request = _FAST.structure(known, canonical.Request)
    except Exception:  # noqa: BLE001 - whatever it was, the detailed converter says it better
        raise Misfit(_complaint(known)) from None
    return attrs.evolve(request, extra=extra) if extra else request


def _complaint(known: JsonObject) -> str:
    try:
        _DETAILED.structure(known, canonical.Request)
    except Exception as error:  # noqa: BLE001 - every kind of misfit ends here
        return _first(error, ())
    return "Input does not match the expected shape"


def _first(error: BaseException, path: tuple[str, ...]) -> str:
    """Follow the first error of each group down to the value that does not fit."""
    here = path + tuple(_steps(error))
    if isinstance(error, BaseExceptionGroup):
        return _first(error.exceptions[0], here)
    if isinstance(error, KeyError):
        return ".".join(here) + ": Field required"
    reason = str(error) if isinstance(error, Misfit) else "Input does not match the expected shape"
    return f"{'.'.join(here)}: {reason}" if here else reason


def _steps(error: BaseException) -> list[str]:
    steps: list[str] = []
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            steps.insert(0, note.name)
        elif isinstance(note, IterableValidationNote):
            steps.insert(0, str(note.index))
        elif isinstance(note, _TagNote):
            steps.insert(0, str(note))
    return steps
