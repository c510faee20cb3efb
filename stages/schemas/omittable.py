"""From a declared schema to the `OmittableMembers` by which arguments are repaired while they stream.

How to think about it.  A schema is read as a list of *ways* to satisfy it, each a set of plain schemas that hold
together (references followed, `allOf` joined, one option taken of each `anyOf` and `oneOf`).  A member may be left out
if each way to read the object forbids its value, and at least one does not require it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, product
from typing import Any

from stages.canonical.omittable import OmittableMember, OmittableMembers
from stages.canonical.request import JsonObject
from stages.schemas.budget import Budget, TooIntricateError
from stages.schemas.references import resolve_reference
from stages.schemas.unset_values import Fillers
from stages.wire.cache import by_content
from stages.wire.lenient import listed, mapping, texts

Way = tuple[JsonObject, ...]
"""Schemas without combinators of their own to decide about, all of which hold."""

SchemaNode = tuple[tuple[Any, ...], ...]
"""What may stand in a place: alternatives, each a set of schemas that hold together."""


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
        self._budget = Budget.of(document)
        self._fillers = Fillers(document, self._budget)
        self._possible: dict[tuple[int, str], bool] = {}
        self._shapes: dict[frozenset[tuple[int, ...]], OmittableMembers] = {}

    def compile(self) -> OmittableMembers | None:
        """Return the omittable members of the document; None when nothing in it can have to be left out."""
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
        omittable = self._shapes[key] = OmittableMembers()
        ways = self._all_ways(distinct.values())
        objects = [way for way in ways if self._may_be(way, "object")]
        names = {name: None for way in objects for part in way for name in mapping(part.get("properties"))}
        needed = [self._required(way) for way in objects]
        self._budget.spend(sum(map(len, ways)) + len(names) * sum(map(len, objects)))
        for name in names:
            omittable.members[name] = self._member(name, objects, needed)
        omittable.others = self._elsewhere([_others(way, closed=self._closed) for way in objects])
        omittable.items = self._elsewhere([_items(way) for way in ways if self._may_be(way, "array")])
        return omittable

    def _all_ways(self, node: Iterable[tuple[Any, ...]]) -> list[Way]:
        """Take all the ways of a node; none where there are too many, and then nothing is said about its members."""
        ways = list(islice((way for schemas in node for way in self._ways(schemas)), _MANY + 1))
        if len(ways) <= _MANY:
            return ways
        if self._closed:
            raise TooIntricateError
        return []

    def _elsewhere(self, node: list[tuple[Any, ...] | None]) -> OmittableMembers | None:
        """Compile what is not a member by name; a way that allows anything there makes it nothing to know about."""
        stated = tuple(schemas for schemas in node if schemas is not None)
        return self._shape(stated) if stated and all(stated) else None

    def _ways(self, schemas: tuple[Any, ...], known: Way = ()) -> Iterator[Way]:
        """Take references, conjunctions and alternatives apart."""
        self._budget.spend(1 + len(schemas) + len(known))
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
        choices = [options for key in ("anyOf", "oneOf") if (options := listed(schema.get(key)))]
        self._budget.spend(sum(map(len, choices)))
        for chosen in product(*choices):
            yield from self._ways((*chosen, *rest), (*known, schema))

    def _may_be(self, way: Way, kind: str) -> bool:
        """Whether a value of a type can satisfy all parts; each part is asked once."""
        for part in way:
            key = id(part), kind
            if key not in self._possible:
                self._possible[key] = _possible(part, kind)
        return all(self._possible[id(part), kind] for part in way)

    def _required(self, way: Way) -> set[str]:
        listed = [texts(part.get("required")) for part in way]
        self._budget.spend(sum(map(len, listed)))
        return {name for names in listed for name in names}

    def _member(self, name: str, objects: list[Way], needed: list[set[str]]) -> OmittableMember:
        told = [
            (needs, schemas)
            for way, needs in zip(objects, needed, strict=True)
            if (schemas := _declared(way, name, closed=self._closed)) is not None
        ]
        inside = self._shape(tuple(schemas for _, schemas in told)) if told and all(s for _, s in told) else None
        required = [name in needs for needs, _ in told]
        null = [self._allows(schemas, None) for _, schemas in told]
        empty = [self._allows(schemas, "") for _, schemas in told]
        optional = bool(told) and not all(required)
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
        return all(self._fillers.allows(schema, value) for schema in schemas)

    def _useful(self) -> set[int]:
        """The objects and arrays in or below which something may be left out, by identity."""
        around: dict[int, list[OmittableMembers]] = {}
        for omittable in self._shapes.values():
            for inner in (omittable.others, omittable.items, *(member.inside for member in omittable.members.values())):
                around.setdefault(id(inner), []).append(omittable)
        found = [omittable for omittable in self._shapes.values() if omittable.omittable_names]
        useful = set(map(id, found))
        while found:
            fresh = [omittable for omittable in around.get(id(found.pop()), ()) if id(omittable) not in useful]
            useful.update(map(id, fresh))
            found += fresh
        return useful


_MANY = 64
# Ways in which one place can be read that are looked at.


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


def _possible(part: JsonObject, kind: str) -> bool:
    """Whether a value of a type can satisfy a part, as far as `type`, `enum` and `const` tell."""
    python = _PYTHON[kind]
    types, values = part.get("type", kind), part.get("enum")
    if kind not in (types if isinstance(types, list) else [types]):
        return False
    if isinstance(values, list) and not any(isinstance(value, python) for value in values):
        return False
    return "const" not in part or isinstance(part["const"], python)


_PYTHON: dict[str, type] = {"object": dict, "array": list}


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
