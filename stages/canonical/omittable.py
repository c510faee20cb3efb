"""What an argument repair must know of a declared schema: which members may be left out, and where to look further."""

from __future__ import annotations

from functools import cached_property

import attrs


@attrs.frozen
class OmittableMember:
    """One property of an object.

    Attributes:
        null: whether a `null` here is only a filler, which the schema forbids and nobody asked for.
        empty: the same for `""`.
        inside: what to know of an object or array that stands here; None when nothing in it is ever left out.
    """

    null: bool = False
    empty: bool = False
    inside: OmittableMembers | None = None


@attrs.define(eq=False)
class OmittableMembers:
    """An object or array in which something may have to be left out; it may contain itself.

    Names are the client's, so nothing of them is shown (law 7).

    Attributes:
        members: declared properties that matter, by name.
        others: what to know of objects and arrays under names that are not declared.
        items: what to know of an array's elements.
    """

    members: dict[str, OmittableMember] = attrs.field(factory=dict, repr=False)
    others: OmittableMembers | None = attrs.field(default=None, repr=False)
    items: OmittableMembers | None = attrs.field(default=None, repr=False)

    @cached_property
    def omittable_names(self) -> tuple[str, ...]:
        """The names of the members of this very object that may be left out."""
        return tuple(name for name, member in self.members.items() if member.null or member.empty)

    def member(self, name: str) -> OmittableMember:
        """What to know of the property with this name, declared or not."""
        return self.members.get(name) or OmittableMember(inside=self.others)


@attrs.frozen
class StructuredAnswer:
    """How the text of a structured answer differs upstream from what the client asked for.

    Attributes:
        omittable: what may have to be left out of it; None when nothing.
        member: the name under which the answer stands in an object made for it, because the upstream answers with
        nothing but objects; empty when the answer is an object itself.
    """

    omittable: OmittableMembers | None = attrs.field(default=None, repr=False)
    member: str = ""
