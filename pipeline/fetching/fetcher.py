"""Reads one page for a model: address by address, with a limit on everything.

The way is direct, past no proxy: a proxy looks names up by itself, and nobody here could say where it goes.
"""

from __future__ import annotations

import base64
import re
import zlib
from datetime import UTC, datetime

import attrs
import httpx
import trio

from pipeline.fetching.addresses import PrivateAddressError, dial_public
from pipeline.inflating import ANY, Inflater
from pipeline.settings import FetchSettings
from pipeline.upstream.http1.dialling import Connect
from pipeline.upstream.http1.transport import HttptoolsTransport
from pipeline.version import version
from stages.actor import beside
from stages.counter import estimate
from stages.tools.hosted.pages import Domains, FetchError, Page, PageFetch

MOST_REDIRECTS = 5
"""Addresses that one page may lead to."""

MOST_OF_TOKEN = 16
"""Characters of a token, at most, in a text: what is beyond so many of them is not even counted."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
_BY_STATUS: dict[int, FetchError] = {429: "too_many_requests"}
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXTS = re.compile(r"text/[\w.+-]+|application/(?:[\w.-]+\+)?(?:json|xml|yaml|x-yaml|javascript|x-ndjson)")
_PDF = "application/pdf"
_CODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
_CHARSET = re.compile(rb"""charset\s*=\s*["']?([\w-]{1,20})""", re.IGNORECASE)
_CHARSETS = re.compile(
    r"utf-?(?:8|16)|(?:iso-8859|windows|cp|koi8)-?\w{1,5}|gbk|gb2312|gb18030|big5|(?:shift|euc)[-_]\w{2,4}"
)
# Those whose decoders cost what their bytes do.
_HEAD = 1024


class _NoPageError(Exception):
    """There is no page, for a reason of Anthropic's."""

    def __init__(self, code: FetchError) -> None:
        super().__init__(code)
        self.code = code


@attrs.frozen
class PageFetcher:
    """Reads pages.

    Attributes:
        settings: how much of them, how long, and from whom.
        connect: makes connections.
    """

    settings: FetchSettings
    connect: Connect = dial_public

    async def fetch(self, fetch: PageFetch) -> Page | FetchError:
        """Read a page, or say why there is none; waits for the web, and for a thread where the page is large.

        Cancelled, its connection is closed.
        """
        try:
            with trio.move_on_after(self.settings.timeout):
                return await self._followed(fetch)
        except _NoPageError as reason:
            return reason.code
        except httpx.TransportError as error:
            private = isinstance(error.__cause__, PrivateAddressError)
            return "url_not_allowed" if private else "url_not_accessible"
        except (httpx.InvalidURL, zlib.error):
            return "url_not_accessible"
        return "url_not_accessible"

    async def _followed(self, fetch: PageFetch) -> Page:
        url = httpx.URL(fetch.url)
        for _ in range(MOST_REDIRECTS + 1):
            self._check(url, fetch.domains)
            found = await self._asked(url, fetch)
            if isinstance(found, Page):
                return found
            url = url.join(found)
        raise _NoPageError("url_not_accessible")

    def _check(self, url: httpx.URL, domains: Domains) -> None:
        """Refuse an address that may not be asked; each that others lead to as well."""
        host, path = url.raw_host.decode("ascii").lower().rstrip("."), url.path or "/"
        plain = url.port in (None, _PORTS.get(url.scheme)) and not url.userinfo and bool(host)
        ours = Domains(self.settings.allowed_domains, self.settings.blocked_domains)
        if not (url.scheme in _PORTS and plain and domains.permit(host, path) and ours.permit(host, path)):
            raise _NoPageError("url_not_allowed")

    async def _asked(self, url: httpx.URL, fetch: PageFetch) -> Page | str:
        """Ask one address: its page, or where it leads."""
        transport = HttptoolsTransport(connect=self.connect, max_keepalive=0)
        try:
            response = await transport.handle_async_request(_request(url, self.settings.timeout))
            status = response.status_code
            if status in _REDIRECTS and "location" in response.headers:
                return response.headers["location"]
            if not response.is_success:
                raise _NoPageError(_BY_STATUS.get(status, "url_not_accessible"))
            return await self._page(url, response, fetch)
        finally:
            await transport.aclose()

    async def _page(self, url: httpx.URL, response: httpx.Response, fetch: PageFetch) -> Page:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not (kind == _PDF or kind in _HTML or _TEXTS.fullmatch(kind)):
            raise _NoPageError("unsupported_content_type")
        body = await self._body(response)
        page = Page(str(url.copy_with(fragment=None)), retrieved_at=datetime.now(UTC).isoformat())
        if kind == _PDF:
            return attrs.evolve(page, pdf=base64.b64encode(body).decode())
        return await beside(_read, page, body, response.headers.get("content-type", ""), fetch.most_tokens)

    async def _body(self, response: httpx.Response) -> bytes:
        """Read a body, as far as it may be large; inflated in pieces."""
        coding = response.headers.get("content-encoding", "").strip().lower()
        if coding not in _CODINGS:
            raise _NoPageError("unsupported_content_type")
        inflater = Inflater(ANY) if coding not in ("", "identity") else None
        body = bytearray()
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - it is our transport's
        async for data in response.stream:
            for piece in inflater.feed(data) if inflater is not None else (data,):
                body += piece
                if len(body) > self.settings.max_bytes:
                    raise _NoPageError("content_too_large")
        return bytes(body)


def _request(url: httpx.URL, seconds: float) -> httpx.Request:
    headers = {
        "host": url.netloc.decode("ascii"),
        "user-agent": f"dragoman/{version()}",
        "accept": "text/html, text/plain, application/pdf;q=0.9, */*;q=0.5",
        "accept-encoding": "gzip, identity",
    }
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    return httpx.Request("GET", url, headers=headers, extensions={"timeout": timeouts})


def _read(page: Page, body: bytes, kind: str, most_tokens: int) -> Page:
    """Make the text of a body, as long as it may be."""
    named = _CHARSET.search(kind.encode("latin-1", "replace")) or _CHARSET.search(body[:_HEAD])
    charset = named[1].decode("ascii").lower() if named else "utf-8"
    try:
        text = body.decode(charset if _CHARSETS.fullmatch(charset) else "utf-8", "replace")
    except LookupError:
        text = body.decode("utf-8", "replace")
    title = None
    if kind.partition(";")[0].strip().lower() in _HTML:
        from pipeline.fetching.page_text import page_text

        title, text = page_text(text, page.url)
    text = text[: most_tokens * MOST_OF_TOKEN]
    tokens = estimate(text)
    if tokens > most_tokens:
        text = text[: len(text) * most_tokens // tokens]
    return attrs.evolve(page, title=title, text=text)
