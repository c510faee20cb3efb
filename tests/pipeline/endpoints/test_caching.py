"""Two turns and more through the whole program: what the log, `explain` and `diagnostics` say about the cache."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from structlog.testing import CapturingLogger, LogCapture

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.service import open_service
from pipeline.settings import Settings, UpstreamSettings
from stages.wire import json
from tests.support.client import MemoryClient, Reply

HEADERS = {"x-claude-code-session-id": "session-1"}
SYSTEM = [{"type": "text", "text": "Answer briefly, and never guess. " * 300, "cache_control": {"type": "ephemeral"}}]
ASKED = {"role": "user", "content": "What is in the first file?"}
SAID = {"role": "assistant", "content": "A poem."}
TOOL = {"name": "look", "input_schema": {"type": "object"}}
AGAIN = {"role": "user", "content": "And in the second one?"}


class House:
    """A proxy on the emulator, and what it writes into its log."""

    def __init__(self, client: MemoryClient, lines: LogCapture) -> None:
        """Take over a client and a log."""
        self.client = client
        self._lines = lines

    async def ask(self, *messages: dict[str, Any], path: str = "/v1/messages", **more: Any) -> Reply:
        """Send a turn."""
        body = {"model": "claude-sonnet-5-5", "max_tokens": 500, "system": SYSTEM, "messages": list(messages), **more}
        return await self.client.request("POST", path, json.encode(body), HEADERS)

    def line(self) -> dict[str, Any]:
        """The last line of the log that tells of a message."""
        return dict([entry for entry in self._lines.entries if entry["event"] == "request" and "prefix" in entry][-1])


async def talk(turns: Any, upstream: UpstreamSettings = UpstreamSettings(url="emulator")) -> None:  # noqa: B008 - frozen
    """Open a house, and let a test talk in it."""
    lines = LogCapture()
    log = structlog.wrap_logger(
        CapturingLogger(), processors=[lines], wrapper_class=structlog.make_filtering_bound_logger(0)
    ).bind()
    settings = Settings(upstream=upstream)
    async with open_service(settings, transport=EmulatorTransport(delay=0), log=log) as context:
        await turns(House(MemoryClient(application(context)), lines))


async def test_the_log_tells_rate_price_and_fingerprint() -> None:
    """The first turn writes the cache, the second one reads it; neither needs an explanation."""

    async def turns(house: House) -> None:
        await house.ask(ASKED)
        first = house.line()
        await house.ask(ASKED, SAID, AGAIN)
        second = house.line()

        assert (first["cache_hit_rate"], "cache_miss" in first) == (0.0, False)
        assert second["cache_hit_rate"] > 0.9
        assert "cache_miss" not in second
        assert 0 < second["cost_usd"] < first["cost_usd"]
        assert len(first["prefix"]) == 12
        assert first["prefix"] != second["prefix"]

    await talk(turns)


async def test_the_log_tells_what_changed_first() -> None:
    """A client that edits what it has said pays for it, and the line says where."""

    async def turns(house: House) -> None:
        await house.ask(ASKED)
        await house.ask({**ASKED, "content": "Something else."}, SAID, AGAIN)
        assert "cache_miss" not in house.line()  # the marked system prompt was found all the same
        await house.ask(ASKED, SAID, AGAIN, tools=[TOOL])
        assert house.line()["cache_miss"] == "prefix changed at tools"
        await house.ask(ASKED, SAID, AGAIN, tools=[TOOL], system="Be long. " * 900)
        assert house.line()["cache_miss"] == "prefix changed at input[0] (developer message)"
        await house.ask(ASKED, SAID, AGAIN, AGAIN, tools=[TOOL])
        assert "cache_miss" not in house.line()

    await talk(turns)


async def test_a_border_is_found_by_another_question() -> None:
    """A mark between a document and the question makes the document a prefix of its own; without it, all is lost."""

    async def turns(house: House) -> None:
        for mark, found in (({"cache_control": {"type": "ephemeral"}}, True), ({}, False)):
            document = {"type": "text", "text": f"A poem that is {found}. " * 500, **mark}
            answers = [
                await house.ask({"role": "user", "content": [document, question]}, system="Be brief.")
                for question in ({"type": "text", "text": "What is it?"}, {"type": "text", "text": "Who wrote it?"})
            ]
            assert (answers[-1].json()["usage"]["cache_read_input_tokens"] > 2000) is found

    await talk(turns)


async def test_explain_tells_the_same_fingerprint() -> None:
    """And how the request compares with the last turn that is known; asking that changes nothing."""

    async def turns(house: House) -> None:
        before = (await house.ask(ASKED, path="/v1/messages/explain")).json()["cache"]
        await house.ask(ASKED)
        after = (await house.ask(ASKED, SAID, AGAIN, path="/v1/messages/explain")).json()["cache"]
        moved = (await house.ask(AGAIN, SAID, AGAIN, path="/v1/messages/explain")).json()["cache"]

        assert before == {"prefix": house.line()["prefix"], "last_turn": "first_turn"}
        assert after["last_turn"] == "extended"
        assert moved["last_turn"] == "changed: input[1] (user message)"

    await talk(turns)


async def test_diagnostics_compare_with_the_named_message() -> None:
    """Null where nothing changed or nothing was named, the reason where something did, and only when asked."""

    async def turns(house: House) -> None:
        first = (await house.ask(ASKED, diagnostics={"previous_message_id": None})).json()
        named = {"previous_message_id": first["id"]}
        grown = (await house.ask(ASKED, SAID, AGAIN, diagnostics=named)).json()
        edited = (await house.ask(AGAIN, SAID, AGAIN, diagnostics=named)).json()
        other = (await house.ask(ASKED, system="Be brief.", diagnostics=named)).json()
        unknown = (await house.ask(ASKED, diagnostics={"previous_message_id": "msg_x"})).json()
        silent = (await house.ask(ASKED)).json()

        assert (first["diagnostics"], grown["diagnostics"]) == (None, None)
        assert edited["diagnostics"]["cache_miss_reason"]["type"] == "messages_changed"
        assert 0 < edited["diagnostics"]["cache_miss_reason"]["cache_missed_input_tokens"] < 100
        assert other["diagnostics"]["cache_miss_reason"]["type"] == "system_changed"
        assert other["diagnostics"]["cache_miss_reason"]["cache_missed_input_tokens"] > 2000
        assert unknown["diagnostics"] == {"cache_miss_reason": {"type": "previous_message_not_found"}}
        assert "diagnostics" not in silent

    await talk(turns)


async def test_diagnostics_stand_in_a_streams_first_event() -> None:
    """Where Anthropic's own streams have them: on the message that begins."""

    async def turns(house: House) -> None:
        reply = await house.ask(ASKED, stream=True, diagnostics={"previous_message_id": "msg_x"})
        begun = next(line for line in reply.body.splitlines() if line.startswith(b"data: "))
        message = json.decode(begun.removeprefix(b"data: "))["message"]

        assert message["diagnostics"] == {"cache_miss_reason": {"type": "previous_message_not_found"}}

    await talk(turns)


async def test_model_and_tools_are_reasons_for_the_whole_prompt() -> None:
    """A prompt for another model, or with other tools, can reuse nothing."""

    async def turns(house: House) -> None:
        first = (await house.ask(ASKED)).json()
        named = {"previous_message_id": first["id"]}
        tokens = sum(first["usage"][name] for name in ("input_tokens", "cache_creation_input_tokens"))
        model = (await house.ask(ASKED, model="gpt-6.1-sol", diagnostics=named)).json()["diagnostics"]
        tools = (await house.ask(ASKED, tools=[TOOL], diagnostics=named)).json()["diagnostics"]

        assert model == {"cache_miss_reason": {"type": "model_changed", "cache_missed_input_tokens": tokens}}
        assert tools == {"cache_miss_reason": {"type": "tools_changed", "cache_missed_input_tokens": tokens}}

    await talk(turns)


@pytest.mark.parametrize(("shared", "rate"), [(True, 0.9), (False, 0.0)])
async def test_subagents_that_share_a_key_share_the_cache(shared: bool, rate: float) -> None:
    """The second of them reads the long system prompt that the first has written, if the settings let them."""
    prompt = [{"type": "text", "text": "Look well. " * 500, "cache_control": {"type": "ephemeral"}}]

    async def turns(house: House) -> None:
        for agent in ("one", "two"):
            asked = {"role": "user", "content": f"I am {agent}."}
            body = {"model": "claude-sonnet-5-5", "max_tokens": 500, "system": prompt, "messages": [asked]}
            headers = {**HEADERS, "x-claude-code-session-id": "s", "x-claude-code-agent-id": agent}
            await house.client.request("POST", "/v1/messages", json.encode(body), headers)
        assert house.line()["cache_hit_rate"] >= rate
        assert bool(house.line()["cache_hit_rate"]) is shared

    await talk(turns, UpstreamSettings(url="emulator", shared_agents=shared))
