"""What `dragoman check` finds out."""

from __future__ import annotations

from pipeline.commands.findings import Finding, Verdict, fail, ok, warn


def test_each_maker_has_its_verdict() -> None:
    """Only what fails must come with advice; the type of `fail` asks for it."""
    assert ok("x") == Finding(Verdict.OK, "x", "")
    assert warn("x", "do") == Finding(Verdict.WARN, "x", "do")
    assert fail("x", "do") == Finding(Verdict.FAIL, "x", "do")
