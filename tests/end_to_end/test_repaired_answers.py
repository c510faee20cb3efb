"""What the upstream had to be asked for in other words comes back as the client asked for it: arguments and answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from structlog.testing import CapturingLogger

from tests.support import grammar
from tests.support.judges import judge_upstream_request
from tests.support.running import REQUEST, client_of
from tests.support.upstream import Script, ScriptedUpstream, Step
from tests.support.upstream_events import CREATED, call, call_done, completed, text

PARAMETERS = {
    "type": "object",
    "properties": {
        "command": {"type": "string"},
        "timeout": {"type": "integer", "minimum": 1},
        "options": {"type": "object", "properties": {"cwd": {"type": "string", "minLength": 1}}},
    },
    "required": ["command"],
}
FILLED = '{"timeout":null,"command":"ls","options":{"cwd":""}}'


async def ask(steps: list[Step], *, stream: bool, **fields: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Ask; return the first block of the answer, what the upstream was asked, and the request's line in the log."""
    log, upstream = CapturingLogger(), ScriptedUpstream(Script([CREATED, *steps, completed()]))
    reply = await client_of(upstream, log=log).messages({**REQUEST, **fields, "stream": stream})
    assert reply.status == 200
    content = grammar.read(reply.body).content if stream else reply.json()["content"]
    asked = upstream.requests[0]
    assert judge_upstream_request(asked) == []
    return content[0], asked, next(said.kwargs for said in log.calls if "outcome" in said.kwargs)


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("pieces", [[FILLED], list(FILLED), [""]])
async def test_arguments(pieces: list[str], *, strict: bool, stream: bool) -> None:
    """Members that the schema forbids are gone, however they came; the log knows their number, not their names."""
    tool = {"name": "Bash", "input_schema": PARAMETERS, "strict": strict}
    steps: list[Step] = [*(call(piece) for piece in pieces[:1]), *map(_more, pieces[1:]), call_done(FILLED)]

    block, asked, line = await ask(steps, stream=stream, tools=[tool])

    arguments = json.loads(block["partial_json"]) if stream else block["input"]
    assert arguments == {"command": "ls", "options": {}}
    assert asked["tools"][0]["strict"] is strict
    assert line["repaired"] == 2
    assert "timeout" not in repr(line)


def _more(arguments: str) -> bytes:
    kind = "response.function_call_arguments.delta"
    event = {"type": kind, "item_id": "fc_0", "output_index": 0, "delta": arguments}
    return f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode()


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("schema", "said", "answer"),
    [
        (PARAMETERS, '{"command":"ls","timeout":null,"options":null}', {"command": "ls"}),
        ({"type": "array", "items": PARAMETERS}, '{"answer":[{"command":"a","timeout":null}]}', [{"command": "a"}]),
        ({"type": "string"}, '{"answer":"yes"}', "yes"),
    ],
)
async def test_structured_answers(schema: dict[str, Any], said: str, answer: Any, *, stream: bool) -> None:
    """Enforced upstream, and then as the client's own schema wants it."""
    layout = {"type": "json_schema", "schema": schema}

    block, asked, _ = await ask(
        [text(character) for character in said], stream=stream, output_config={"format": layout}
    )

    assert json.loads(block["text"]) == answer
    assert asked["text"]["format"]["strict"] is True
