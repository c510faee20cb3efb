"""From a declared schema to the `OmittableMembers` by which arguments are repaired while they stream.

How to think about it.  A schema is read as a list of *ways* to satisfy it, each a set of plain schemas that hold
together (references followed, `allOf` joined, one option taken of each `anyOf` and `oneOf`).  A member may be left out
if each way to read the object forbids its value, and at least one does not require it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from stages.canonical.omittable import OmittableMember, OmittableMembers
from stages.canonical.request import JsonObject
from stages.schemas.by_content import by_content
from stages.schemas.references import resolve_reference
from stages.schemas.unset_values import allows
from stages.wire.lenient import listed, mapping

Way = tuple[JsonObject, ...]
"""Schemas without combinators of their own to decide about, all of which hold."""

SchemaNode = tuple[tuple[Any, ...], ...]
"""What may stand in a place: alternatives, each a set of schemas that hold together."""


class TooIntricateError(Exception):
    """The schema has too many ways to read it, or cannot be undone: nothing in it is repaired."""


@by_content
def omittable_of(schema: JsonObject) -> OmittableMembers | None:
    """Compile a tool's schema, as its client declared it; None when no member of anything is ever left out."""
    try:
        return _Compiler(schema, closed=False).compile()
    except (TooIntricateError, RecursionError):
        return None


def strict_nulls_of(schema: JsonObject) -> OmittableMembers | None:
    """Compile a schema whose objects were closed and whose optional members were made nullable.

    Raises:
        TooIntricateError: a `null` would mean "left out" by one reading and null by another.
    """
    return _Compiler(schema, closed=True).compile()


class _Compiler:
    """Compiles one schema; `closed` says that objects hold only what they declare."""

    def __init__(self, document: JsonObject, *, closed: bool) -> None:
        self._document = document
        self._closed = closed
        self._shapes: dict[frozenset[tuple[int, ...]], OmittableMembers] = {}

    def compile(self) -> OmittableMembers | None:
        """Return the shape of the document; None when nothing in it can have to be left out."""
        root = self._shape(((self._document,),))
        useful = self._useful()
        for omittable in self._shapes.values():
            _prune(omittable, useful)
        return root if id(root) in useful else None

    def _shape(self, node: SchemaNode) -> OmittableMembers:
        distinct = {tuple(map(id, schemas)): schemas for schemas in node}
        key = frozenset(distinct)
        if key in self._shapes:
            return self._shapes[key]
        ways = [way for schemas in distinct.values() for way in self._ways(schemas)]
        if len(ways) > _MANY or len(self._shapes) > _VERY_MANY:
            raise TooIntricateError
        omittable = self._shapes[key] = OmittableMembers()
        objects = [way for way in ways if _may_be(way, "object", dict)]
        names = {name: None for way in objects for part in way for name in mapping(part.get("properties"))}
        for name in names:
            omittable.members[name] = self._member(name, objects)
        omittable.others = self._elsewhere([_others(way, closed=self._closed) for way in objects])
        omittable.items = self._elsewhere([_items(way) for way in ways if _may_be(way, "array", list)])
        return omittable

    def _elsewhere(self, node: list[tuple[Any, ...] | None]) -> OmittableMembers | None:
        """Compile what is not a member by name; a way that allows anything there makes it nothing to know about."""
        stated = tuple(schemas for schemas in node if schemas is not None)
        return self._shape(stated) if stated and all(stated) else None

    def _ways(self, schemas: tuple[Any, ...], known: Way = ()) -> Iterator[Way]:
        """Take references, conjunctions and alternatives apart."""
        if not schemas:
            yield known
            return
        schema, *rest = schemas
        if schema is False:
            return
        if not isinstance(schema, dict) or any(schema is part for part in known):
            yield from self._ways(tuple(rest), known)
            return
        target = resolve_reference(self._document, schema.get("$ref"))
        rest += [*listed(schema.get("allOf")), *([] if target is None else [target])]
        for chosen in _choices([listed(schema.get(key)) for key in ("anyOf", "oneOf")]):
            yield from self._ways((*chosen, *rest), (*known, schema))

    def _member(self, name: str, objects: list[Way]) -> OmittableMember:
        stated = [
            (way, schemas) for way in objects if (schemas := _declared(way, name, closed=self._closed)) is not None
        ]
        inside = self._shape(tuple(schemas for _, schemas in stated)) if stated and all(s for _, s in stated) else None
        required = [_requires(way, name) for way, _ in stated]
        null = [self._allows(schemas, None) for _, schemas in stated]
        empty = [self._allows(schemas, "") for _, schemas in stated]
        optional = bool(stated) and not all(required)
        return OmittableMember(
            null=self._undone(null, required) if self._closed else optional and not any(null),
            empty=optional and not any(empty) and not (self._closed and any(required)),
            inside=inside,
        )

    def _undone(self, null: list[bool], required: list[bool]) -> bool:
        """Whether a `null` that strict mode asked for means "left out"."""
        filled = any(not (allowed or needed) for allowed, needed in zip(null, required, strict=True))
        if filled and any(allowed and needed for allowed, needed in zip(null, required, strict=True)):
            raise TooIntricateError
        return filled

    def _allows(self, schemas: Iterable[Any], value: str | None) -> bool:
        return all(allows(schema, value, self._document) for schema in schemas)

    def _useful(self) -> set[int]:
        """The shapes in or below which something may be left out, by identity."""
        useful = {id(omittable) for omittable in self._shapes.values() if omittable.omittable_names}
        before = -1
        while before != len(useful):
            before = len(useful)
            for omittable in self._shapes.values():
                inner = (omittable.others, omittable.items, *(member.inside for member in omittable.members.values()))
                if any(id(other) in useful for other in inner):
                    useful.add(id(omittable))
        return useful


_MANY = 64
_VERY_MANY = 4096


def _prune(omittable: OmittableMembers, useful: set[int]) -> None:
    """Forget what leads nowhere.

    Names stay, because a declared name is none of `others`.
    """

    def kept(inner: OmittableMembers | None) -> OmittableMembers | None:
        return inner if id(inner) in useful else None

    omittable.members = {n: OmittableMember(m.null, m.empty, kept(m.inside)) for n, m in omittable.members.items()}
    omittable.others, omittable.items = kept(omittable.others), kept(omittable.items)
    if omittable.others is None:
        omittable.members = {name: member for name, member in omittable.members.items() if member != OmittableMember()}


def _choices(combinators: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    """All ways to take one option of each list that has any."""
    chosen: list[tuple[Any, ...]] = [()]
    for options in combinators:
        if len(options) * len(chosen) > _MANY:
            raise TooIntricateError
        chosen = [(*before, option) for before in chosen for option in options] if options else chosen
    yield from chosen


def _may_be(way: Way, kind: str, python: type) -> bool:
    """Whether a value of this type can satisfy all parts, as far as `type`, `enum` and `const` tell."""
    for part in way:
        types, values = part.get("type", kind), part.get("enum")
        if kind not in (types if isinstance(types, list) else [types]):
            return False
        if isinstance(values, list) and not any(isinstance(value, python) for value in values):
            return False
        if "const" in part and not isinstance(part["const"], python):
            return False
    return True


def _declared(way: Way, name: str, *, closed: bool) -> tuple[Any, ...] | None:
    """What holds for a member: its schemas; none where anything is allowed; None where it must not be."""
    declared: list[Any] = []
    for part in way:
        properties = mapping(part.get("properties"))
        if name in properties:
            declared.append(properties[name])
        elif isinstance(part.get("patternProperties"), dict):
            continue
        elif part.get("additionalProperties") is False:
            return None
        elif isinstance(part.get("additionalProperties"), dict):
            declared.append(part["additionalProperties"])
    return None if closed and not declared else tuple(declared)


def _others(way: Way, *, closed: bool) -> tuple[Any, ...] | None:
    """What holds for members that are not declared."""
    if any(isinstance(part.get("patternProperties"), dict) for part in way):
        return ()
    rules = [part.get("additionalProperties") for part in way]
    return None if closed or any(rule is False for rule in rules) else tuple(r for r in rules if isinstance(r, dict))


def _items(way: Way) -> tuple[Any, ...]:
    """What holds for each element of an array."""
    tuples = any("prefixItems" in part or isinstance(part.get("items"), list) for part in way)
    return () if tuples else tuple(part["items"] for part in way if isinstance(part.get("items"), dict))


def _requires(way: Way, name: str) -> bool:
    return any(name in listed(part.get("required")) for part in way)
