"""The mapping report keeps what it is told, in order."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.report import ALL_FAITHFUL, UNFAITHFUL, WORTH_A_WORD, Disposition, Note, Report
from tests.stages.strategies import TEXTS
from tests.support.places import place

PATHS = st.one_of(TEXTS, st.sampled_from(["a", "b.c", "b.0", "x" * 90]))
NOTES = st.lists(
    st.builds(
        Note, st.one_of(TEXTS, st.sampled_from(["a", "b.c", "x" * 90])).map(place), st.sampled_from(Disposition), TEXTS
    )
)


def reported(notes: list[Note]) -> Report:
    """A report with these notes."""
    report = Report()
    for note in notes:
        report.note(note.place, note.disposition, note.reason)
    return report


def test_notes_keep_their_order() -> None:
    """Each way to note something has its fate."""
    report = Report()
    fates = [Disposition.DROPPED, Disposition.EMULATED, Disposition.APPROXIMATED, Disposition.TRANSLATED]
    for disposition in fates:
        getattr(report, disposition.value)(place(disposition.name), "why")

    assert report.notes == [Note(place(disposition.name), disposition, "why") for disposition in fates]


@pytest.mark.parametrize(
    ("notes", "summary"),
    [
        ([], "faithful=all"),
        ([("model", Disposition.TRANSLATED), ("stream", Disposition.KEPT)], "faithful=all"),
        (
            [("top_k", Disposition.DROPPED), ("stop_sequences", Disposition.EMULATED)],
            "dropped=top_k;emulated=stop_sequences",
        ),
        (
            [
                ("messages.3.content.0", Disposition.DROPPED),
                ("messages.1", Disposition.DROPPED),
                ("b", Disposition.DROPPED),
            ],
            "dropped=messages,b",
        ),
        (
            [("tools.0", Disposition.DROPPED), ("tools.1.strict", Disposition.APPROXIMATED)],
            "approximated=tools;dropped=tools",
        ),
        ([("a;b=c\r\nx", Disposition.DROPPED)], "dropped=a?b?c??x"),
        ([(f"{n}{'x' * 200}", Disposition.DROPPED) for n in range(9)], "more=9"),
        (
            [("a", Disposition.APPROXIMATED), *((f"{n}{'x' * 200}", Disposition.DROPPED) for n in range(9))],
            "approximated=a;more=9",
        ),
    ],
)
def test_the_summary_names_fields(notes: list[tuple[str, Disposition]], summary: str) -> None:
    """What is not simply kept or translated, by its field at the top, each once; what does not fit is counted."""
    assert reported([Note(place(path), disposition, "why") for path, disposition in notes]).summary() == summary


@given(NOTES)
def test_the_summary_is_a_header_value(notes: list[Note]) -> None:
    """Whatever a client calls its fields: bounded, one line, ASCII."""
    summary = reported(notes).summary()

    assert re.fullmatch(r"[A-Za-z0-9_?=,;-]*", summary)
    assert len(summary) <= 512 + len(";more=1000")
    assert (summary != ALL_FAITHFUL) == any(note.disposition in WORTH_A_WORD for note in notes)


@given(NOTES)
def test_the_first_unfaithful_note_is_found(notes: list[Note]) -> None:
    """What a client that insists on faithfulness is told."""
    found = [note for note in notes if note.disposition in UNFAITHFUL]

    assert reported(notes).unfaithful() == (found[0] if found else None)


def test_reports_do_not_share_notes() -> None:
    """One request's report says nothing about another's."""
    Report().dropped(place("a"), "b")

    assert Report().notes == []


@given(NOTES)
def test_a_report_can_be_asked_about_a_place(notes: list[Note]) -> None:
    """It says what it was last told about exactly that place, and nothing about those above and below."""
    report = reported(notes)

    for note in notes:
        last = next(other for other in reversed(notes) if other.place == note.place)
        assert report.disposition_of(note.place) is last.disposition
    assert report.disposition_of(place("nobody.0.said")) is None


def test_a_word_about_a_part_is_none_about_its_fields() -> None:
    """Which of them go with it is for the reader to decide."""
    report = Report()
    report.dropped(place("messages.0"), "why")

    assert report.disposition_of(place("messages")) is None
    assert report.disposition_of(place("messages.0")) is Disposition.DROPPED
    assert report.disposition_of(place("messages.0.content")) is None
