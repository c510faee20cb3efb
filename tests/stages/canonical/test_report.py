"""The mapping report keeps what it is told, in order."""

from __future__ import annotations

from stages.canonical.report import Fate, Note, Report


def test_notes_keep_their_order() -> None:
    """Each way to note something has its fate."""
    report = Report()
    report.dropped("top_k", "no counterpart")
    report.emulated("stop_sequences", "scanned")
    report.approximated("max_tokens", "raised")

    assert report.notes == [
        Note("top_k", Fate.DROPPED, "no counterpart"),
        Note("stop_sequences", Fate.EMULATED, "scanned"),
        Note("max_tokens", Fate.APPROXIMATED, "raised"),
    ]


def test_reports_do_not_share_notes() -> None:
    """One request's report says nothing about another's."""
    Report().dropped("a", "b")

    assert Report().notes == []
