"""pydantic-ai's agent on its Anthropic model: tools, typed answers, streams, and thinking that comes back.

It has no suite for servers, so these are its documented ways, each once.
"""

from __future__ import annotations

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.models.anthropic import AnthropicModel, AnthropicModelSettings
from pydantic_ai.providers.anthropic import AnthropicProvider

MODEL = "claude-haiku-4-5"
"""A name for which the library forces the call that it reads typed answers from."""


class Town(BaseModel):
    """A typed answer."""

    name: str
    people: int


@pytest.fixture
def model(base_url: str) -> AnthropicModel:
    """Give a model behind dragoman."""
    return AnthropicModel(MODEL, provider=AnthropicProvider(base_url=base_url, api_key="any"))


async def test_a_text(model: AnthropicModel) -> None:
    """The plainest answer, and what it cost."""
    answer = await Agent(model, instructions="Be brief.").run("hello")
    assert answer.output
    assert answer.usage.output_tokens > 0


async def test_a_stream(model: AnthropicModel) -> None:
    """The deltas add up to the whole."""
    async with Agent(model).run_stream("hello") as answer:
        pieces = [piece async for piece in answer.stream_text(delta=True)]
        assert len(pieces) > 1
        assert "".join(pieces).strip() == (await answer.get_output()).strip()


@pytest.mark.parametrize("kind", [ToolOutput, NativeOutput, None])
async def test_a_typed_answer(model: AnthropicModel, kind: type | None) -> None:
    """By a forced call, by a structured answer, and by what the library thinks best."""
    wanted = Town if kind is None else kind(Town)
    answer = await Agent(model, output_type=wanted).run("Which town has 42 people?")
    assert isinstance(answer.output, Town)


async def test_a_tool(model: AnthropicModel) -> None:
    """It is called with arguments of its types, and its result goes back."""
    agent, called = Agent(model), list[str]()

    @agent.tool_plain
    def get_weather(town: str) -> str:
        called.append(town)
        return "rain"

    answer = await agent.run("What is the weather in 'Bern'?")
    assert called == ["Bern"]
    assert "1 tool result" in answer.output


async def test_thinking_comes_back(model: AnthropicModel) -> None:
    """Two turns with thinking: what was thought in the first is sent back in the second."""
    settings = AnthropicModelSettings(anthropic_thinking={"type": "adaptive"}, max_tokens=4000)
    first = await Agent(model, model_settings=settings).run("[[think]]")
    assert [part.part_kind for part in first.new_messages()[-1].parts][:1] == ["thinking"]
    second = await Agent(model, model_settings=settings).run("[[think]]", message_history=first.all_messages())
    assert second.output
