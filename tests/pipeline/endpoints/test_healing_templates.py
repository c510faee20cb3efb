"""A model whose chat template refuses a conversation: it is asked once more in a form that it takes, and remembered."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import CapturingLogger

from pipeline.endpoints.application import application
from tests.support import grammar
from tests.support.cases import cases
from tests.support.chat_templates import ENGINES, TEMPLATES, chat
from tests.support.client import MemoryClient
from tests.support.running import REQUEST, context_of
from tests.support.upstream import Script, ScriptedUpstream, json_script
from tests.support.upstream_events import CREATED, completed, text

CALL_IDS = ("toolu_call_1", "toolu_call_2")
TALK: list[dict[str, Any]] = [
    {"role": "user", "content": "hi"},
    {"role": "system", "content": "Agents: none."},
    {"role": "assistant", "content": [{"type": "tool_use", "id": each, "name": "a", "input": {}} for each in CALL_IDS]},
    {
        "role": "user",
        "content": [
            *[{"type": "tool_result", "tool_use_id": each, "content": "done"} for each in CALL_IDS],
            {"type": "text", "text": "go on"},
        ],
    },
]
MORE: list[dict[str, Any]] = [{"role": "assistant", "content": "ho"}, {"role": "user", "content": "so"}]


@cases("engine", ENGINES)
@cases("name", TEMPLATES)
async def test_a_session_goes_on(name: str, engine: str) -> None:
    """The first turn is asked as often as it must; the next is asked once; the log says what was learnt."""
    template, log = TEMPLATES[name], CapturingLogger()

    def answer(body: dict[str, Any]) -> Script:
        if template.refuses(chat(body)):
            error = ENGINES[engine](template.says)
            return json_script(error, 500 if engine == "old llama.cpp" else 400)
        return Script([CREATED, text("Fine."), completed()])

    upstream = ScriptedUpstream(answer)
    client = MemoryClient(application(context_of(upstream, log=log)))
    request = {**REQUEST, "system": "be", "messages": TALK}

    first = await client.messages(request)
    asked = len(upstream.requests)
    second = await client.messages({**request, "messages": TALK + MORE})

    assert [grammar.read(reply.body).content[0]["text"] for reply in (first, second)] == ["Fine.", "Fine."]
    assert asked == 1 + len(template.lacks)
    assert len(upstream.requests) == asked + 1
    assert set(first.headers["dragoman-mapping"].partition("healed=")[2].split(",")) == template.lacks
    assert "healed" not in second.headers["dragoman-mapping"]
    learnt = [call.kwargs["refused"] for call in log.calls if call.args == ("learnt",)]
    assert set(learnt) == template.lacks


@pytest.mark.parametrize(("messages", "words"), [(TALK, "capability_rejected: mid_conv_system"), (TALK[:1], "at the")])
async def test_a_template_that_takes_nothing(messages: list[dict[str, Any]], words: str) -> None:
    """What does not heal is told: to Claude Code in the words on which it helps itself, if it can."""
    error = json_script(ENGINES["vllm"](TEMPLATES["qwen"].says), 400)
    upstream = ScriptedUpstream(lambda _: error)
    client = MemoryClient(application(context_of(upstream)))

    reply = await client.messages({**REQUEST, "messages": messages})

    assert (reply.status, reply.json()["error"]["type"]) == (400, "invalid_request_error")
    assert words in reply.json()["error"]["message"]
    assert len(upstream.requests) <= 2
