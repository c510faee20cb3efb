"""What a shape says of names."""

from __future__ import annotations

from stages.canonical.shape import Member, Shape, Structure


def test_members_by_name() -> None:
    """Declared ones as declared, others as what is known of others."""
    inner = Shape()
    shape = Shape({"a": Member(null=True), "b": Member(empty=True), "c": Member()}, others=inner)

    assert shape.member("a") == Member(null=True)
    assert shape.member("x").inside is inner
    assert shape.fillers == ("a", "b")
    assert Shape().member("x") == Member()


def test_no_name_is_shown() -> None:
    """Names are the client's (law 7)."""
    shape = Shape({"secret": Member(null=True, inside=Shape({"secret": Member()}))})

    assert "secret" not in repr((shape, shape.members["secret"], Structure(shape, "answer")))
