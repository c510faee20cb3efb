"""Law 9, the prefix law: if conversation B extends conversation A, B's translated input starts with A's, byte for byte.

Everything else of the translated request is the same, tools and settings included. Upstream prompt caches work by
prefix, and models drop their reasoning where a prefix was broken. `stream` and what the client asks anew in a turn
(another limit, another format) are no part of a conversation.

One exception, argued: a model that takes no tools in the middle of a conversation gets a tool that was loaded there at
the end of `tools`. The cache is lost in that turn either way, because a tool that may be called must be declared; what
was declared before does not move. What a conversation takes away stays declared, and only `tool_choice` says so, which
is no part of a prompt.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.request import Caller
from stages.mapper import Target, map_request
from stages.tables.models import model_info, upstream_model
from stages.wire import json as wire
from stages.wire.messages_request import structure
from tests.support.conversations import ACCOUNT, Grown, grown

TARGET = Target(account=ACCOUNT)
IN_PLACE = "claude-sonnet-5-5"
AT_THE_END = "gpt-5"


def _translated(body: dict[str, Any], caller: Caller | None = None) -> dict[str, Any]:
    request = structure(wire.decode(json.dumps(body).encode()))  # the law holds also for what the decoder would refuse
    return map_request(request, caller or Caller(), TARGET, message_id="msg_1").body


def _check_input(earlier: dict[str, Any], later: dict[str, Any]) -> None:
    before, after = wire.encode(earlier["input"]), wire.encode(later["input"])
    assert after.startswith(before.removesuffix(b"]"))


def _rest(body: dict[str, Any], *left_out: str) -> bytes:
    """Everything of a request but its input, as bytes."""
    return wire.encode({name: value for name, value in body.items() if name not in ("input", *left_out)})


@given(grown(IN_PLACE, upstream_model(IN_PLACE)))
def test_a_conversation_that_grows(both: Grown) -> None:
    """Whatever it is made of, and however the client dresses it."""
    earlier, later = _translated(both.earlier), _translated(both.later)

    _check_input(earlier, later)
    choice = () if not _removes(both.later) else ("tool_choice",)
    assert _rest(earlier, *choice) == _rest(later, *choice)


@given(grown(AT_THE_END, AT_THE_END))
def test_a_model_that_takes_no_tools_later(both: Grown) -> None:
    """The exception: loaded tools are declared after the others, and nothing else changes but the effort asked for."""
    earlier, later = _translated(both.earlier), _translated(both.later)

    _check_input(earlier, later)
    assert later["tools"][: len(earlier["tools"])] == earlier["tools"]
    if _effort(both.earlier) == _effort(both.later):
        choice = () if not _removes(both.later) else ("tool_choice",)
        assert _rest(earlier, "tools", *choice) == _rest(later, "tools", *choice)


def _removes(body: dict[str, Any]) -> bool:
    """Whether a conversation takes tools away, and so says in `tool_choice` which may still be called."""
    return "tool_removal" in repr(body["messages"])


def _effort(body: dict[str, Any]) -> Any:
    """The effort asked for: the newest of a message, else the request's own."""
    said = [message["output_config"] for message in body["messages"] if "output_config" in message]
    return said[-1] if said else body.get("output_config")


@given(grown(IN_PLACE, upstream_model(IN_PLACE)), st.integers(1, 3))
def test_the_same_request_twice(both: Grown, times: int) -> None:
    """Translation remembers nothing: the same conversation becomes the same bytes each time."""
    first = wire.encode(_translated(both.later))

    assert all(wire.encode(_translated(both.later)) == first for _ in range(times))


def _turns(path: Path) -> list[dict[str, Any]]:
    """The requests to a model of one recorded scenario."""
    records = json.loads(path.read_bytes())["requests"]
    return [record for record in records if record["method"] == "POST" and "count_tokens" not in record["path"]]


def _said(message: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return message["role"], [{key: value for key, value in block.items() if key != "cache_control"} for block in blocks]


def _asked(body: dict[str, Any]) -> list[Any]:
    """What must be the same for two requests to be one conversation: the model and the system prompt."""
    system = body.get("system") or []
    blocks = [{"type": "text", "text": system}] if isinstance(system, str) else system
    texts = [block["text"] for block in blocks if not block["text"].startswith("x-anthropic-billing-header")]
    return [body["model"], texts]


def _extends(earlier: dict[str, Any], later: dict[str, Any]) -> bool:
    before, after = [[_said(message) for message in body["messages"]] for body in (earlier, later)]
    return _asked(earlier) == _asked(later) and len(before) < len(after) and after[: len(before)] == before


def _pairs(path: Path) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    turns = _turns(path)
    return [
        (earlier, later)
        for at, later in enumerate(turns)
        for earlier in turns[:at]
        if _extends(earlier["body"], later["body"])
    ]


def _of_record(record: dict[str, Any]) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in record["headers"]}
    session, agent = headers.get("x-claude-code-session-id", ""), headers.get("x-claude-code-agent-id", "")
    return _translated(record["body"], Caller(session, agent))


def test_recorded_conversations(shared: Path) -> None:
    """Every pair of the real Claude Code's requests of which one extends the other."""
    checked = 0
    for path in sorted((shared / "recordings/claude_code").glob("*.json")):
        for before, after in _pairs(path):
            earlier, later = _of_record(before), _of_record(after)
            _check_input(earlier, later)
            grows = not model_info(later["model"]).additional_tools
            left_out = ("tools",) if grows else ()
            assert _rest(earlier, *left_out) == _rest(later, *left_out), (path.name, before["n"], after["n"])
            if grows:
                assert later["tools"][: len(earlier["tools"])] == earlier["tools"]
            checked += 1
    assert checked > 100
