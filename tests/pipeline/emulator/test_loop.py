"""Where in a conversation a request stands."""

from __future__ import annotations

from typing import Any

from pipeline.emulator.loop import PromptTurn, current_turn, effort, find_tool, offered
from tests.pipeline.emulator.talk import BASH, READ, assistant, user
from tests.support.cases import cases

_CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
_OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "x"}
_DEVELOPER = {"role": "developer", "content": "[[error 500]]"}


def _parts(*texts: str) -> dict[str, Any]:
    """Make one message of what a client has gathered because nothing was answered."""
    return {"role": "user", "content": [{"type": "input_text", "text": text} for text in texts]}


@cases(
    ("sent", "turn"),
    [
        ("[[text]]", PromptTurn("[[text]]", 0)),
        ([user("a"), assistant("b"), user("c")], PromptTurn("c", 0)),
        ([user("[[call]]"), assistant("b"), user("c")], PromptTurn("c", 0)),
        ([user("[[call]]"), _DEVELOPER], PromptTurn("[[call]]", 0)),
        ([user("[[call]]"), _CALL, _OUTPUT], PromptTurn("[[call]]", 1)),
        ([user("[[call]]"), assistant("b"), _CALL, _OUTPUT], PromptTurn("[[call]]", 1)),
        ([user("[[call]]"), _CALL, _CALL, _OUTPUT, _OUTPUT, user("go on")], PromptTurn("[[call]]", 2)),
        ([user("[[call]]"), _CALL, _OUTPUT, user("[[text]]")], PromptTurn("[[text]]", 0)),
        ([user("hello"), _CALL, _OUTPUT], PromptTurn("hello", 1)),
        ([user("<system-reminder>[[text]]</system-reminder>[[call]]")], PromptTurn("[[call]]", 0)),
        ([user("<system-reminder>[[text]]")], PromptTurn("", 0)),
        ([user("<command-args>[[text]]</command-args>\n[[call]]")], PromptTurn("\n[[call]]", 0)),
        ([_parts("[[refuse]]", "it was withheld", "[[text]]", "go on")], PromptTurn("[[text]]", 0)),
        ([_parts("one", "two")], PromptTurn("one\ntwo", 0)),
        ([assistant("b")], PromptTurn("", 0)),
    ],
)
def test_current_turn(sent: Any, turn: PromptTurn) -> None:
    """The prompt is the user's last text with a cue since the last final answer, and results are counted from there."""
    assert current_turn({"input": sent}) == turn


def test_tools_added_by_the_conversation_count() -> None:
    """Tools come from the request and from items; hosted and deferred ones are not called."""
    request = {
        "tools": [BASH, {"type": "web_search"}, {**READ, "defer_loading": True}],
        "input": [{"type": "additional_tools", "role": "developer", "tools": [READ]}],
    }

    assert [tool["name"] for tool in offered(request)] == ["Bash", "Read"]


def test_allowed_tools() -> None:
    """Nothing else may be called, and the newest declaration of a name counts."""
    newer = {**READ, "description": "Newer."}
    request = {
        "tools": [BASH, READ],
        "input": [{"type": "additional_tools", "role": "developer", "tools": [newer]}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "Read"}]},
    }

    assert offered(request) == [newer]


def test_a_short_name_has_to_match_exactly() -> None:
    """`Read` is not `ReadMcpResource`: only names that had to be shortened are matched by their beginning."""
    assert find_tool({"tools": [{**READ, "name": "ReadMcpResource"}]}, "Read") is None


def test_effort_follows_the_last_update() -> None:
    """`configuration_update` changes the effort in the middle of a conversation."""
    update = {"type": "configuration_update", "reasoning": {"effort": "high"}}

    assert effort({"input": []}) == "none"
    assert effort({"reasoning": {"effort": "low"}, "input": []}) == "low"
    assert effort({"reasoning": {"effort": "low"}, "input": [update]}) == "high"
