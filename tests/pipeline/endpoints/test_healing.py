"""What dragoman added to a request and the upstream refuses is left out, remembered, and said once."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
import trio
from structlog.testing import CapturingLogger
from trio.testing import MockClock

from pipeline.endpoints.application import application
from pipeline.lessons import LESSON_LIFETIME
from tests.support import grammar
from tests.support.client import MemoryClient, Reply
from tests.support.running import REQUEST, context_of
from tests.support.upstream import Script, ScriptedUpstream, events, json_script
from tests.support.upstream_events import CREATED, completed, text

GOOD = Script([CREATED, text("Fine."), completed()])
MODEL = "gpt-5"
TALK: list[dict[str, Any]] = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": [{"type": "text", "text": "ho"}]},
    {"role": "user", "content": "hm"},
]

Refuse = Callable[[dict[str, Any]], Script]


def at(body: Any, path: str) -> Any:
    """What stands at a path of a body; None when nothing does."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, Mapping) else None
    return body


def refusing(*paths: str, **error: Any) -> Refuse:
    """An upstream that refuses each of these fields, one after another."""

    def answer(body: dict[str, Any]) -> Script:
        named = next((path for path in paths if at(body, path) is not None), None)
        if named is None:
            return GOOD
        told = {
            "message": f"Unsupported parameter: '{named}'.",
            "type": "invalid_request_error",
            "param": named,
            **error,
        }
        return json_script({"error": told}, 400)

    return answer


class World:
    """One process in front of one upstream."""

    def __init__(self, answer: Refuse, **settings: Any) -> None:
        self.log = CapturingLogger()
        self.upstream = ScriptedUpstream(answer)
        self.context = context_of(self.upstream, log=self.log, **settings)
        self.client = MemoryClient(application(self.context))

    async def ask(self, headers: dict[str, str] | None = None, **fields: Any) -> Reply:
        """Ask something."""
        return await self.client.messages({**REQUEST, "model": MODEL, **fields}, headers=headers)

    @property
    def lessons(self) -> list[dict[str, Any]]:
        """What the log says was learnt."""
        return [call.kwargs for call in self.log.calls if call.args == ("learnt",)]


def said(reply: Reply) -> str:
    """The text of an answer."""
    assert reply.status == 200
    return str(grammar.read(reply.body).content[0]["text"])


@pytest.mark.parametrize("path", ["reasoning.summary", "include", "prompt_cache_key", "store", "stream_options"])
async def test_a_field_that_nobody_asked_for(path: str) -> None:
    """Asked once more without it; the next request goes without it at once; the log says it once, with the setting."""
    world = World(refusing(path))

    first, second = await world.ask(), await world.ask()

    assert (said(first), said(second)) == ("Fine.", "Fine.")
    assert [at(body, path) is None for body in world.upstream.requests] == [False, True, True]
    assert first.headers["dragoman-mapping"] == f"faithful=all;healed={path}"
    assert second.headers["dragoman-mapping"] == "faithful=all"
    (lesson,) = world.lessons
    assert (lesson["model"], lesson["refused"]) == (MODEL, path)
    assert lesson["setting"].startswith("upstream.profile_overrides.")


async def test_who_may_not_stream_gets_the_whole_answer() -> None:
    """As a stream all the same; what is computed to its end before the first byte may take as long as a request may."""
    whole = {
        "status": "completed",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "All."}]}],
    }
    unverified = json_script({"detail": "Your organization must be verified to stream this model."}, 400)
    world = World(lambda body: unverified if body["stream"] else json_script(whole))

    first, second = await world.ask(), await world.ask()

    assert (said(first), said(second)) == ("All.", "All.")
    assert [body["stream"] for body in world.upstream.requests] == [True, False, False]
    assert first.headers["dragoman-mapping"] == "emulated=stream;healed=stream"
    timing = world.context.settings.timing
    assert world.upstream.read_timeouts == [timing.first_byte, timing.total, timing.total]
    assert [lesson["setting"] for lesson in world.lessons] == ["upstream.profile_overrides.streams = false"]


async def test_several_fields_one_after_another() -> None:
    """Each is learnt."""
    world = World(refusing("include", "store", "prompt_cache_key"))

    reply = await world.ask()

    assert said(reply) == "Fine."
    assert len(world.upstream.requests) == 4
    assert reply.headers["dragoman-mapping"] == "faithful=all;healed=include,store,prompt_cache_key"
    assert said(await world.ask()) == "Fine."
    assert len(world.upstream.requests) == 5


async def test_it_ends() -> None:
    """An upstream that refuses whatever it gets is believed in the end."""
    world = World(
        lambda body: json_script({"error": {"message": "Unsupported parameter", "param": next(iter(body))}}, 400)
    )
    listed = [
        "include",
        "store",
        "reasoning.summary",
        "prompt_cache_key",
        "stream_options",
        "reasoning.effort",
        "phase",
    ]

    def never(body: dict[str, Any]) -> Script:
        named = next((path for path in listed if at(body, path) is not None), "model")
        return json_script({"error": {"message": "Unsupported parameter", "param": named}}, 400)

    world = World(never)
    reply = await world.ask(output_config={"effort": "high"})

    assert reply.status == 400
    assert len(world.upstream.requests) <= 7
    assert world.lessons == []


async def test_it_is_asked_again_after_an_hour(autojump_clock: MockClock) -> None:
    """Servers are mended, and organisations verified."""
    world = World(refusing("include"))
    await world.ask()
    await trio.sleep(LESSON_LIFETIME + 1)

    await world.ask()

    assert ["include" in body for body in world.upstream.requests] == [True, False, True, False]


async def test_it_is_said_once_of_requests_that_learn_together() -> None:
    """Each of them is healed; one of them has learnt something new."""
    world = World(refusing("include"))
    replies: list[Reply] = []

    async def ask() -> None:
        replies.append(await world.ask())

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask)

    assert [said(reply) for reply in replies] == ["Fine."] * 3
    assert ["include" in body for body in world.upstream.requests].count(True) == 3
    assert len(world.lessons) == 1


async def test_other_models_are_asked_as_before() -> None:
    """One model's lesson is not another's."""
    world = World(refusing("include"))
    await world.ask()

    await world.ask(model="gpt-5.1")

    assert ["include" in body for body in world.upstream.requests] == [True, False, True, False]


@pytest.mark.parametrize("how", ["error event", "failed", "json"])
@pytest.mark.parametrize("proven", [False, True])
async def test_a_refusal_behind_a_good_status(how: str, proven: bool) -> None:
    """It is healed and learnt like any other, in the first answer of a model and in a later one."""
    error = {"message": "Unknown parameter: 'include'.", "code": "unknown_parameter", "param": "include"}
    script = {
        "error event": Script([CREATED, events({"type": "error", "error": error})]),
        "failed": Script(
            [CREATED, events({"type": "response.failed", "response": {"status": "failed", "error": error}})]
        ),
        "json": json_script({"error": error}),
    }[how]
    strict = False
    world = World(lambda body: script if "include" in body and (strict or not proven) else GOOD)
    if proven:
        await world.ask()
    strict = True
    asked = len(world.upstream.requests)

    assert said(await world.ask()) == "Fine."
    assert len(world.upstream.requests) == asked + 2
    assert len(world.lessons) == 1
    assert said(await world.ask()) == "Fine."
    assert len(world.upstream.requests) == asked + 3


WISHES: list[tuple[str, dict[str, Any], str]] = [
    (
        "reasoning.effort",
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        "output_config,thinking",
    ),
    ("temperature", {"temperature": 0.5, "model": "some-model"}, "temperature"),
    (
        "parallel_tool_calls",
        {
            "tools": [{"name": "a", "input_schema": {"type": "object"}}],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        },
        "tool_choice",
    ),
]
"""A field, how a client asks for it, and what the header names when it is lost."""


@pytest.mark.parametrize(("path", "fields", "lost"), WISHES, ids=[path for path, _, _ in WISHES])
async def test_a_wish_is_not_lost_in_silence(path: str, fields: dict[str, Any], lost: str) -> None:
    """A server without it answers all the same, and the header says what that costs; in strict mode it is an error."""
    world, strict = World(refusing(path)), World(refusing(path))

    reply = await world.ask(**fields)
    refused = await strict.ask({"dragoman-mode": "strict"}, **fields)

    assert said(reply) == "Fine."
    named = reply.headers["dragoman-mapping"].split(";")
    assert any(part.startswith("dropped=") and set(lost.split(",")) & set(part[8:].split(",")) for part in named)
    assert refused.status == 400
    assert len(strict.upstream.requests) == 1


async def test_a_value_that_is_wrong_is_the_clients_to_mend() -> None:
    """Only what is not known is left out."""
    error = {"message": "Invalid 'temperature': must be at most 2.", "param": "temperature"}
    world = World(lambda _: json_script({"error": error}, 400))

    reply = await world.ask(temperature=0.5, model="some-model")

    assert (reply.status, len(world.upstream.requests)) == (400, 1)


async def test_the_efforts_that_a_server_lists() -> None:
    """The nearest of them is asked for, and remembered."""
    message = "Unsupported value: 'xhigh' is not supported with this model. Supported values are: 'low' and 'medium'."

    def answer(body: dict[str, Any]) -> Script:
        known = at(body, "reasoning.effort") in (None, "low", "medium")
        return GOOD if known else json_script({"error": {"message": message, "param": "reasoning.effort"}}, 400)

    world = World(answer)
    fields: dict[str, Any] = {
        "model": "some-model",
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "xhigh"},
    }

    assert said(await world.ask(**fields)) == said(await world.ask(**fields)) == "Fine."
    assert [at(body, "reasoning.effort") for body in world.upstream.requests] == ["xhigh", "medium", "medium"]


SPELLINGS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "string": lambda item: isinstance(item["content"], str),
    "item": lambda item: "id" in item and "status" in item,
    "part": lambda item: isinstance(item["content"], list) and "id" not in item,
}
"""The spellings of an assistant's text, and how each is known."""


@pytest.mark.parametrize(
    "error", [{"message": "Field required", "param": "input[1].id"}, {"message": "Bad output_text"}]
)
@pytest.mark.parametrize("taken", SPELLINGS)
async def test_the_spelling_that_a_server_takes(taken: str, error: dict[str, Any]) -> None:
    """It is found, the whole conversation is spelt so, and the next turn begins with it."""

    def answer(body: dict[str, Any]) -> Script:
        texts = [item for item in body["input"] if item.get("role") == "assistant"]
        return GOOD if all(map(SPELLINGS[taken], texts)) else json_script({"error": error}, 400)

    world = World(answer)
    talk = TALK + TALK[1:]

    first, second = await world.ask(messages=talk), await world.ask(messages=talk + TALK[1:])

    assert (said(first), said(second)) == ("Fine.", "Fine.")
    assert len(world.upstream.requests) == list(SPELLINGS).index(taken) + 2
    assert [lesson["refused"] for lesson in world.lessons] == ([] if taken == "string" else ["assistant_text"])


async def test_a_server_that_takes_no_reasoning_back() -> None:
    """A server that does not know such items is not sent them again; nobody asks it twice in each turn."""
    from stages.wire import carrier
    from stages.wire.carrier import Carrier

    def answer(body: dict[str, Any]) -> Script:
        at = next((index for index, item in enumerate(body["input"]) if item["type"] == "reasoning"), None)
        error = {"message": "Unknown item", "param": f"input[{at}].type"}
        return GOOD if at is None else json_script({"error": error}, 400)

    world = World(answer)
    sealed = carrier.encode(Carrier("rs_1", "sealed", model=MODEL, account=world.context.target.account))
    thought = {"type": "thinking", "thinking": "", "signature": sealed}
    talk = [TALK[0], {"role": "assistant", "content": [thought, *TALK[1]["content"]]}, TALK[2]]

    assert said(await world.ask(messages=talk)) == said(await world.ask(messages=talk)) == "Fine."
    assert len(world.upstream.requests) == 3


async def test_explain_knows_what_was_learnt() -> None:
    """What would be sent is what is sent."""
    world = World(refusing("include"))
    await world.ask()

    reply = await world.client.request("POST", "/v1/messages/explain", _json({**REQUEST, "model": MODEL}))

    assert "include" not in reply.json()["upstream"]


def _json(value: Any) -> bytes:
    from stages.wire import json

    return json.encode(value)


async def test_a_setting_says_it_for_good() -> None:
    """No request is refused at all."""
    world = World(refusing("include"))
    target = attrs.evolve(world.context.target, profile=attrs.evolve(world.context.target.profile, include=False))
    client = MemoryClient(application(attrs.evolve(world.context, target=target)))

    assert said(await client.messages({**REQUEST, "model": MODEL})) == "Fine."
    assert len(world.upstream.requests) == 1
