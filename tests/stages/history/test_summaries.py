"""A summary stands for what was said before it, for this turn and all later ones."""

from __future__ import annotations

from typing import Any

from stages.canonical.request import Caller, Request
from stages.history import edit_history
from stages.mapper import Target, map_request
from stages.wire.messages_request import structure

Json = dict[str, Any]

ASKED: Json = {"role": "user", "content": "What is a dragoman?"}
SUMMED: Json = {"type": "compaction", "content": "They asked about dragomans.", "signature": "another service's"}
SAID: Json = {"type": "text", "text": "An interpreter."}


def told(*messages: Json) -> tuple[list[Any], dict[str, str]]:
    """The items that a conversation becomes, and the report."""
    request: Request = edit_history(structure({"model": "claude-sonnet-5-5", "messages": list(messages)}), len)
    mapped = map_request(request, Caller(), Target(), message_id="msg_1")
    return mapped.body["input"], {note.path: note.disposition.value for note in mapped.report.notes}


SUMMARY = {
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "Summary of the conversation so far:\n\nThey asked about dragomans."}],
}


def test_it_begins_the_conversation() -> None:
    """As clients send it that put it in the place of what it sums up."""
    items, report = told({"role": "assistant", "content": [SUMMED]}, {"role": "user", "content": "Go on."})
    assert items[0] == SUMMARY
    assert [item["role"] for item in items] == ["user", "user"]
    assert set(report.values()) == {"translated"}


def test_what_stands_before_it_is_left_out() -> None:
    """As clients send it that keep the whole conversation; what the answer went on with behind it stays."""
    old = ({"role": "user", "content": "Hello."}, {"role": "assistant", "content": [SUMMED | {"content": "Older."}]})
    items, report = told(
        ASKED, *old, {"role": "user", "content": "Go."}, {"role": "assistant", "content": [SUMMED, SAID]}
    )
    assert items[0] == SUMMARY
    assert [item["role"] for item in items] == ["user", "assistant"]
    assert {path: word for path, word in report.items() if word == "emulated"} == {
        f"messages.{at}": "emulated" for at in range(4)
    }


def test_the_same_bytes_for_ever() -> None:
    """The next turn begins with this one's items."""
    begun: list[Json] = [{"role": "assistant", "content": [SUMMED, SAID]}, {"role": "user", "content": "More?"}]
    now, _ = told(ASKED, *begun)
    later, _ = told(ASKED, *begun, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Then?"})
    assert later[: len(now)] == now


def test_one_that_did_not_come_about() -> None:
    """Says nothing and takes nothing away."""
    failed = {"type": "compaction", "content": None}
    items, _ = told(ASKED, {"role": "assistant", "content": [failed, SAID]}, {"role": "user", "content": "More?"})
    assert [item["role"] for item in items] == ["user", "assistant", "user"]
