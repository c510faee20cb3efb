"""Which thinking blocks go back upstream, and in which form."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given

from stages.canonical.report import Disposition, Report
from stages.canonical.request import RedactedThinking, Thinking
from stages.mapper.reasoning import ReasoningReplay
from stages.wire import carrier
from stages.wire import responses_request as responses
from stages.wire.carrier import Carrier
from stages.wire.responses_request import Item
from tests.stages.strategies import TEXTS
from tests.support.places import place

OURS = Carrier("rs_1", "sealed", summary=(3, 3), phase="commentary", model="gpt-x", account="acc")


def restored(
    sealed: Carrier, thinking: str = "one\n\ntwo", *, replay: str = "encrypted"
) -> tuple[tuple[Item | None, str], list[str]]:
    """Bring a block with this carrier back; return what came of it and what was reported as dropped."""
    report = Report()
    memory = ReasoningReplay(replay, "gpt-x", "acc", report)
    item = memory.restore(Thinking(thinking, carrier.encode(sealed)), place("messages.1.content.0"))
    assert all((note.path, note.disposition) == ("messages.1.content.0", Disposition.DROPPED) for note in report.notes)
    return item, [note.reason for note in report.notes]


def test_a_sealed_item_comes_back_in_place() -> None:
    """Summary parts, sealed content and the phase of what followed, without the id, and nothing to report."""
    assert restored(OURS) == ((responses.sealed_reasoning("sealed", ("one", "two")), "commentary"), [])


def test_texts_that_the_client_never_saw_ride_in_the_carrier() -> None:
    """An omitted summary goes back as it was."""
    hidden = attrs.evolve(OURS, summary=(), texts=("un", "seen"))

    assert restored(hidden, "") == ((responses.sealed_reasoning("sealed", ("un", "seen")), "commentary"), [])


def test_sealed_raw_reasoning_needs_no_summary() -> None:
    """What was shown was the reasoning itself, which is inside the seal."""
    assert restored(attrs.evolve(OURS, raw=True)) == (
        (responses.sealed_reasoning("sealed", ()), "commentary"),
        [],
    )


def test_open_reasoning_goes_back_as_text() -> None:
    """A server that shows its reasoning takes it back as content."""
    raw = attrs.evolve(OURS, encrypted_content="", raw=True, summary=(8,))

    assert restored(raw, replay="content") == ((responses.open_reasoning(("one\n\ntwo",)), "commentary"), [])


@pytest.mark.parametrize(
    ("change", "replay", "reason"),
    [
        ({"model": "gpt-y"}, "encrypted", "reasoning of another model or account"),
        ({"account": "other"}, "encrypted", "reasoning of another model or account"),
        ({"encrypted_content": ""}, "encrypted", "reasoning that the upstream did not seal"),
        ({}, "none", "the upstream takes no reasoning back"),
        ({}, "content", "reasoning that the upstream did not seal"),
        ({"raw": True, "summary": (), "encrypted_content": ""}, "content", ""),
    ],
)
def test_what_the_upstream_would_refuse_is_dropped_with_a_reason(
    change: dict[str, object], replay: str, reason: str
) -> None:
    """Sealed reasoning opens nowhere else, and a server gets only the form it knows."""
    (item, phase), reasons = restored(attrs.evolve(OURS, **change), replay=replay)  # type: ignore[arg-type] # fields of Carrier

    assert reasons == ([reason] if reason else [])
    assert (item is None) == bool(reason)
    assert phase == ("" if "model" in change else "commentary")


def test_open_reasoning_without_text_is_nothing() -> None:
    """An item without content would be refused."""
    (item, _), reasons = restored(attrs.evolve(OURS, raw=True, summary=()), "", replay="content")

    assert item is None
    assert len(reasons) == 1


@given(TEXTS)
def test_foreign_signatures_are_dropped_and_reported(signature: str) -> None:
    """A conversation that began on another service goes on without that service's reasoning, and without an error."""
    report = Report()

    assert ReasoningReplay("encrypted", "gpt-x", "acc", report).restore(Thinking("x", signature), place("p")) == (
        None,
        "",
    )
    assert [note.reason for note in report.notes] == ["reasoning of another service"]


def test_redacted_thinking_is_foreign() -> None:
    """We never write such blocks."""
    report = Report()

    assert ReasoningReplay("encrypted", "gpt-x", "acc", report).restore(RedactedThinking("x"), place("p")) == (None, "")
    assert [note.reason for note in report.notes] == ["reasoning of another service"]


@pytest.mark.parametrize(
    ("phase", "model", "phases", "known"),
    [
        ("commentary", "gpt-x", False, True),
        ("final_answer", "gpt-y", True, True),
        ("final_answer", "gpt-y", False, False),
        ("commentarz", "gpt-x", True, False),
        ("", "gpt-x", True, True),
    ],
)
def test_a_phase_outlives_its_reasoning(phase: str, model: str, *, phases: bool, known: bool) -> None:
    """A carrier's phase counts wherever the model understands it, but no word that the upstream would refuse."""
    memory = ReasoningReplay("none", "gpt-x", "acc", Report(), phases)
    sealed = attrs.evolve(OURS, phase=phase, model=model)

    assert memory.restore(Thinking("", carrier.encode(sealed)), place("p")) == (None, phase if known else "")


def test_where_reasoning_went() -> None:
    """What goes back, and Anthropic's word for what was made by somebody else, each with its place."""
    memory = ReasoningReplay("encrypted", "gpt-x", "acc", Report())
    sealed = (OURS, attrs.evolve(OURS, model="gpt-y"), attrs.evolve(OURS, account="other"))
    signatures = [*map(carrier.encode, sealed), "of another service"]
    for at, signature in enumerate(signatures):
        memory.restore(Thinking("one\n\ntwo", signature), place(f"messages.{at}.content.0"))

    assert list(map(str, memory.returned)) == ["messages.0.content.0"]
    assert {str(where): reason for where, reason in memory.mismatched.items()} == {
        "messages.1.content.0": "model_binding_mismatch",
        "messages.2.content.0": "organization_binding_mismatch",
        "messages.3.content.0": "model_binding_mismatch",
    }
