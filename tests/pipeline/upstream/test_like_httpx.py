"""The same exchanges through our transport and the stock one: equal results, for whoever stands above."""

from __future__ import annotations

import gzip

import httpx
import pytest

from pipeline.upstream.http1.transport import HttptoolsTransport
from tests.pipeline.upstream.peer import OK, answering, serving

_ZIPPED = gzip.compress(b"hello", mtime=0)

RESPONSES = {
    "short": OK,
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nT: x\r\n\r\n",
    "until the end": b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\n\r\nuntil the end",
    "http 1.0": b"HTTP/1.0 404 Gone Fishing\r\nContent-Length: 3\r\n\r\nbye",
    "no reason": b"HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + OK,
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_ZIPPED) + _ZIPPED,
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhal",
    "cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhal",
    "silence": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nX: ",
    "not http": b"220 mail.example ESMTP\r\n\r\n",
    "no number": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}

# Where only the body is odd there is nothing to compare for HEAD.
_ODD_BODIES = {"cut", "cut chunk", "no chunk", "gzip"}
CASES = [*((case, "POST") for case in RESPONSES), *((case, "HEAD") for case in RESPONSES if case not in _ODD_BODIES)]


async def outcome(transport: httpx.AsyncBaseTransport, method: str, url: str) -> object:
    """Everything a caller of httpx can see of an exchange."""
    async with httpx.AsyncClient(transport=transport) as client:
        try:
            answer = await client.request(method, url, content=b"body")
        except httpx.HTTPError as error:
            return type(error).__mro__[type(error).__mro__.index(httpx.TransportError) - 2]
        return answer.status_code, answer.reason_phrase, answer.http_version, answer.headers.raw, answer.content


@pytest.mark.parametrize(("case", "method"), CASES)
async def test_equal_outcomes(case: str, method: str) -> None:
    """Status, reason, version, headers, decoded content; or the class of the error."""
    async with serving(answering(RESPONSES[case], keep=False)) as server:
        ours = await outcome(HttptoolsTransport(), method, server.url)
        stock = await outcome(httpx.AsyncHTTPTransport(), method, server.url)

    assert ours == stock
