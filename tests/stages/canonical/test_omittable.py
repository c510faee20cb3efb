"""What a shape says of names."""

from __future__ import annotations

from stages.canonical.omittable import OmittableMember, OmittableMembers, StructuredAnswer


def test_members_by_name() -> None:
    """Declared ones as declared, others as what is known of others."""
    inner = OmittableMembers()
    omittable = OmittableMembers(
        {"a": OmittableMember(null=True), "b": OmittableMember(empty=True), "c": OmittableMember()}, others=inner
    )

    assert omittable.member("a") == OmittableMember(null=True)
    assert omittable.member("x").inside is inner
    assert omittable.omittable_names == ("a", "b")
    assert OmittableMembers().member("x") == OmittableMember()


def test_no_name_is_shown() -> None:
    """Names are the client's (law 7)."""
    omittable = OmittableMembers(
        {"secret": OmittableMember(null=True, inside=OmittableMembers({"secret": OmittableMember()}))}
    )

    assert "secret" not in repr((omittable, omittable.members["secret"], StructuredAnswer(omittable, "answer")))
