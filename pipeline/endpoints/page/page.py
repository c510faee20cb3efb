"""`GET /dragoman/` and its feed: who may see the page, and what it is made of."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import trio

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.page import digest
from pipeline.endpoints.page.charts import Chart
from pipeline.endpoints.page.document import POLICY, SPANS, Figure, PageTable, changing, document
from pipeline.endpoints.running import RETRY_AFTER, Phase
from pipeline.settings.keys import presented
from pipeline.telemetry import names, semantics
from pipeline.telemetry.recent import Ring, merged
from pipeline.telemetry.tally import Snapshot
from stages.canonical.failure import Failure, Kind
from stages.wire import json

FEED_INTERVAL = 2.0
"""Seconds between two events of the feed."""

EVENTS = 300
"""Events of one feed; then the browser connects anew, by itself."""

_HEALTHY = 0.95
# Of the upstream's answers; below that somebody should look.

_HTML = "text/html; charset=utf-8"
_SCATTERED = (
    "/dragoman/: several workers share this port, and each knows its own numbers alone; run one worker a process"
)
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
    body = document(span, about, _content(context, span))
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
        await exchange.write(b"data: " + json.encode(_content(context, span)) + b"\n\n")
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
    if context.settings.workers > 1:
        return Failure(Kind.NOT_FOUND, _SCATTERED)
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


def _content(context: Context, span: str) -> str:
    recent = context.recent
    recent.note()
    ring = recent.hour if span == "hour" else recent.day
    slots = [digest.without_watchers(slot) for slot in ring.slots]
    total = merged(slots)
    return changing(_figures(context, total), _charts(slots, _times(ring)), _tables(total))


def _figures(context: Context, total: Snapshot) -> list[Figure]:
    ended = {digest.answered(outcome): 0.0 for outcome in (names.OK, names.CLIENT_LEFT, "")}
    for outcome, number in digest.by(total, semantics.REQUESTS, semantics.OUTCOME).items():
        ended[digest.answered(outcome)] += number
    health, said = _health(total)
    cost = sum(digest.by(total, semantics.COST, semantics.MODEL).values())
    return [
        Figure("running now", str(context.running.working)),
        Figure("streaming", str(context.running.streams)),
        Figure("answered", digest.short_number(ended["answered"])),
        Figure("failed", digest.short_number(ended["failed"]), "bad" if ended["failed"] else ""),
        Figure("cost", digest.dollars(cost)),
        Figure("first content", digest.median_of(total, semantics.FIRST_CONTENT)),
        Figure("upstream", said, health),
    ]


def _health(total: Snapshot) -> tuple[str, str]:
    """Say how the upstream does: whether that is good, and which part of its answers were."""
    answers = digest.by(total, semantics.UPSTREAM, semantics.UPSTREAM_OUTCOME)
    every = sum(answers.values())
    if not every:
        return "", "not asked"
    share = answers.get(names.OK, 0.0) / every
    return "ok" if share >= _HEALTHY else "bad", f"{100 * share:.1f} % ok"


def _charts(slots: Sequence[Snapshot], when: Sequence[str]) -> list[Chart]:
    shown = (
        ("Requests", semantics.REQUESTS, semantics.OUTCOME, digest.answered, digest.short_number),
        ("Cost by model", semantics.COST, semantics.MODEL, str, digest.dollars),
        ("Tokens", semantics.TOKENS, semantics.TOKEN_TYPE, _words, digest.short_number),
        ("Cost by client", semantics.COST, semantics.CLIENT, _client, digest.dollars),
        ("What the cache did", semantics.CACHED, semantics.CACHE, _words, digest.short_number),
        ("What the upstream said", semantics.UPSTREAM, semantics.UPSTREAM_OUTCOME, str, digest.short_number),
    )
    return [
        Chart(title, digest.parts(slots, metric, label, named), written, when)
        for title, metric, label, named, written in shown
    ]


def _tables(total: Snapshot) -> list[PageTable]:
    usage = ("prompt", "cached", "answer", "cost")
    outcomes = digest.by(total, semantics.REQUESTS, semantics.OUTCOME)
    failed = {outcome: number for outcome, number in outcomes.items() if digest.answered(outcome) == "failed"}
    cache = digest.by(total, semantics.CACHED, semantics.CACHE)
    upstream = digest.by(total, semantics.UPSTREAM, semantics.UPSTREAM_OUTCOME)
    return [
        PageTable("Tokens and cost by model", ("model", *usage), digest.usage_rows(total, semantics.MODEL)),
        PageTable("Tokens and cost by client", ("client", *usage), digest.usage_rows(total, semantics.CLIENT)),
        PageTable("Errors by kind", ("kind", "requests"), digest.count_rows(failed)),
        PageTable("What the cache did", ("outcome", "answers"), digest.count_rows(cache, _words)),
        PageTable("What the upstream said", ("answer", "times"), digest.count_rows(upstream)),
    ]


def _times(ring: Ring) -> list[str]:
    """When each slot was, by the clock on the server's wall."""
    now = datetime.now().astimezone()
    return [f"{now - timedelta(seconds=ring.seconds * ago):%H:%M}" for ago in range(ring.count - 1, -1, -1)]


def _client(name: str) -> str:
    return name or digest.NOBODY


def _words(word: str) -> str:
    return semantics.IN_WORDS.get(word, word)
