"""A turn more costs what is new in it: operations are counted here, not time."""

from __future__ import annotations

import base64
from typing import Any

import attrs
import pytest

from stages import counter
from stages.canonical.request import (
    ContentBlock,
    Document,
    Image,
    Message,
    Request,
    Source,
    Text,
    Thinking,
    Tool,
    ToolReference,
    ToolResult,
    ToolUse,
    Unknown,
)
from stages.counter import TokenCache, pictures, pieces

JPEG = b"\xff\xd8\xff\xe1\x20\x00" + bytes(0x2000 - 2) + b"\xff\xc0\x00\x11\x08"


class Spy:
    """Counts texts by their length, and remembers which it was asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, text: str) -> int:
        """Count one text."""
        self.asked.append(text)
        return len(text)


def picture(number: int) -> str:
    """A picture whose size is its number, as base64; a long preview stands before the size."""
    return base64.b64encode(JPEG + (number + 1).to_bytes(2, "big") * 2 + bytes(2)).decode()


def turn(number: int) -> tuple[Message, ...]:
    """One turn of an agent, with every kind of block in it, all of its own."""
    said: tuple[ContentBlock, ...] = (
        Thinking(f"thought {number}", "dragoman1.x"),
        Text(f"said {number}"),
        ToolUse(f"toolu_{number}", "Read", {"path": f"file {number}"}),
    )
    found: tuple[ContentBlock, ...] = (
        Text(f"found {number}"),
        Image(Source("base64", "image/png", picture(number))),
        Document(Source("text", "text/plain", f"document {number}"), title=f"title {number}"),
        Unknown("new", {"of": f"tomorrow {number}"}),
    )
    return Message("assistant", said), Message("user", (ToolResult(f"toolu_{number}", found),))


def conversation(turns: int) -> Request:
    """A conversation after so many turns, made anew, as it is decoded anew from each request."""
    tools = tuple(Tool(f"tool {n}", {"type": "object", "properties": {f"p{n}": {}}}, f"does {n}") for n in range(20))
    first = Message("user", (Text("begin"),))
    messages = [message for number in range(turns) for message in turn(number)]
    return Request("claude-x", (first, *messages), system=(Text("be brief"),), tools=tools)


@pytest.fixture
def spies(monkeypatch: pytest.MonkeyPatch) -> dict[str, Spy]:
    """Look over the shoulder of whoever counts pieces of texts, and sizes of pictures."""
    watched = {"pieces": Spy(), "pictures": Spy()}
    places: dict[str, Any] = {"pieces": pieces, "pictures": pictures}
    for name, spy in watched.items():
        monkeypatch.setattr(places[name], "_remembered", TokenCache(spy))
    return watched


@pytest.mark.parametrize("turns", [1, 10, 200])
def test_the_next_turn_costs_its_new_blocks_alone(turns: int, spies: dict[str, Spy]) -> None:
    """However long the conversation is, a vocabulary is asked about the newest turn's texts, each once."""
    spy = Spy()
    memory = TokenCache(spy)
    counter.prompt_tokens(conversation(turns), memory)
    spy.asked.clear()
    spies["pictures"].asked.clear()

    counter.prompt_tokens(conversation(turns + 1), memory)

    fresh = {f"{kind} {turns}" for kind in ("thought", "said", "found", "document", "title")}
    assert {text for text in spy.asked if text in fresh} == fresh
    assert all(text.endswith((f" {turns}", f' {turns}"}}')) for text in spy.asked)
    assert len(spy.asked) == len(set(spy.asked)) == 7
    assert spies["pictures"].asked == [picture(turns)]


@pytest.mark.parametrize("turns", [1, 200])
def test_the_estimate_costs_as_little(turns: int, spies: dict[str, Spy]) -> None:
    """The estimate of `message_start` is made for every request, so it must not cost more with every turn."""
    counter.estimate_request(conversation(turns))
    for spy in spies.values():
        spy.asked.clear()

    counter.estimate_request(conversation(turns + 1))
    assert len(spies["pieces"].asked) == 7
    assert spies["pictures"].asked == [picture(turns)]


def test_the_same_request_again_costs_nothing(spies: dict[str, Spy]) -> None:
    """A retry, or a count before the question, finds everything remembered, tools included."""
    memory = TokenCache(Spy())
    first = counter.prompt_tokens(conversation(5), memory)
    spies["pictures"].asked.clear()
    assert isinstance(memory.tokens, Spy)
    memory.tokens.asked.clear()

    assert counter.prompt_tokens(conversation(5), memory) == first
    assert memory.tokens.asked == []
    assert spies["pictures"].asked == []


@pytest.mark.parametrize("deferred", [False, True])
def test_the_estimate_is_the_count_by_pieces(deferred: bool) -> None:
    """Whatever it remembers of messages and tools, it says what counting says; a deferred tool shows when found."""
    tools = (Tool("a", {"type": "object"}, description="first"), Tool("b", {}, defer_loading=deferred))
    asked = attrs.evolve(conversation(3), tools=tools)
    found = Message("user", (ToolResult("t", (ToolReference("b"),)),))

    for request in (asked, attrs.evolve(asked, messages=(*asked.messages, found)), asked):
        assert counter.estimate_request(request) == counter.prompt_tokens(request, counter.estimate)
