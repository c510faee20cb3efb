"""The official SDK asks for what takes several requests upstream: other models, summaries, advice."""

from __future__ import annotations

from typing import Any

import anthropic
import attrs
import pytest

from pipeline.emulator.scenarios import GREETING
from pipeline.settings import FetchSettings, Settings
from tests.end_to_end.test_anthropic_sdk import MODEL, SETTINGS, said, sdk


async def whole_or_streamed(
    *, stream: bool, settings: Settings = SETTINGS, **asked: Any
) -> anthropic.types.beta.BetaMessage:
    """Ask once, and have the client make the message, of a stream or of the whole."""

    def talk(client: anthropic.Anthropic) -> anthropic.types.beta.BetaMessage:
        if not stream:
            whole: anthropic.types.beta.BetaMessage = client.beta.messages.create(**asked)
            return whole
        with client.beta.messages.stream(**asked) as events:
            return events.get_final_message()

    async with sdk(settings=settings) as use:
        message: anthropic.types.beta.BetaMessage = await use(talk)
    return message


@pytest.mark.parametrize("stream", [True, False])
async def test_fallbacks(*, stream: bool) -> None:
    """Another model answers where the first declines; the client knows by the block and the usage which one it was."""
    message = await whole_or_streamed(
        stream=stream,
        model=MODEL,
        max_tokens=900,
        messages=said("[[refuse gpt-6.2-sol]]"),
        fallbacks=[{"model": "claude-haiku-4-5"}],
        betas=["server-side-fallback-2026-07-01"],
    )

    blocks = [block for block in message.content if block.type != "thinking"]
    assert [block.type for block in blocks] == ["fallback", "text"]
    assert (message.model, message.stop_reason) == ("claude-haiku-4-5", "end_turn")
    assert [each.type for each in message.usage.iterations or ()] == ["message", "fallback_message"]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_conversation_that_is_summed_up(*, stream: bool) -> None:
    """In the middle of an answer, and never again while it is short."""
    edit = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 50_000}}
    asked: Any = {
        "model": MODEL,
        "max_tokens": 900,
        "context_management": {"edits": [edit]},
        "betas": ["compact-2026-01-12"],
    }
    long = said("word " * 60_000)
    message = await whole_or_streamed(stream=stream, messages=long, **asked)
    compaction, *rest = (block for block in message.content if block.type != "thinking")
    answered: Any = {"role": "assistant", "content": [block.to_dict() for block in message.content]}
    after = await whole_or_streamed(stream=stream, messages=[*long, answered, *said("hello")], **asked)

    assert compaction.type == "compaction"
    assert compaction.content == GREETING
    assert [block.type for block in rest] == ["text"]
    assert [each.type for each in message.usage.iterations or ()] == ["compaction", "message"]
    assert "compaction" not in [block.type for block in after.content]
    assert after.usage.input_tokens < 5_000


@pytest.mark.parametrize("stream", [True, False])
async def test_an_advisor(*, stream: bool) -> None:
    """The model asks for advice in the middle of its answer, and the client's own types hold all of it."""
    tool: Any = {"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-5-5", "max_uses": 1}

    message: Any = await whole_or_streamed(
        stream=stream,
        model=MODEL,
        max_tokens=900,
        messages=said("[[think]+[call:advisor {}]] [[say I looked twice.]]"),
        tools=[tool],
        betas=["advisor-tool-2026-03-01"],
    )

    kinds = [block.type for block in message.content if block.type not in ("thinking", "text")]
    assert kinds == ["server_tool_use", "advisor_tool_result"]
    (result,) = [block for block in message.content if block.type == "advisor_tool_result"]
    assert result.content.type == "advisor_result"
    assert result.content.text
    assert message.content[-1].text == "I looked twice."
    assert message.stop_reason == "end_turn"
    assert [each.type for each in message.usage.iterations or ()] == ["message", "advisor_message", "message"]


@pytest.mark.parametrize("stream", [True, False])
async def test_citations(*, stream: bool) -> None:
    """What the model marks is cited from the document's own text, and the answer goes back as the client has it."""
    text = "The language was created by Matz in 1993. It makes programmers happy."
    document: Any = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": text},
        "title": "facts.txt",
        "citations": {"enabled": True},
    }
    words = '[[say Well: <cite refs="0.0">Matz made it</cite>, <cite refs="0.1 0.7">gladly</cite>.]]'
    asked: Any = {"role": "user", "content": [document, {"type": "text", "text": words}]}
    message = await whole_or_streamed(stream=stream, model=MODEL, max_tokens=900, messages=[asked])

    texts: Any = [block for block in message.content if block.type == "text"]
    assert [block.text for block in texts] == ["Well: ", "Matz made it", ", ", "gladly", "."]
    (first,), (second,) = texts[1].citations, texts[3].citations
    assert first.type == second.type == "char_location"
    assert (first.document_index, first.document_title) == (0, "facts.txt")
    assert text[first.start_char_index : first.end_char_index] == first.cited_text == text[:42]
    assert second.cited_text == "It makes programmers happy."

    answered: Any = {"role": "assistant", "content": [block.to_dict() for block in message.content]}
    after = await whole_or_streamed(
        stream=stream, model=MODEL, max_tokens=900, messages=[asked, answered, *said("hello")]
    )
    assert after.content[-1].type == "text"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_page(*, stream: bool) -> None:
    """The client's own types hold the call and what came of it; this machine is never asked, whoever asks for it."""
    url = "http://127.0.0.1:80/latest"
    words = f'[[think]+[call:web_fetch {{"url":"{url}"}}]] [[say I could not.]]'
    tool: Any = {"type": "web_fetch_20250910", "name": "web_fetch", "max_uses": 1}
    message: Any = await whole_or_streamed(
        stream=stream,
        settings=attrs.evolve(SETTINGS, fetch=FetchSettings(enabled=True)),
        model=MODEL,
        max_tokens=900,
        messages=said(words),
        tools=[tool],
    )

    kinds = [block.type for block in message.content if block.type not in ("thinking", "text")]
    assert kinds == ["server_tool_use", "web_fetch_tool_result"]
    (result,) = [block for block in message.content if block.type == "web_fetch_tool_result"]
    assert result.content.error_code == "url_not_allowed"
    assert message.content[-1].text == "I could not."
    assert message.usage.server_tool_use.web_fetch_requests == 1
