"""Who sees the page at `/dragoman/`, and what stands there."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.endpoints.context import MAX_VIEWERS, Context
from pipeline.endpoints.page.content import Moment, page_content
from pipeline.endpoints.page.document import document
from pipeline.endpoints.page.page import EVENTS, FEED_INTERVAL
from pipeline.endpoints.running import Phase
from pipeline.settings import Secret
from pipeline.settings.client_keys import client_keys
from pipeline.telemetry import semantics
from pipeline.telemetry.tally import Snapshot
from stages.wire import json
from tests.support.canaries import HEADERS, MARK
from tests.support.canaries import REQUEST as MARKED
from tests.support.client import MemoryClient, Reply
from tests.support.running import REQUEST, context_of

KEYS = client_keys({"alice": "sk-alice"})
OPERATOR = Secret("op")


def _context(**changes: Any) -> Context:
    context = context_of(EmulatorTransport(delay=0))
    return attrs.evolve(context, settings=attrs.evolve(context.settings, **changes))


def _password(word: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{word}".encode()).decode()


@pytest.mark.parametrize(
    ("changes", "headers", "status"),
    [
        ({}, {}, 200),
        ({}, {"host": "evil.example"}, 403),
        ({"client_keys": KEYS}, {"x-api-key": "sk-alice"}, 403),
        ({"client_keys": KEYS, "page_key": OPERATOR}, {"x-api-key": "sk-alice"}, 401),
        ({"client_keys": KEYS, "page_key": OPERATOR}, {"authorization": _password("op")}, 200),
        ({"page_key": OPERATOR}, {"authorization": "Bearer op"}, 200),
        ({"page_key": OPERATOR}, {}, 401),
        ({"page_key": OPERATOR}, {"authorization": "Basic \udcff!"}, 401),
        ({"page_key": OPERATOR}, {"authorization": _password("op2")}, 401),
    ],
)
async def test_who_sees_it(changes: dict[str, Any], headers: dict[str, str], status: int) -> None:
    """Without keys whoever may ask at all; else whoever has the operator's, in the way that a browser asks for one."""
    client = MemoryClient(application(_context(**changes)))
    told = {name: value.encode("latin-1", "replace").decode("latin-1") for name, value in headers.items()}
    reply = await client.request("GET", "/dragoman/", headers=told)

    assert reply.status == status
    assert ("www-authenticate" in reply.headers) == (status == 401)
    if status != 200:
        feed = await client.request("GET", "/dragoman/events", headers=told)
        assert feed.status == status


@pytest.mark.parametrize(
    ("workers", "told"), [((1, 0, 0), ""), ((2, 0, 0), "2"), ((3, 1, 0), "3, 1 draining"), ((1, 0, 1), "1, 1 silent")]
)
def test_several_workers(workers: tuple[int, int, int], told: str) -> None:
    """How many there are, and how many of them only end or are not heard of; of one that is well, nothing."""
    gauges = (semantics.WORKERS, semantics.WORKERS_DRAINING, semantics.WORKERS_SILENT)
    numbers: Snapshot = {name: {(): float(number)} for name, number in zip(gauges, workers, strict=True)}
    shown = page_content(Moment(numbers, [{}], {}, 60.0, datetime.fromtimestamp(0, UTC)))
    assert re.findall("<dt>workers</dt><dd>(.*?)</dd>", shown) == ([told] if told else [])


class _Read(HTMLParser):
    """Reads tables as lists of cells, and sees to it that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link"):
            self.open.append(tag)
        self.links += [str(value) for name, value in attributes if name in ("src", "href")]
        if tag == "tr":
            self.rows.append([])

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        del tag, attributes

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


async def test_what_stands_there() -> None:
    """Tables without a script, a picture each, and nothing that is fetched from anywhere."""
    client = MemoryClient(application(_context(client_keys=KEYS, page_key=OPERATOR)))
    key = {"x-api-key": "sk-alice"}
    for _ in range(3):
        await client.messages(REQUEST, key)
    await client.messages(REQUEST | {"messages": [{"role": "user", "content": "[[error 500]]"}]}, key)
    await client.messages(REQUEST)
    for span in ("", "?span=hour", "?span=day", "?span=<"):
        reply = await client.request("GET", f"/dragoman/{span}", headers={"x-api-key": "op"})
        read = _Read()
        read.feed(reply.body.decode())

        assert read.open == []
        assert reply.body.count(b"<svg") == 6
        assert read.links == ["data:,", "#main", "/dragoman/?span=hour", "/dragoman/?span=day"]
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        rows = {row[0]: row[1:] for row in read.rows}
        assert rows["alice"][-1].startswith("$0.")
        assert rows["gpt-6.2-sol"] == rows["alice"]
        assert ["upstream", "1"] in read.rows
        assert rows["authentication"] == ["1"]
        host, answered, failed, word = read.rows[-1]
        assert (host, answered.endswith("s ago"), failed.endswith("s ago"), word) == ("upstream", True, True, "500")
        assert rows["500"] == ["1"]


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    digits = colour.removeprefix("#")
    digits = "".join(2 * each for each in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_it_can_be_read_in_both_schemes() -> None:
    """Words stand out from what is behind them by 4.5 to 1, bars by 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11)."""
    schemes = [dict(re.findall(r"--(\w+):(#\w+)", text)) for text in re.findall(r":root\{(.*?)\}", _page(), re.DOTALL)]
    assert len(schemes) == 2
    for colours in schemes:
        for name, colour in colours.items():
            least = 4.5 if name in ("fg", "dim", "ok", "bad") else 3.0 if re.fullmatch(r"c\d", name) else 1.0
            for behind in ("bg", "card"):
                light, dark = sorted(map(_luminance, (colour, colours[behind])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= least, (name, colour, behind)


async def test_it_can_be_gone_through_by_headings() -> None:
    """One for the page, and one for each picture and table; what changes all the time is not read aloud."""
    page = (await MemoryClient(application(_context())).request("GET", "/dragoman/")).body.decode()

    assert page.count("<h1>") == 1
    assert page.count("<h2>") == page.count("<figure>") + page.count("<caption>") > 10
    assert re.findall(r'role="status">(.*?)<', page) == ["as of now; reload for more"]
    assert '<time aria-hidden="true">' in page


def _page() -> str:
    return document("hour", "", "").decode()


async def test_no_content_stands_there() -> None:
    """Law 7: a model, a key or a path that a client makes up is no word of a table."""
    client = MemoryClient(application(_context()))
    await client.messages(MARKED, HEADERS)
    await client.request("GET", f"/{MARK}")
    reply = await client.request("GET", "/dragoman/")

    assert reply.status == 200
    assert MARK.encode() not in reply.body


async def _open(context: Context, nursery: trio.Nursery) -> tuple[MemoryClient, Reply]:
    client, reply = MemoryClient(application(context)), Reply()
    nursery.start_soon(client.request, "GET", "/dragoman/events", b"", {}, reply)
    await trio.testing.wait_all_tasks_blocked()
    return client, reply


async def test_the_feed(autojump_clock: trio.testing.MockClock) -> None:
    """The same tables again and again, until the page was open long enough; then the browser comes back by itself."""
    context = _context()
    reply = await MemoryClient(application(context)).request("GET", "/dragoman/events")

    assert autojump_clock.current_time() == EVENTS * FEED_INTERVAL
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert len(reply.writes) == EVENTS
    told = json.decode(reply.writes[-1].removeprefix(b"data: "))
    page = await MemoryClient(application(context)).request("GET", "/dragoman/")
    assert re.sub("<text.*?</text>", "", told)[:500] in re.sub("<text.*?</text>", "", page.body.decode())


async def test_how_a_feed_ends_early(autojump_clock: trio.testing.MockClock) -> None:
    """Its reader leaves, or the server ends: nobody waits for the other, and a draining server not for a page."""
    context = _context()
    async with trio.open_nursery() as nursery:
        client, left = await _open(context, nursery)
        _, drained = await _open(context, nursery)
        client.leave()
        await trio.sleep(FEED_INTERVAL / 2)
        assert context.viewers.borrowed_tokens == 1
        context.running.life.phase = Phase.DRAINING
        await trio.sleep(FEED_INTERVAL)
        assert context.viewers.borrowed_tokens == 0
    assert autojump_clock.current_time() == FEED_INTERVAL * 1.5
    assert (left.ended, drained.ended) == (False, True)


async def test_pages_are_bounded(autojump_clock: trio.testing.MockClock) -> None:
    """One too many is told so."""
    context = _context()
    async with trio.open_nursery() as nursery:
        for _ in range(MAX_VIEWERS):
            await _open(context, nursery)
        refused = await MemoryClient(application(context)).request("GET", "/dragoman/events")
        nursery.cancel_scope.cancel()
    assert refused.status == 529
    assert autojump_clock.current_time() < FEED_INTERVAL
