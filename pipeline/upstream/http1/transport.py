"""An httpx transport for HTTP/1.1 over trio whose framing is done in C, and the choice between it and the stock one.

From outside it is an ordinary httpx transport: URLs, headers, timeouts, errors and streaming are httpx's. What it does
not do, HTTP/2 and proxies, is left to `httpx.AsyncHTTPTransport`.
"""

from __future__ import annotations

import importlib.util
import ssl
from collections.abc import Mapping

import httpx
import trio

from pipeline.upstream.faults import CONNECT, UnansweredError, guarded
from pipeline.upstream.http1.connection import Timeouts, exchange
from pipeline.upstream.http1.dialling import Connect, dial
from pipeline.upstream.http1.pool import Connection, Origin, Pool, Statistics
from pipeline.upstream.http1.streams import open_wire
from pipeline.upstream.proxies import proxy_for

DEFAULT_HEAD_LIMIT = 102_400
"""Bytes of a response's head, as in h11."""

_PROXIES = ("http", "https", "socks5", "socks5h")
# Schemes of proxies that httpx speaks with.

# httpcore looks at every connection for every idle one: with a thousand of them a request costs 60 ms of CPU.
_STOCK_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)


class HttptoolsTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 with keep-alive, TLS, and one item of the response's stream per read of the socket.

    There is no limit to connections in use: how many requests run is decided where they come in. Of the timeouts of
    httpx `connect` bounds connecting and the TLS handshake, `write` each write, `read` the wait for the head; between
    the reads of a body there is no deadline, because models think: whoever reads the stream watches its silence.

    Args:
        ssl_context: How upstreams are verified. Without one, httpx's default (certifi's roots, `SSL_CERT_FILE` and
            `SSL_CERT_DIR` respected), made at the first https request because that takes 20 ms. ALPN is set on it.
        connect_timeout: Seconds, for requests that bring no timeout of their own.
        keepalive_expiry: Seconds after which an idle connection is not used any more.
        max_keepalive: Idle connections kept, over all origins.
        head_limit: Bytes that the head of a response may have.
        connect: How TCP connections are made.
    """

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext | None = None,
        connect_timeout: float = 10.0,
        keepalive_expiry: float = 30.0,
        max_keepalive: int = 1000,
        head_limit: int = DEFAULT_HEAD_LIMIT,
        connect: Connect = dial,
    ) -> None:
        self._given_context = ssl_context
        self._context: ssl.SSLContext | None = None
        self._connect_timeout = connect_timeout
        self._head_limit = head_limit
        self._open_tcp = connect
        self._pool = Pool(max_idle=max_keepalive, expiry=keepalive_expiry)

    @property
    def statistics(self) -> Statistics:
        """Count connections: open, idle, in use."""
        return self._pool.statistics

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return its response as soon as the head is there.

        A kept connection may be closed by the server at the very moment we use it. If so, and not a byte of a response
        came, and the body can be sent once more, a fresh connection is tried, once.

        Waits for connecting, sending and the head. Cancelled, the connection is closed.

        Raises:
            httpx.ConnectError, httpx.ConnectTimeout: There is no connection, or the peer could not be verified.
            httpx.WriteError, httpx.WriteTimeout, httpx.ReadError, httpx.ReadTimeout: It broke, or nothing happened.
            httpx.RemoteProtocolError: The peer closed too early, or does not speak HTTP/1.1.
            httpx.LocalProtocolError: The request cannot be sent as it is.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        origin = Origin.of(request.url)
        kept = self._pool.take(origin)
        if kept is not None:
            try:
                return await exchange(self._pool, kept, request, head_limit=self._head_limit)
            except UnansweredError:
                if not isinstance(request.stream, httpx.ByteStream):
                    raise  # a stream is used up by the first attempt
        connection = await self._open(origin, request)
        return await exchange(self._pool, connection, request, head_limit=self._head_limit)

    async def close_idle(self) -> None:
        """Close idle connections as their time comes, for ever; without it they are closed at the next use."""
        await self._pool.close_idle()

    async def aclose(self) -> None:
        """Close all connections at once, also those in use. No checkpoint."""
        self._pool.close()

    async def _open(self, origin: Origin, request: httpx.Request) -> Connection:
        timeouts: Timeouts = request.extensions.get("timeout", {"connect": self._connect_timeout})
        with guarded(CONNECT, timeouts.get("connect")):
            context = self._tls() if origin.scheme == "https" else None
            wire = await open_wire(origin.host, origin.port, context, self._open_tcp)
            # No checkpoint since the wire is there: no cancellation can lose it. A pool that was closed meanwhile
            # refuses it, which is a connection that could not be made.
            connection = Connection(origin, wire)
            self._pool.adopt(connection)
        return connection

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._given_context or httpx.create_ssl_context()
            self._context.set_alpn_protocols(["http/1.1"])
        return self._context


def choose_transport(
    url: str, *, http2: bool, environment: Mapping[str, str], ssl_context: ssl.SSLContext | None = None
) -> httpx.AsyncBaseTransport:
    """Choose the transport for an upstream: ours, or httpx's where HTTP/2 is asked for or a proxy lies in the way.

    Args:
        url: The upstream's base URL.
        http2: Offer HTTP/2 to the upstream.
        environment: Where `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` stand: `os.environ`, mostly.
        ssl_context: How the upstream is verified; without one as httpx does it.

    Raises:
        ImportError: What was asked for needs a package that is not installed: h2, or socksio for a SOCKS proxy.
        ValueError: The proxy is of a kind that nobody here speaks with.
    """
    proxy = proxy_for(httpx.URL(url), environment)
    if not http2 and proxy is None:
        return HttptoolsTransport(ssl_context=ssl_context)
    if http2 and importlib.util.find_spec("h2") is None:
        raise ImportError("HTTP/2 to the upstream needs the package `h2`: install it, or do not ask for HTTP/2")
    scheme = httpx.URL(proxy).scheme if proxy else "http"
    if scheme not in _PROXIES:
        raise ValueError(
            f"the environment names a proxy of the kind {scheme}://, which is none of {', '.join(_PROXIES)}"
        )
    if scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise ImportError(
            "the environment names a SOCKS proxy for the way to the upstream, which needs one more package:"
            " pip install 'dragoman[socks]'; or go without it: unset ALL_PROXY HTTPS_PROXY HTTP_PROXY"
        )
    verify = True if ssl_context is None else ssl_context
    return httpx.AsyncHTTPTransport(verify=verify, http2=http2, proxy=proxy, limits=_STOCK_LIMITS)
