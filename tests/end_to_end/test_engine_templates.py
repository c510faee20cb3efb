"""Real chat templates that refuse what clients do, in real builds of llama.cpp. `make engines`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.upstream.http1.transport import HttptoolsTransport
from tests.support.chat_templates import TEMPLATES, as_jinja
from tests.support.engines import BUILDS, llama
from tests.support.in_front import desk_or_skip, dragoman
from tests.support.plain_client import BASH, ask, question
from tests.support.recorder import Recorder

pytestmark = pytest.mark.engine

IDS = ("toolu_call_1", "toolu_call_2")
TALK: list[dict[str, Any]] = [
    {"role": "user", "content": "hi"},
    {"role": "system", "content": "Agents: none."},
    {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": each, "name": "Bash", "input": {"command": "ls"}} for each in IDS],
    },
    {
        "role": "user",
        "content": [
            *[{"type": "tool_result", "tool_use_id": each, "content": "a.txt"} for each in IDS],
            {"type": "text", "text": "go on"},
        ],
    },
]
"""What templates refuse: a system message behind others, two messages in a row, two calls at once, long ids."""

NEWEST = [*BUILDS][-1]


@pytest.mark.parametrize("name", TEMPLATES)
async def test_a_conversation_that_the_template_refuses(shared: Path, name: str) -> None:
    """It is asked again until it fits; the next turn fits at once."""
    upstream = Recorder(HttptoolsTransport())
    with llama(shared, NEWEST, refuses=as_jinja(name)) as engine:
        async with dragoman(engine, upstream) as url:
            asked = question("hi", tools=[BASH], system="be", messages=TALK)
            first = await ask(url, asked, stream=True)
            once = len(upstream.messages)
            asked["messages"] = [*TALK, {"role": "assistant", "content": "ho"}, {"role": "user", "content": "so"}]
            second = await ask(url, asked, stream=True)

    assert (first.status, second.status) == (200, 200), (first.error, second.error)
    assert first.texts()
    assert second.texts()
    # A template without a system role gets its prompt from this engine in the user's first message already.
    assert 2 <= once <= 1 + len(TEMPLATES[name].lacks)
    assert len(upstream.messages) == once + 1


@pytest.mark.client
@pytest.mark.parametrize(("build", "refused"), [("b9713", 2), ("b11549", 1)])
async def test_the_real_client_with_a_template_that_wants_the_system_first(
    shared: Path, build: str, refused: int
) -> None:
    """Claude Code tells its surroundings behind the prompt; a session works, and what is refused is refused once.

    The older build makes no grammar of the client's tools either.
    """
    upstream = Recorder(HttptoolsTransport())
    with llama(shared, build, refuses=as_jinja("qwen")) as engine:
        async with dragoman(engine, upstream) as url:
            with desk_or_skip("latest", url) as seat:
                runs = [await seat.ask("Say something."), await seat.ask("[[call]] please", "-c")]

    assert [run.final["is_error"] for run in runs] == [False, False], runs[0].final["result"]
    assert [exchange.status for exchange in upstream.messages if exchange.status != 200] == [400] * refused
