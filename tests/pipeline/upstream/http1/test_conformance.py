"""The same exchanges through our transport and the stock one: equal results, for whoever stands above."""

from __future__ import annotations

import gzip
import ssl

import httpx
import pytest

from pipeline.upstream.http1.transport import HttptoolsTransport
from tests.pipeline.upstream.peer import OK, answering, serving
from tests.support.cases import cases

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""One for all, that knows no authority: to read a machine's takes longer than an exchange."""

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
    "two interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK,
    "interim, then nothing": b"HTTP/1.1 100 Continue\r\n\r\n",
    "chunk extension": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\n0\r\n\r\n",
    "two trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nA: 1\r\nB: 2\r\n\r\n",
    "cut trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nA: 1\r\n",
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    "closed on purpose": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
    "empty until the end": b"HTTP/1.1 200 OK\r\n\r\n",
    "http 1.0 until the end": b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    "204 with a length": b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    "304 chunked": b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
    "space before the colon": b"HTTP/1.1 200 OK\r\nX : 1\r\nContent-Length: 2\r\n\r\nok",
    "no colon": b"HTTP/1.1 200 OK\r\nnothing\r\nContent-Length: 2\r\n\r\nok",
    "a zero in a value": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "status of two digits": b"HTTP/1.1 99 Odd\r\nContent-Length: 0\r\n\r\n",
    "http 2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "latin-1 value": b"HTTP/1.1 200 OK\r\nX: caf\xe9\r\nContent-Length: 2\r\n\r\nok",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}

STRICTER = {
    "same length twice": b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "length and chunks": b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
}
"""What the stock transport makes sense of and ours refuses, as RFC 9112, section 6.3 allows: somebody between us and
the upstream may understand it in another way."""

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


@cases(("case", "method"), CASES)
async def test_equal_outcomes(case: str, method: str) -> None:
    """Status, reason, version, headers, decoded content; or the class of the error."""
    async with serving(answering(RESPONSES[case], keep=False)) as server:
        ours = await outcome(HttptoolsTransport(), method, server.url)
        stock = await outcome(httpx.AsyncHTTPTransport(verify=_NO_TLS), method, server.url)

    assert ours == stock


@pytest.mark.parametrize("case", STRICTER)
async def test_framing_of_two_meanings_is_refused(case: str) -> None:
    """An error of the upstream's protocol, where the stock transport picks one meaning."""
    async with serving(answering(b"HTTP/1.1 200 OK\r\n" + STRICTER[case], keep=False)) as server:
        ours = await outcome(HttptoolsTransport(), "POST", server.url)
        stock = await outcome(httpx.AsyncHTTPTransport(verify=_NO_TLS), "POST", server.url)

    assert ours in httpx.RemoteProtocolError.__mro__
    assert isinstance(stock, tuple)
    assert stock[0] == 200
