"""Messages become input items: in place, paired, append-only, and with nothing lost in silence."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from stages.canonical.report import Disposition, Report
from stages.canonical.request import (
    ContentBlock,
    Document,
    Image,
    Message,
    RedactedThinking,
    Request,
    Source,
    Text,
    Thinking,
    Tool,
    ToolReference,
    ToolResult,
    ToolUse,
    Unknown,
)
from stages.mapper.conversation import Conversation, instructions
from stages.mapper.reasoning import ReasoningReplay
from stages.mapper.tools import toolbox
from stages.tables.profiles import PROFILES, Profile
from stages.wire import carrier
from stages.wire import responses_request as responses
from stages.wire.carrier import Carrier
from stages.wire.responses_request import Item

OPENAI = PROFILES["openai"]
THOUGHT = Thinking("", carrier.encode(Carrier("rs_1", "sealed", phase="commentary", model="gpt-x")))
REASONING = responses.sealed_reasoning("sealed", ())
PICTURE = Image(Source("file", file_id="f"))
LATE = Tool("late", {}, defer_loading=True)


def user(*content: ContentBlock | str) -> Message:
    """What the user says."""
    return Message("user", tuple(Text(block) if isinstance(block, str) else block for block in content))


def model(*content: ContentBlock | str) -> Message:
    """What the model said."""
    return attrs.evolve(user(*content), role="assistant")


def system(*content: ContentBlock | str) -> Message:
    """What the client says in between."""
    return attrs.evolve(user(*content), role="system")


def call(ident: str = "toolu_call_1", name: str = "look") -> ToolUse:
    """A call of the model."""
    return ToolUse(ident, name, {})


def result(ident: str = "toolu_call_1", *content: ContentBlock | str, is_error: bool = False) -> ToolResult:
    """What came of it."""
    return ToolResult(ident, user(*content).content, is_error)


def told(*content: str) -> Item:
    """The item of a user's texts."""
    return responses.message_item("user", [responses.input_text(text) for text in content])


def said(text: str, phase: str = "") -> Item:
    """The item of a model's text."""
    return responses.assistant_message(responses.Said(text, phase=phase), "string", 0)


def built(
    *messages: Message, profile: Profile = OPENAI, efforts: dict[int, str] | None = None, **fields: Any
) -> tuple[list[Item], list[tuple[str, Disposition]]]:
    """Translate a conversation; return its items and what was reported."""
    request, report = Request("m", messages, **fields), Report()
    box = toolbox(request, Report(), in_place=True)
    memory = ReasoningReplay(profile.reasoning_replay, "gpt-x", "", report)
    items = Conversation(box, memory, profile, report, efforts or {}).build(request)
    return items, [(note.path, note.disposition) for note in report.notes]


def items(*messages: Message, **fields: Any) -> list[Item]:
    """Translate a conversation about which nothing is to be reported."""
    translated, notes = built(*messages, **fields)
    assert notes == []
    return translated


CALL = responses.function_call("call_1", "look", {})

CONVERSATIONS: dict[str, tuple[list[Message], list[Item]]] = {
    "texts": ([user("a", "b"), model("c"), user("d")], [told("a", "b"), said("c"), told("d")]),
    "two texts of the model": ([model("a", "b")], [said("a"), said("b")]),
    "white space": ([user("a"), model(" \n", ""), user("", "b")], [told("a"), told("b")]),
    "nothing": ([user(""), model(), system()], []),
    "system in between": (
        [user("a"), system("b")],
        [told("a"), responses.message_item("developer", [responses.input_text("b")])],
    ),
    "a call": (
        [model("a", call()), user(result("toolu_call_1", "b"))],
        [said("a"), CALL, responses.function_call_output("call_1", "b")],
    ),
    "results in another order": (
        [model(call(), call("toolu_call_2")), user(result("toolu_call_2", "2"), result("toolu_call_1", "1"))],
        [
            CALL,
            responses.function_call("call_2", "look", {}),
            responses.function_call_output("call_2", "2"),
            responses.function_call_output("call_1", "1"),
        ],
    ),
    "text around a result": (
        [model(call()), user("before", result(), "after")],
        [CALL, told("before"), responses.function_call_output("call_1", ""), told("after")],
    ),
    "a system message before the result": (
        [model(call()), system("hm"), user(result())],
        [
            CALL,
            responses.message_item("developer", [responses.input_text("hm")]),
            responses.function_call_output("call_1", ""),
        ],
    ),
    "reasoning and text": ([model(THOUGHT, "a")], [REASONING, said("a", "commentary")]),
    "reasoning and a call": (
        [model(THOUGHT, call(), "a"), user(result())],
        [REASONING, CALL, said("a"), responses.function_call_output("call_1", "")],
    ),
    "reasoning twice": ([model(THOUGHT, THOUGHT, "a")], [REASONING, REASONING, said("a", "commentary")]),
    "reasoning before white space": ([model(THOUGHT, " ", "a")], [REASONING, said("a", "commentary")]),
    "a turn in two messages": ([model(THOUGHT), model("a")], [REASONING, said("a", "commentary")]),
    "an upstream's search": (
        [
            model(
                Unknown("server_tool_use", {"id": "srvtoolu_ws_1", "name": "web_search", "input": {"query": "q"}}),
                Unknown("web_search_tool_result", {"tool_use_id": "srvtoolu_ws_1", "content": [{"url": "u"}]}),
                "found",
            )
        ],
        [
            {
                "type": "web_search_call",
                "id": "ws_1",
                "status": "completed",
                "action": {
                    "type": "search",
                    "query": "q",
                    "queries": ["q"],
                    "sources": [{"type": "url", "url": "u"}],
                },
            },
            said("found"),
        ],
    ),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversations_become_items(name: str) -> None:
    """What is in the messages comes in place, and there is nothing to report."""
    messages, expected = CONVERSATIONS[name]

    assert items(*messages) == expected


def test_the_system_prompt_comes_first() -> None:
    """One developer item with a part for each block that says something; a billing header was emptied before."""
    prompt = (Text(""), Text("be"), Text("brief"))

    assert items(user("a"), system=prompt) == [
        responses.message_item("developer", [responses.input_text("be"), responses.input_text("brief")]),
        told("a"),
    ]
    assert instructions(Request("m", (), system=prompt)) == "be\n\nbrief"


def test_a_server_without_developer_role_hears_system_messages() -> None:
    """The prompt goes elsewhere, and what is said in between comes from `system`."""
    old = Profile("old", developer_role=False)

    assert items(user("a"), system("b"), profile=old, system=(Text("x"),)) == [
        told("a"),
        responses.message_item("system", [responses.input_text("b")]),
    ]


@pytest.mark.parametrize(
    ("block", "output"),
    [
        (result("c"), ""),
        (result("c", ""), ""),
        (result("c", "done"), "done"),
        (result("c", "a", "b"), [responses.input_text("a"), responses.input_text("b")]),
        (result("c", PICTURE), [responses.input_image_file("f")]),
        (result("c", "no", is_error=True), "[error] no"),
        (result("c", is_error=True), "[error]"),
        (
            result("c", "a", PICTURE, is_error=True),
            [
                responses.input_text("[error]"),
                responses.input_text("a"),
                responses.input_image_file("f"),
            ],
        ),
    ],
)
def test_outputs(block: ToolResult, output: Any) -> None:
    """One text is a string, all else a list, and a failure is marked in either."""
    assert items(model(call("c")), user(block))[1] == responses.function_call_output("c", output)


def outputs(translated: list[Item]) -> list[tuple[str, Any]]:
    """The calls and their outputs in order: ids, and what the outputs say."""
    return [(item["call_id"], item.get("output")) for item in translated if item["type"].startswith("function_call")]


NO_RESULT = "No result of this call was recorded."


@pytest.mark.parametrize(
    "messages",
    [
        [model(call()), user("never mind")],
        [model(call())],
        [user(result()), model(call())],
        [model(call()), model("a")],
    ],
)
def test_a_call_without_result_gets_one_that_says_so(messages: list[Message]) -> None:
    """The upstream refuses a call without output; a result that came before its call is none of it."""
    translated, notes = built(*messages)

    assert outputs(translated) == [("call_1", None), ("call_1", NO_RESULT)]
    at = next(index for index, message in enumerate(messages) if message.role == "assistant")
    assert (f"messages.{at}.content.0", Disposition.APPROXIMATED) in notes


def test_a_result_without_call_is_shown_as_text() -> None:
    """After a compaction its call is gone; what it says is not, nor that it was a failure."""
    translated, notes = built(user(result("gone", "a"), result("lost", "b", is_error=True)))

    assert translated == [
        told("Result of an earlier tool call:", "a"),
        told("Result of an earlier tool call:", "[error]", "b"),
    ]
    assert notes == [(f"messages.0.content.{n}", Disposition.APPROXIMATED) for n in (0, 1)]


def test_a_second_result_is_shown_as_text() -> None:
    """A call has one output; what comes again is not lost."""
    translated, _ = built(model(call()), user(result("toolu_call_1", "1"), result("toolu_call_1", "2")))

    assert outputs(translated) == [("call_1", None), ("call_1", "1")]
    assert translated[-1] == told("Result of an earlier tool call:", "2")


def test_an_id_that_comes_back_gets_another() -> None:
    """Clients that count calls from zero in every turn: each result meets its own call."""
    turn = (model(call()), user(result("toolu_call_1", "1")))
    translated = items(*turn, *turn, *turn)
    (first, _), (_, one), (second, _), (again, _), (third, _), _ = outputs(translated)

    assert (first, one, second) == ("call_1", "1", again)
    assert len({first, second, third}) == 3
    assert items(*turn, *turn) == translated[:4]


@pytest.mark.parametrize(
    "messages",
    [
        [model(call(), call()), user(result())],
        [model(call()), user("x"), model(call()), user(result())],
        [model(call()), user(result()), model(call()), user("x")],
    ],
)
def test_each_of_two_equal_ids_is_answered_once(messages: list[Message]) -> None:
    """Whichever of them the client forgot, every call has exactly one output after it."""
    told_ids = [ident for ident, _ in outputs(built(*messages)[0])]

    assert sorted(told_ids) == sorted([*dict.fromkeys(told_ids)] * 2)
    assert len(told_ids) == 4


def test_reasoning_that_led_to_nothing_is_left_out() -> None:
    """The upstream refuses it without what followed; so it does at the end of the conversation."""
    assert built(model("a", THOUGHT), user("b")) == ([said("a"), told("b")], [("messages.1", Disposition.DROPPED)])
    assert built(model(THOUGHT)) == ([], [("messages", Disposition.DROPPED)])


def test_a_phase_belongs_to_the_message_after_its_reasoning() -> None:
    """It is not carried over a call, nor into the next turn."""
    translated, _ = built(model(THOUGHT), user("a"), model("b"))

    assert translated == [told("a"), said("b")]


@pytest.mark.parametrize("block", [Thinking("hm", "someone else's"), RedactedThinking("x")])
def test_foreign_reasoning_is_dropped_and_reported(block: ContentBlock) -> None:
    """What it led to stays."""
    assert built(model(block, "a")) == ([said("a")], [("messages.0.content.0", Disposition.DROPPED)])


def test_pictures_of_the_model_are_shown_by_the_user() -> None:
    """The upstream takes pictures from users alone."""
    assert built(model("a", PICTURE, "b"))[0] == [
        said("a"),
        responses.message_item("user", [responses.input_image_file("f")]),
        said("b"),
    ]


def test_an_unknown_block_is_shown_and_reported() -> None:
    """Whoever says it: the model reads it as text, and the report says that it does."""
    block = Unknown("hologram", {"a": 1})

    for message, item in (
        (model(block), said('<hologram>{"a":1}</hologram>')),
        (user(block), told('<hologram>{"a":1}</hologram>')),
    ):
        assert built(message) == ([item], [("messages.0.content.0", Disposition.APPROXIMATED)])


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (user(ToolUse("a", "secret", {})), "secret"),
        (user(Thinking("secret")), "secret"),
        (model(result("a", "secret")), "secret"),
    ],
    ids=["call of the user", "thought of the user", "result of the model"],
)
def test_blocks_in_the_wrong_role_are_not_lost(message: Message, word: str) -> None:
    """The real API refuses them; here they are shown, and reported."""
    translated, notes = built(message)

    assert word in str(translated)
    assert notes == [("messages.0.content.0", Disposition.APPROXIMATED)]


@pytest.mark.parametrize(
    "body",
    [
        {"tool_use_id": "srvtoolu_ws_1"},
        {"id": "srvtoolu_ws_1", "input": "q"},
        {"id": "srvtoolu_ws_1", "input": {"query": None}},
        {"id": 5},
        {},
    ],
)
def test_a_forged_search_is_no_crash(body: dict[str, Any]) -> None:
    """Clients send back what they like; it becomes a search, or text."""
    (item,), _ = built(model(Unknown("server_tool_use", body)))

    assert item["type"] in {"web_search_call", "message"}


def test_a_foreign_search_is_shown_as_text() -> None:
    """A conversation that began on another service keeps what was found there."""
    blocks = (Unknown("server_tool_use", {"id": "srvtoolu_01A"}), Unknown("web_search_tool_result", {"content": []}))
    translated, notes = built(model(*blocks))

    assert [item["type"] for item in translated] == ["message", "message"]
    assert [disposition for _, disposition in notes] == [Disposition.APPROXIMATED] * 2


def test_deferred_tools_are_declared_where_they_are_first_found() -> None:
    """Once, behind the result that refers to them; what is already known is not declared again."""
    turn = (model(call()), user(result("toolu_call_1", ToolReference("late"), ToolReference("unheard of"))))
    translated = items(*turn, *turn, tools=(LATE,))
    added = [item for item in translated if item["type"] == "additional_tools"]

    assert [tool["name"] for item in added for tool in item["tools"]] == ["late"]
    assert translated[2] is added[0]


def test_effort_changes_where_it_was_said() -> None:
    """Behind the message that said it."""
    assert items(user("a"), system("b"), user("c"), efforts={1: "high"})[2] == responses.effort_update("high")


def test_files_that_cannot_go_are_named() -> None:
    """In a message and in a result alike."""
    document = Document(Source("file", file_id="f"))
    translated, notes = built(
        user(document), model(call()), user(result("toolu_call_1", document)), profile=PROFILES["llama.cpp"]
    )

    assert "file_id" not in str(translated)
    assert notes == [
        ("messages.0.content.0", Disposition.DROPPED),
        ("messages.2.content.0.content.0", Disposition.DROPPED),
    ]
