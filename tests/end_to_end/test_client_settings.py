"""What a person sets at the real Claude Code, and what becomes of it upstream: `make client`."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from pipeline.emulator import EmulatorTransport
from stages.wire import json
from tests.support.client_harness import EMULATED, harness, texts_of
from tests.support.directives import bash, script
from tests.support.recorder import Exchange, Recorder
from tests.support.refusing import OVERLOADED, Refusing
from tests.support.serving import serving
from tests.support.wiretap import Visit

pytestmark = pytest.mark.client

EFFORTS = ("low", "medium", "high", "xhigh", "max")
THINKING = {"MAX_THINKING_TOKENS": "8000"}
"""Asks an old client for what the new one does by itself."""


@pytest.mark.parametrize(
    ("model", "upstream", "efforts"),
    [
        ("opus", "gpt-6.2-astra", ("low", "medium", "high", "xhigh", "xhigh")),
        ("gpt-6.1-sol", "gpt-6.1-sol", EFFORTS),
        ("gpt-5", "gpt-5", ("low", "medium", "high", "high", "high")),
    ],
)
async def test_effort(model: str, upstream: str, efforts: tuple[str, ...]) -> None:
    """`--effort` goes upstream as it is, or as the most that the model takes."""
    async with harness() as here:
        for effort in EFFORTS:
            run = await here.desk.ask("Think.", "--model", model, "--effort", effort)
            assert run.final["is_error"] is False

        asked = here.about("Think.")
        assert [visit.body["output_config"]["effort"] for visit in here.wire.visits if visit.body] == list(EFFORTS)
        assert [exchange.request["model"] for exchange in asked] == [upstream] * len(EFFORTS)
        assert tuple(exchange.request["reasoning"]["effort"] for exchange in asked) == efforts
        here.audit()


async def test_effort_in_the_middle_of_a_session() -> None:
    """After `/effort` all that went before stays as it was, to the byte; the change follows behind it."""
    async with harness() as here:
        await here.desk.talk("One. [[think]]", "/effort high", "Two.", "Three.")

        first, second, third = here.upstream.messages
        assert {exchange.request["reasoning"]["effort"] for exchange in (first, second, third)} == {"medium"}
        update = {"type": "configuration_update", "reasoning": {"effort": "high"}}
        assert [exchange.input.count(update) for exchange in (first, second, third)] == [0, 1, 1]
        assert second.input[-1] == update
        here.audit()


async def test_a_model_of_the_upstream_by_its_own_name() -> None:
    """`/model gpt-5` first tries the model with one token; it gets one, though the upstream takes no less than 16."""
    async with harness() as here:
        chosen, run = await here.desk.talk("/model gpt-5", "One. [[think]]")

        assert "Set model to `gpt-5`" in chosen.final["result"]
        assert run.final["is_error"] is False
        trial, first = here.upstream.messages
        assert (trial.request["model"], first.request["model"]) == ("gpt-5", "gpt-5")
        (visit,) = [visit for visit in here.wire.visits if visit.body["max_tokens"] == 1]
        reply = json.decode(visit.answer)
        assert (visit.status, reply["stop_reason"]) == (200, "max_tokens")
        assert [block["text"] for block in reply["content"]] == ["Hello"]
        assert trial.request["max_output_tokens"] >= 16
        assert first.request["reasoning"]["effort"] == "high"
        here.audit()


def thoughts(exchange: Exchange) -> list[str]:
    """The seals of the reasoning that a request brings back."""
    return [item["encrypted_content"] for item in exchange.input if item["type"] == "reasoning"]


def sealed(exchange: Exchange) -> list[str]:
    """The seals of the reasoning that it was answered with."""
    return [item["encrypted_content"] for item in exchange.output if item["type"] == "reasoning"]


def dropped(visit: Visit) -> bool:
    """Whether the answer says that a part of the messages was left out."""
    told = visit.answered.get("dragoman-mapping", "").split(";")
    return any(
        "messages" in fields.split(",")
        for disposition, _, fields in (part.partition("=") for part in told)
        if disposition == "dropped"
    )


async def test_another_model_in_the_middle_of_a_session() -> None:
    """After `/model` the new one hears what was said, not what the other one thought; its own thoughts come back."""
    async with harness() as here:
        await here.desk.talk("One. [[think]]", "/model sonnet", "Two. [[think]]", "Three.")

        first, second, third = here.upstream.messages
        models = [exchange.request["model"] for exchange in (first, second, third)]
        assert models == ["gpt-6.2-astra", "gpt-6.2-sol", "gpt-6.2-sol"]
        assert [exchange.status for exchange in (first, second, third)] == [200] * 3
        assert said(second) == answered(first)
        assert thoughts(second) == []
        assert thoughts(third) == sealed(second) != []
        here.audit()


def said(exchange: Exchange) -> list[str]:
    """What the model has said so far, as a request tells it."""
    return [text for item in exchange.input if item.get("role") == "assistant" for text in texts_of(item)]


def answered(exchange: Exchange) -> list[str]:
    """What the model says in answer to a request."""
    return [part["text"] for item in exchange.output if item["type"] == "message" for part in item["content"]]


async def test_an_older_client_sends_the_thoughts_of_another_model_along() -> None:
    """2.0.77 leaves that to us: they are left out and reported, and the turn is answered."""
    async with harness("2.0.77") as here:
        await here.desk.ask("One. [[think]]", "--model", "opus", environment=THINKING)
        run = await here.desk.ask("Two.", "--model", "sonnet", "-c", environment=THINKING)

        assert run.final["is_error"] is False
        (visit,) = [visit for visit in here.wire.visits if "Two." in str(visit.body) and visit.body.get("tools")]
        assert [block["type"] for block in visit.body["messages"][1]["content"]] == ["thinking", "text"]
        (second,) = here.about("Two.")
        assert second.request["model"] == "gpt-6.2-sol"
        assert thoughts(second) == []
        assert dropped(visit)
        here.audit()


async def test_another_model_behind_the_same_name() -> None:
    """When the server's model table changes between two turns, the old thoughts are left out and reported."""
    async with harness() as here:
        await here.desk.ask("One. [[think]]")
        moved, emulator = attrs.evolve(EMULATED, models={"opus": "gpt-6.1-sol"}), Recorder(EmulatorTransport(delay=0))
        async with serving(moved, emulator) as url, here.wire.on(url) as front:
            desk = attrs.evolve(here.desk, url=front)
            run = await desk.ask("Two. [[think]]", "-c")
            again = await desk.ask("Three.", "-c")

        assert not run.final["is_error"]
        assert not again.final["is_error"]
        assert [dropped(visit) for visit in here.wire.visits if visit.body] == [False, True, True]
        second, third = emulator.messages
        assert second.request["model"] == "gpt-6.1-sol"
        assert thoughts(second) == []
        assert thoughts(third) == sealed(second) != []
        here.audit()


async def test_the_fallback_model_takes_over() -> None:
    """When the model is overloaded three times, `--fallback-model` does the whole task instead."""
    refusing = Refusing(EmulatorTransport(delay=0), [OVERLOADED] * 99, "gpt-6.2-astra")
    async with harness(inner=refusing) as here:
        prompt = script("Go.", bash("echo done > proof.txt"))
        run = await here.desk.ask(prompt, "--model", "opus", "--fallback-model", "sonnet")

        assert (here.desk.work / "proof.txt").read_text() == "done\n"
        assert run.final["result"] == "Done. 1 tool result came back."
        (switch,) = [event for event in run.events if event.get("subtype") == "model_fallback"]
        assert (switch["trigger"], switch["fallback_model"]) == ("overloaded", "claude-sonnet-5-5")
        told: list[Any] = [(each.request["model"], each.status) for each in here.upstream.messages]
        assert told == [("gpt-6.2-astra", 503)] * 3 + [("gpt-6.2-sol", 200)] * 2
        assert [visit.status for visit in here.wire.visits if visit.body] == [529] * 3 + [200] * 2
        here.audit()
