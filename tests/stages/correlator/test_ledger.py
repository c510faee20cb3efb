"""Who is who in a Responses stream: one message, whatever the upstream leaves out, repeats or mixes."""

from __future__ import annotations

import attrs
import pytest

from stages.canonical.events import MessageEnd
from stages.canonical.failure import Failure, Kind
from stages.correlator.ledger import Ledger
from stages.wire.responses_stream import StreamEvent
from tests.stages.correlator.items import PLAN, added, call, done, ended, message, parts, reasoning, say, told
from tests.support.cases import cases

END = ended(usage={"input_tokens": 1})
CALLED = "call f toolu_call_1: "


@cases(
    "events",
    [
        [say("text", "a", output_index=0), say("text", "b", output_index=0), END],
        [
            added("message", 0, id="m"),
            say("text", "ab", item_id="m"),
            say("text_done", "ab", item_id="m"),
            done(message("ab", ident="m"), 0),
            END,
        ],
        [say("text", "a", item_id="m"), say("text_done", "ab", item_id="m"), END],
        [say("text", "a", output_index=0), done(message("ab"), 0), END],
        [say("text", "a"), say("text", "b"), END],
        [say("text_done", "ab", item_id="m"), END],
        [done(message("ab"), 0), END],
        [done(message("ab")), END],
        [added("message", 0), done(message("ab"), 0), END],
        [ended(output=[message("ab")])],
        [say("text", "a", output_index=0), ended(output=[message("ab")])],
        [say("text", "ab", item_id="x1"), ended(output=[message("ab", ident="x2")])],
        [
            say("text", "a", item_id="x1", output_index=0),
            say("text", "b", item_id="x2", output_index=0),
            done(message("ab", ident="x3"), 0),
            END,
        ],
        [added("message", 0, id="m"), added("message", 0, id="m"), say("text", "ab", item_id="m"), END],
        [done(message("ab"), 0), done(message("ab"), 0), ended(output=[message("ab")])],
        [say("text", "ab", output_index=0), done(message("ab"), 0), say("text_done", "ab", output_index=0), END],
        [say("text", "ab", output_index=0), say("text_done", "xy", output_index=0), done(message("xyz"), 0), END],
        [say("text", "ab", output_index=0), ended("done")],
    ],
)
def test_a_text_however_it_comes(events: list[StreamEvent]) -> None:
    """Deltas, wholes, repetitions, changing ids and missing ones: the text is said once."""
    assert told(parts(*events)) == ["text: ab.", "end_turn"]


@pytest.mark.parametrize(
    "events",
    [
        [done(call('{"a":1}'), 0), END],
        [ended(output=[call('{"a":1}')])],
        [
            added("function_call", 0, id="fc_1", call_id="call_1", name="f"),
            say("arguments_done", '{"a":1}', item_id="fc_1"),
            END,
        ],
    ],
)
def test_a_call_that_came_whole(events: list[StreamEvent]) -> None:
    """The arguments may come in one piece only."""
    assert told(parts(*events)) == [CALLED + ' = {"a":1}.', "tool_use"]


def test_a_call_that_came_in_fragments() -> None:
    """Fragments leave as they come, and what repeats them is marked as that."""
    events = [
        added("function_call", 0, id="fc_1", call_id="call_1", name="f", arguments=""),
        say("arguments", '{"a"', item_id="fc_1"),
        say("arguments", ":1}", item_id="fc_1"),
        done(call('{"a":1}'), 0),
        END,
    ]

    assert told(parts(*events)) == [CALLED + '{"a":1} = {"a":1}.', "tool_use"]


@pytest.mark.parametrize("late", ["added", "done", "completed"])
def test_a_name_may_come_after_the_arguments(late: str) -> None:
    """Nothing is said of a call before its name is known, and nothing of it is lost."""
    named = {
        "added": [added("function_call", 0, id="fc_9", call_id="call_1", name="f")],
        "done": [done(call('{"a":1}'), 0), END],
        "completed": [ended(output=[call('{"a":1}')])],
    }[late]
    lines = told(parts(say("arguments", '{"a":1}', output_index=0), *named))

    assert lines == [CALLED + '{"a":1}'] if late == "added" else [CALLED + '{"a":1} = {"a":1}.', "tool_use"]


def test_a_call_that_never_gets_a_name_is_a_failure() -> None:
    """The turn cannot go on without its result; behind an answer it is counted alone."""
    nameless = say("arguments", '{"a":1}', output_index=0)

    assert told(parts(nameless, END))[0] == "failure nameless_call"
    end = parts(nameless, done(message("a"), 1), END)[-1]
    assert isinstance(end, MessageEnd)
    assert end.left_out == (("function_call without a name", 1),)


# -- order ------------------------------------------------------------------------------------------


def test_the_first_block_speaks_while_the_others_wait() -> None:
    """Interleaved items come out one after another, in order of appearance."""
    ledger = Ledger(PLAN)

    def feed(event: StreamEvent) -> list[str]:
        return told(list(ledger.feed(event)))

    assert feed(added("message", 0, id="a")) == []
    assert feed(added("message", 1, id="b")) == []
    assert feed(say("text", "two", item_id="b")) == []
    assert feed(say("text", "one", item_id="a")) == ["text: one"]
    assert feed(done(message("one", ident="a"), 0)) == [".", "text: two"]
    assert feed(say("text", "!", item_id="b")) == ["!"]
    assert feed(done(message("two!", ident="b"), 1)) == ["."]
    assert ledger.ended is False
    assert feed(END) == ["end_turn"]
    assert ledger.ended is True


def test_items_come_in_order_of_appearance() -> None:
    """An item that is whole at once still waits for the one before it."""
    events = [
        added("message", 0, id="a"),
        done(call(), 1),
        say("text", "x", item_id="a"),
        done(message("x", ident="a"), 0),
        END,
    ]

    assert told(parts(*events)) == ["text: x.", CALLED + " = {}.", "tool_use"]


def test_too_much_waiting_fails_the_message() -> None:
    """Memory is bounded though the upstream mixes its items for ever (law 6)."""
    made = parts(
        added("message", 0, id="a"), *(say("text", "x" * 400, output_index=1) for _ in range(3)), waiting=1_000
    )

    assert isinstance(made[-1], Failure)
    assert made[-1].kind is Kind.UPSTREAM
    assert made[:-1] == []


def test_what_is_spoken_at_once_never_counts_as_waiting() -> None:
    """The item whose turn it is may be as long as it likes."""
    made = parts(*(say("text", "x" * 400, output_index=0) for _ in range(9)), waiting=1_000)

    assert told(made) == ["text: " + "x" * 3_600]


# -- late, repeated, reused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        (
            [
                added("message", 0, id="m"),
                say("text", "ab", item_id="m"),
                done(message("ab", ident="m"), 0),
                say("text", "b", item_id="m"),
                END,
            ],
            ["text: ab.", "end_turn"],
        ),
        (
            [done(call(), 0), say("arguments", "{}", item_id="fc_1"), ended(output=[call()])],
            [CALLED + " = {}.", "tool_use"],
        ),
        (
            [done(call(), 0), say("arguments_done", "{}", item_id="fc_1"), ended(output=[call()])],
            [CALLED + " = {}.", "tool_use"],
        ),
    ],
    ids=["text", "arguments", "whole arguments"],
)
def test_what_comes_after_the_whole_item_repeats_it(events: list[StreamEvent], lines: list[str]) -> None:
    """An item that was whole does not grow; above all a call is never made twice."""
    assert told(parts(*events)) == lines


@pytest.mark.parametrize("index", [0, None])
def test_an_index_that_is_always_zero(index: int | None) -> None:
    """Items with ids of their own are items of their own, whatever their index says."""
    events = [
        added("message", index, id="a"),
        say("text", "one", item_id="a", output_index=index),
        done(message("one", ident="a"), index),
        added("function_call", index, id="b", call_id="call_1", name="f"),
        say("arguments", "{}", item_id="b", output_index=index),
        done(call(ident="b"), index),
        added("message", index, id="c"),
        say("text", "two", item_id="c", output_index=index),
        done(message("two", ident="c"), index),
        END,
    ]

    assert told(parts(*events)) == ["text: one.", CALLED + "{} = {}.", "text: two.", "tool_use"]


def test_whole_items_with_an_index_that_is_always_zero() -> None:
    """Nothing but whole items, all with one index: each is told."""
    second = call(call_id="call_2", ident="fc_2")
    events = [
        done(message("one", ident="a"), 0),
        done(message("two", ident="b"), 0),
        done(call(), 0),
        done(second, 0),
        END,
    ]

    assert told(parts(*events)) == [
        "text: one.",
        "text: two.",
        CALLED + " = {}.",
        "call f toolu_call_2:  = {}.",
        "tool_use",
    ]


def test_a_server_without_indexes_streams() -> None:
    """Such servers say `done` for all items at the very end; the next item ends the one before it."""
    ledger = Ledger(PLAN)
    stream = [
        added("reasoning", id="rs_1"),
        say("raw", "hm", item_id="rs_1"),
        added("message", id="m"),
        say("text", "a", item_id="m"),
        added("function_call", id="fc_1", call_id="call_1", name="f"),
        say("arguments", "{}", item_id="fc_1"),
    ]
    before = told([part for event in stream for part in ledger.feed(event)])
    late = [done(reasoning(), None), done(message("a", ident="m")), done(call()), END]
    after = told([part for event in late for part in ledger.feed(event)])

    assert before == ["thinking: hm ( ).", "text: a.", CALLED + "{}"]
    assert after == [" = {}.", "tool_use"]


def test_two_calls_without_indexes_wait_for_each_other() -> None:
    """A call is not whole because the next one begins."""
    events = [
        added("function_call", id="fc_1", call_id="call_1", name="f"),
        added("function_call", id="fc_2", call_id="call_2", name="f"),
        say("arguments", '{"b":2}', item_id="fc_2"),
        say("arguments", '{"a":1}', item_id="fc_1"),
        END,
    ]

    assert told(parts(*events)) == [CALLED + '{"a":1}.', 'call f toolu_call_2: {"b":2}.', "tool_use"]


def test_calls_with_one_id_get_two() -> None:
    """Clients key results by the id, so two calls never share one."""
    made = told(parts(done(call(ident="a"), 0), done(call(ident="b"), 1), done(call(ident="c"), 2), END))

    assert made[:3] == [CALLED + " = {}.", "call f toolu_call_1_1:  = {}.", "call f toolu_call_1_2:  = {}."]


def test_calls_without_ids_get_some() -> None:
    """A server that forgets them is helped, the same way each time."""
    nameless = {"type": "function_call", "name": "f", "arguments": "{}"}
    events = [done(nameless, 0), done(nameless, 1), END]
    first, second, _ = told(parts(*events))

    assert first != second
    assert told(parts(*events))[:2] == [first, second]


def test_names_are_the_clients() -> None:
    """A name that had to change upstream comes back as it was."""
    plan = attrs.evolve(PLAN, tool_names={"f": "mcp:f"})

    assert told(parts(done(call(), 0), END, plan=plan))[0].startswith("call mcp:f ")


def test_an_id_that_is_always_the_same() -> None:
    """An item that is announced after one with its id was whole is another one."""
    events = [
        added("message", 0, id="x"),
        say("text", "one", item_id="x"),
        done(message("one", ident="x"), 0),
        added("message", 1, id="x"),
        say("text", "two", item_id="x"),
        done(message("two", ident="x"), 1),
        END,
    ]

    assert told(parts(*events)) == ["text: one.", "text: two.", "end_turn"]
