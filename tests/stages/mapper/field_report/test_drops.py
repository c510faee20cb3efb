"""What is left out on purpose is said, with the place where it stood."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.report import Disposition, Report
from stages.canonical.request import (
    ContentBlock,
    Image,
    Message,
    Metadata,
    Request,
    ServerTool,
    Source,
    Text,
    Tool,
    Unknown,
)
from stages.mapper.field_report.drops import report_drops
from stages.mapper.tools import PLACEHOLDER
from stages.tables.profiles import Profile

WHOLE = Profile("whole")
OLD = Profile("old", developer_role=False)
ASKED = Message("user", (Text("?"),))
PICTURE = Image(Source("url", url="u"))


def told(profile: Profile = WHOLE, server_tools: tuple[str, ...] = (), **fields: Any) -> dict[str, Disposition]:
    """What is noted about a request with these fields, when these tools run upstream."""
    report = Report()
    report_drops(Request("m", **{"messages": (), **fields}), profile, server_tools, report)
    return {note.path: note.disposition for note in report.notes}


@pytest.mark.parametrize(
    ("system", "billing", "profile", "notes"),
    [
        ((), (), WHOLE, {}),
        ((Text("x"), PICTURE), (), WHOLE, {}),
        ((Text(""),), (0,), WHOLE, {"system": Disposition.EMULATED}),
        ((Text("x"), Text("")), (1,), OLD, {"system.1": Disposition.EMULATED}),
        ((Text("x"), PICTURE), (), OLD, {"system.1": Disposition.DROPPED}),
        ((PICTURE,), (), OLD, {"system": Disposition.DROPPED}),
    ],
)
def test_of_the_system_prompt(
    system: tuple[ContentBlock, ...], billing: tuple[int, ...], profile: Profile, notes: dict[str, Disposition]
) -> None:
    """The billing header everywhere, and what is no text where the prompt must be one."""
    assert told(profile, system=system, billing=billing) == notes


def test_of_the_tools() -> None:
    """Claude Code's placeholder is no tool, whatever place it has in the list."""
    assert told(tools=(Tool("a", {}), Tool(PLACEHOLDER, {}))) == {"tools.1": Disposition.EMULATED}


@pytest.mark.parametrize(
    ("messages", "notes"),
    [
        ((ASKED, Message("assistant", (Text("{"),))), {"messages.1": Disposition.APPROXIMATED}),
        ((ASKED, Message("assistant", (Text("{"),)), ASKED), {}),
        ((ASKED, Message("assistant", (Unknown("server_tool_use", {}),))), {}),
        ((ASKED, Message("assistant", ())), {}),
        ((), {}),
    ],
)
def test_of_an_answer_begun(messages: tuple[Message, ...], notes: dict[str, Disposition]) -> None:
    """What the client has begun to answer is not gone on from; a turn that paused in a tool is."""
    assert told(messages=messages) == notes


def test_of_who_asks() -> None:
    """A server that takes no keys is not told who asks."""
    assert told(Profile("bare", cache_key=False), metadata=Metadata("u")) == {"metadata": Disposition.DROPPED}
    assert told(Profile("bare", cache_key=False)) == {}
    assert told(metadata=Metadata("u")) == {}


@pytest.mark.parametrize("container", ["cntr_1", {"id": None, "skills": []}])
def test_of_where_code_runs(container: Any) -> None:
    """A container is for code: without a tool that runs some, it is left out."""
    assert told(extra={"container": container}) == {"container": Disposition.DROPPED}
    assert told(server_tools=("code_interpreter",), extra={"container": container}) == {}
    assert told(extra={"container": None}) == {}


def test_of_the_servers() -> None:
    """What a server's own configuration says counts no more where toolsets say it."""
    listed = [{"name": "a", "url": "u"}, {"name": "b", "url": "u", "tool_configuration": {"enabled": True}}]
    toolset = ServerTool("mcp_toolset", None, {"mcp_server_name": "b"})

    assert told(extra={"mcp_servers": listed}) == {}
    assert told(extra={"mcp_servers": listed}, tools=(toolset,)) == {
        "mcp_servers.1.tool_configuration": Disposition.DROPPED
    }


@pytest.mark.parametrize(
    ("extra", "notes"),
    [
        ({"speed": "fast"}, {}),
        ({"speed": "standard", "service_tier": "auto"}, {}),
        ({"speed": "turbo", "service_tier": "auto"}, {"speed": Disposition.DROPPED}),
        ({"speed": "fast", "service_tier": "auto"}, {"service_tier": Disposition.DROPPED}),
    ],
)
def test_of_haste(extra: dict[str, Any], notes: dict[str, Disposition]) -> None:
    """One of the two fields that say how fast is the last word, and a speed must be one that there is."""
    assert told(extra=extra) == notes


@pytest.mark.parametrize(
    ("role", "clear_at", "lost"),
    [
        ("system", "next_user_message", False),
        ("system", "never", False),
        ("user", None, False),
        ("user", "next_user_message", True),
        ("system", "tomorrow", True),
        ("system", [7], True),
    ],
)
def test_of_messages_that_may_pass(role: Any, clear_at: Any, lost: bool) -> None:
    """Only the system's may, and only with the user's next."""
    message = Message(role, (Text("x"),), extra={"clear_at": clear_at})
    assert told(messages=(message,)) == ({"messages.0.clear_at": Disposition.DROPPED} if lost else {})
