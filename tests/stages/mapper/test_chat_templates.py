"""Templates that refuse what clients do: the conversation is put in a form that they take, and nothing is lost."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.place import MESSAGES
from stages.canonical.report import UNFAITHFUL, Disposition
from stages.canonical.request import Caller, Image, Message, Request, Source, Text, ToolResult, ToolUse
from stages.mapper import Mapped, Target, map_request
from stages.tables.profiles import PROFILES
from tests.support.chat_templates import TEMPLATES, Template, chat

PICTURE = Image(Source("base64", "image/png", "aGk="))
LACKS = ("late_system", "system_role", "role_repeats", "parallel_history", "long_call_ids")


def mapped(lacks: frozenset[str], messages: tuple[Message, ...], system: str = "be", profile: str = "vllm") -> Mapped:
    """Map a conversation for a server that lacks some of it."""
    request = Request("tiny", messages, system=(Text(system),) if system else ())
    target = Target(attrs.evolve(PROFILES[profile], **dict.fromkeys(lacks, False)))  # type: ignore[arg-type] # booleans
    return map_request(request, Caller(), target, message_id="msg_1")


def told(items: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """Who says what, in short."""
    return [
        (item["type"], item["call_id"]) if "call_id" in item else (item["role"], _texts(item["content"]))
        for item in items
    ]


def _texts(content: Any) -> Any:
    return content if isinstance(content, str) else [part.get("text") for part in content]


def user(*texts: str) -> Message:
    """The user says something."""
    return Message("user", tuple(map(Text, texts)))


CALLS = Message("assistant", (Text("so"), ToolUse("call_1", "a", {}), ToolUse("call_2", "b", {})))
RESULTS = Message("user", (ToolResult("call_1", (Text("1"),)), ToolResult("call_2", (Text("2"),)), Text("go on")))


def test_a_late_system_message_becomes_a_reminder() -> None:
    """In its place, as Claude Code would say it; the system prompt stays where it is."""
    made = mapped(frozenset({"late_system"}), (user("hi"), Message("system", (Text("env"),))))

    assert told(made.body["input"]) == [
        ("developer", ["be"]),
        ("user", ["hi"]),
        ("user", ["<system-reminder>\nenv\n</system-reminder>"]),
    ]
    assert made.report.disposition_of(MESSAGES) is Disposition.EMULATED
    assert made.plan.late_system


def test_a_system_prompt_leads_the_users_first_message() -> None:
    """Whatever form it would have had; and a message of its own where the user does not begin."""
    for more in (frozenset[str](), frozenset({"developer_role"})):
        made = mapped(more | {"system_role"}, (user("hi"), Message("system", (Text("env"),))))

        assert "instructions" not in made.body
        assert told(made.body["input"])[0] == ("user", ["be", "hi"])
        assert {item["role"] for item in made.body["input"]} == {"user"}

    made = mapped(frozenset({"system_role"}), (Message("assistant", (Text("ho"),)),))

    assert told(made.body["input"]) == [("user", ["be"]), ("assistant", "ho")]


def test_who_speaks_twice_says_it_in_one_message() -> None:
    """Behind results it stands in the last of them; a picture stays a message of the user's."""
    turns = frozenset({"role_repeats"})
    made = mapped(turns, (user("hi"), user("ho"), CALLS, RESULTS, user("now")))

    said = told(made.body["input"])
    assert said[:3] == [("developer", ["be"]), ("user", ["hi", "ho"]), ("assistant", "so")]
    assert [kind for kind, _ in said[3:]] == ["function_call"] * 2 + ["function_call_output"] * 2
    assert made.body["input"][-1]["output"] == "2\n\ngo on\n\nnow"

    seen = mapped(turns, (user("hi"), CALLS, attrs.evolve(RESULTS, content=(*RESULTS.content, PICTURE))))

    assert [part["type"] for part in seen.body["input"][-1]["content"]] == ["input_text", "input_image"]


@pytest.mark.parametrize("spelling", ["string", "item", "part"])
def test_two_texts_of_the_assistant(spelling: str) -> None:
    """They stay in the spelling that the server takes."""
    texts = (user("hi"), Message("assistant", (Text("so"),)), Message("assistant", (Text("then"),)))
    request = Request("tiny", texts)
    profile = attrs.evolve(PROFILES["vllm"], assistant_text=spelling, role_repeats=False)
    _, said = map_request(request, Caller(), Target(profile), message_id="msg_1").body["input"]

    assert _texts(said["content"]) == ("so\n\nthen" if spelling == "string" else ["so", "then"])
    assert ("id" in said) is (spelling == "item")


def test_each_result_stands_behind_its_call() -> None:
    """And what the user says beside them stays behind the last."""
    made = mapped(frozenset({"parallel_history"}), (user("hi"), CALLS, RESULTS))

    kinds = [item["type"] for item in made.body["input"]]
    assert kinds[3:] == ["function_call", "function_call_output"] * 2 + ["message"]
    assert [item["output"] for item in made.body["input"] if "output" in item] == ["1", "2"]
    calls = [item["call_id"] for item in made.body["input"] if "call_id" in item]
    assert calls[0] == calls[1] != calls[2] == calls[3]


def test_a_server_that_lacks_nothing_is_told_nothing_else() -> None:
    """Nor the client."""
    made = mapped(frozenset(), (user("hi"), Message("system", (Text("env"),)), CALLS, RESULTS))

    assert made.report.disposition_of(MESSAGES) is not Disposition.EMULATED
    assert sum(item["type"] == "message" for item in made.body["input"]) == 5


SAID = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=5)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Message, ...]:
    """A conversation of any order of roles, in which calls may be answered, or not, or later."""
    messages: list[Message] = []
    waiting: list[str] = []
    for turn, role in enumerate(draw(st.lists(st.sampled_from(("user", "assistant", "system")), max_size=8))):
        content: list[Any] = []
        if role == "user":
            content += [ToolResult(ident, (Text(draw(SAID)),)) for ident in waiting if draw(st.booleans())]
            waiting = []
        content += map(Text, draw(st.lists(SAID, max_size=2)))
        if role == "assistant":
            waiting = [f"toolu_{turn}_{at}" for at in range(draw(st.integers(0, 3)))]
            content += [ToolUse(ident, "a", {}) for ident in waiting]
        messages.append(Message(role, tuple(content)))  # type: ignore[arg-type] # one of the three
    return (user("hi"), *messages)


@given(conversations(), st.sampled_from(sorted(TEMPLATES)), st.sampled_from(["vllm", "llama.cpp"]), st.booleans())
def test_a_template_takes_what_is_made_for_it(
    messages: tuple[Message, ...], name: str, profile: str, system: bool
) -> None:
    """Whatever the conversation, whatever the template; every text is still there, and none of it is unfaithful."""
    template: Template = TEMPLATES[name]
    made = mapped(template.lacks, messages, "be" if system else "", profile)
    plain = mapped(frozenset(), messages, "be" if system else "", profile)

    assert not template.refuses(chat(made.body))
    for text in _all_texts(plain.body["input"]):
        assert any(text in other for other in _all_texts(made.body["input"]))
    before = [note for note in plain.report.notes if note.disposition in UNFAITHFUL]
    assert [note for note in made.report.notes if note.disposition in UNFAITHFUL] == before


def _all_texts(items: list[dict[str, Any]]) -> list[str]:
    said = [item.get("content", item.get("output", "")) for item in items]
    return [text for content in said for text in ([content] if isinstance(content, str) else map(_text, content))]


def _text(part: dict[str, Any]) -> str:
    return str(part.get("text", ""))
