"""One page is read, within limits, and only where it may be; a server in the same process says what it is told to."""

from __future__ import annotations

import base64
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from pipeline.fetching.fetcher import PageFetcher
from pipeline.settings import FetchSettings
from stages.tools.hosted.pages import Domains, FetchError, Page, PageFetch

URL = "http://a.example/page"
Read = Callable[..., Awaitable[Page | FetchError]]


def says(body: bytes = b"words", kind: str = "text/plain", status: int = 200, **headers: str) -> bytes:
    """An answer."""
    told = {
        "content-type": kind,
        "content-length": str(len(body)),
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status} -\r\n{head}\r\n".encode() + body


@asynccontextmanager
async def web(*answers: bytes, asked: list[tuple[str, str]] | None = None) -> AsyncIterator[Read]:
    """Serve these answers in their order, whatever host is asked; give a way to read pages."""
    waiting = list(answers)

    async def serve(stream: trio.SocketStream) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (piece := await stream.receive_some()):
            head += piece
        host = next(line.split()[1] for line in head.decode().split("\r\n") if line.lower().startswith("host:"))
        if asked is not None:
            asked.append((host, head.decode().split()[1]))
        await stream.send_all(waiting.pop(0))
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, serve, 0)
        port = listeners[0].socket.getsockname()[1]

        async def connect(*_: object) -> trio.SocketStream:
            return await trio.open_tcp_stream("127.0.0.1", port)

        async def read(
            url: str = URL, domains: Domains | None = None, tokens: int = 1000, **settings: object
        ) -> Page | FetchError:
            fetcher = PageFetcher(
                FetchSettings(**settings),  # type: ignore[arg-type] # as the fields are
                connect=connect,
            )
            return await fetcher.fetch(PageFetch(url, domains or Domains(), tokens))

        yield read
        nursery.cancel_scope.cancel()


async def test_a_page() -> None:
    """Its title and text, where it was found, and when."""
    body = b"<title>T</title><p>caf\xe9 <a href=/x>go</a>"
    async with web(says(body, "text/html; charset=iso-8859-1")) as read:
        page = await read(f"{URL}#part")

    assert isinstance(page, Page)
    assert (page.url, page.title, page.text) == (URL, "T", "café [go](http://a.example/x)")
    assert page.retrieved_at


async def test_other_kinds() -> None:
    """JSON and text are what they are; a PDF is a file; a zipped body is unpacked; a broken one is no page."""
    packed = gzip.compress(b"zipped")
    async with web(
        says(b'{"a": 1}', "application/json"),
        says(b"%PDF-", "application/pdf"),
        says(packed, content_encoding="gzip"),
        says(b"broken", content_encoding="gzip"),
        says(b"\xff", "image/png"),
        says(b"x", content_encoding="br"),
        says(b"", "text/html"),
    ) as read:
        found = [await read() for _ in range(7)]

    pages = [page for page in found if isinstance(page, Page)]
    assert [page.text for page in pages] == ['{"a": 1}', "", "zipped", ""]
    assert base64.b64decode(pages[1].pdf) == b"%PDF-"
    assert found[3:6] == ["url_not_accessible", "unsupported_content_type", "unsupported_content_type"]


async def test_where_it_leads() -> None:
    """Each address on the way is held to the same rules; a ring has an end."""
    asked: list[tuple[str, str]] = []
    moved = says(status=302, location="http://b.example/new?x=1")
    async with web(moved, says(b"there"), asked=asked) as read:
        page = await read()
    assert isinstance(page, Page)
    assert (page.url, page.text) == ("http://b.example/new?x=1", "there")
    assert asked == [("a.example", "/page"), ("b.example", "/new?x=1")]

    async with web(moved, *[says(status=301, location="/round")] * 6) as read:
        assert await read(domains=Domains(allowed=("a.example",))) == "url_not_allowed"
        assert await read() == "url_not_accessible"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "http://a.example:8080/",
        "http://user@a.example/",
        "http://b.example/",
        "https://sub.b.example./",
        "http://",
        "http://[broken",
        "file:///etc/passwd",
    ],
)
async def test_what_may_not_be_asked(url: str) -> None:
    """Nobody is asked: other schemes and ports, names in the address, what is blocked."""
    async with web() as read:
        assert await read(url, blocked_domains=("b.example",)) in ("url_not_allowed", "url_not_accessible")


async def test_the_operators_word_counts_too() -> None:
    """Beside the client's."""
    async with web(says()) as read:
        assert await read(allowed_domains=("b.example",)) == "url_not_allowed"
        assert isinstance(await read(allowed_domains=("example",)), Page)


@pytest.mark.parametrize(
    "url", ["http://localhost/", "http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest"]
)
async def test_this_machine_is_never_asked(url: str) -> None:
    """By the way that connections are made as a rule."""
    assert await PageFetcher(FetchSettings()).fetch(PageFetch(url)) == "url_not_allowed"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (says(status=404), "url_not_accessible"),
        (says(status=429), "too_many_requests"),
        (says(b"x" * 101), "content_too_large"),
        (says(gzip.compress(b"x" * 100_000), content_encoding="gzip"), "content_too_large"),
        (b"no HTTP\r\n\r\n", "url_not_accessible"),
        (b"", "url_not_accessible"),
    ],
)
async def test_why_there_is_no_page(answer: bytes, code: str) -> None:
    """In Anthropic's words."""
    async with web(answer) as read:
        assert await read(max_bytes=100) == code


async def test_a_page_that_never_comes(autojump_clock: trio.testing.MockClock) -> None:  # noqa: ARG001 - it jumps
    """Has its time, with all that it leads to."""

    async def never(*_: object) -> trio.SocketStream:
        await trio.sleep_forever()
        raise AssertionError

    assert await PageFetcher(FetchSettings(timeout=3), connect=never).fetch(PageFetch(URL)) == "url_not_accessible"
    assert trio.current_time() < 4


async def test_a_long_page_is_cut() -> None:
    """About where the client wants it."""
    async with web(says(b"word " * 1000)) as read:
        page = await read(tokens=100)

    assert isinstance(page, Page)
    assert 300 < len(page.text) < 700
