"""`GET /dragoman/` and its feed: who may see the page, and what it is made of."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qs

import trio

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.overview import OF, PAGE, SPAN, UNANSWERED
from pipeline.endpoints.page.document import POLICY, SPANS, document
from pipeline.endpoints.running import RETRY_AFTER, Phase
from pipeline.settings.keys import presented
from pipeline.telemetry import names
from stages.canonical.failure import Failure, Kind
from stages.wire import json

FEED_INTERVAL = 2.0
"""Seconds between two events of the feed."""

EVENTS = 300
"""Events of one feed; then the browser connects anew, by itself."""

_HTML = "text/html; charset=utf-8"
_CLOSED = Failure(
    Kind.PERMISSION,
    "The page shows what all clients have used; where client keys are set, it asks for an operator's key: set page_key",
)
_ASKED = Failure(
    Kind.AUTHENTICATION, "The page asks for the operator's key (page_key): any name, and the key as password"
)


async def show_page(context: Context, exchange: Exchange) -> Failure | None:
    """Answer with the page as it is now."""
    if refused := viewer_refusal(context, exchange):
        return refused
    span = _span(exchange)
    about = f"{context.version}, upstream {context.upstream_name}"
    if (content := await context.ask({OF: PAGE, SPAN: span})) is None:
        return UNANSWERED
    body = document(span, about, content)
    exchange.answer_headers += [(b"content-security-policy", POLICY.encode()), (b"cache-control", b"no-store")]
    await exchange.answer_text(body, _HTML)
    return None


async def feed(context: Context, exchange: Exchange) -> Failure | None:
    """Feed an open page with what has changed, until it is closed, the server ends, or it was long enough.

    Waits for time and for the client; cancelled when the client has left.
    """
    if refused := viewer_refusal(context, exchange):
        return refused
    try:
        context.viewers.acquire_nowait()
    except trio.WouldBlock:
        return Failure(Kind.OVERLOADED, "Too many pages are open at once; try again.", retry_after=RETRY_AFTER)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_leave, exchange, nursery.cancel_scope)
            await _feed(context, exchange)
            nursery.cancel_scope.cancel()
    finally:
        context.viewers.release()
    return None


async def _feed(context: Context, exchange: Exchange) -> None:
    await exchange.begin_feed()
    exchange.log.outcome = names.OK  # whoever closes a page has seen enough
    span = _span(exchange)
    for _ in range(EVENTS):
        if (content := await context.ask({OF: PAGE, SPAN: span})) is not None:
            await exchange.write(b"data: " + json.encode(content) + b"\n\n")
        await trio.sleep(FEED_INTERVAL)
        if context.running.phase is Phase.DRAINING:
            break
    await exchange.end_stream()


async def _leave(exchange: Exchange, scope: trio.CancelScope) -> None:
    await exchange.left()
    scope.cancel()


def viewer_refusal(context: Context, exchange: Exchange) -> Failure | None:
    """Say why somebody may not see the page, or None."""
    key = context.settings.page_key
    if key is None:
        return _CLOSED if context.settings.client_keys else None
    told = [*presented(exchange.headers), *_basic(exchange.headers.get("authorization", ""))]
    if any(hmac.compare_digest(key.reveal().encode(), each.encode("utf-8", "surrogatepass")) for each in told):
        return None
    exchange.answer_headers.append((b"www-authenticate", b'Basic realm="dragoman", charset="UTF-8"'))
    return _ASKED


def _basic(authorization: str) -> Iterable[str]:
    """The password of HTTP's basic scheme, which is how a browser asks a person for one (RFC 7617)."""
    scheme, _, told = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ()
    try:
        return (base64.b64decode(told.strip(), validate=True).decode().partition(":")[2],)
    except (binascii.Error, UnicodeDecodeError):
        return ()


def _span(exchange: Exchange) -> str:
    asked = (parse_qs(exchange.query.decode("latin-1")).get("span") or [""])[-1]
    return asked if asked in SPANS else next(iter(SPANS))
