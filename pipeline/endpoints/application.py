"""The edge: HTTP comes in, is routed, and every end is made certain here.

This is the one place where an exception, which is a bug, becomes `Failure(INTERNAL)`; what the log says of it is
where in the code it struck, never what it said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable

import trio

from pipeline.endpoints import counting, health, messages, metrics, models, usage, web_pages
from pipeline.endpoints.batches import create, results
from pipeline.endpoints.batches import kept as batches
from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange, Receive, Scope, Send
from pipeline.endpoints.files import kept, listing, upload
from pipeline.endpoints.page import page
from pipeline.endpoints.paths import normal, not_found, wrong_method
from pipeline.endpoints.running import Phase
from pipeline.settings.client_keys import key_of
from pipeline.settings.keys import presented
from pipeline.telemetry import names, semantics
from pipeline.telemetry.logs import fault_site
from pipeline.telemetry.request_log import RequestLog
from stages.canonical.failure import Failure, Kind
from stages.redactor import redact

Endpoint = Callable[[Context, Exchange], Awaitable[Failure | None]]
"""What answers one method of one route, or says why there is no answer: nothing was sent then."""

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI application."""

ROUTES: dict[str, dict[str, Endpoint]] = {
    "/v1/messages": {"POST": messages.create_message},
    "/v1/messages/stream": {"POST": messages.create_stream},
    "/v1/messages/explain": {"POST": messages.explain},
    "/v1/messages/count_tokens": {"POST": counting.count_tokens},
    batches.BATCHES: {"POST": create.create_batch, "GET": batches.list_batches},
    "/v1/models": {"GET": models.list_models},
    "/v1/files": {"POST": upload.upload, "GET": listing.list_files},
    "/metrics": {"GET": metrics.metrics},
    "/dragoman/usage": {"GET": usage.session_usage},
    "/dragoman": {"GET": page.show_page, "HEAD": page.show_page},
    "/dragoman/events": {"GET": page.feed},
    "/": {"GET": health.hello, "HEAD": health.hello},
    "/healthz": {"GET": health.healthz, "HEAD": health.healthz},
    "/readyz": {"GET": health.readyz, "HEAD": health.readyz},
}
"""Path to methods; the query never matters for routing."""

OPEN = {"/", "/healthz", "/readyz"}
"""Routes that ask for no key."""

GUARDED = {"/dragoman", "/dragoman/events"}
"""Routes that ask for a key of their own."""

_KEYLESS = OPEN | GUARDED

FAREWELL = 1.0
"""Seconds that a request which was cut has to say so."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_BATCH, _FILE = batches.BATCHES, "/v1/files"

_THINGS: tuple[tuple[str, str, dict[str, Endpoint]], ...] = (
    ("/v1/models/{id}", r"/v1/models/.+", {"GET": models.get_model}),
    (f"{_BATCH}/{{id}}/results", rf"{_BATCH}/[^/]+/results", {"GET": results.results}),
    (f"{_BATCH}/{{id}}/cancel", rf"{_BATCH}/[^/]+/cancel", {"POST": batches.cancel}),
    (f"{_BATCH}/{{id}}", rf"{_BATCH}/[^/]+", {"GET": batches.retrieve_batch, "DELETE": batches.delete_batch}),
    (f"{_FILE}/{{id}}/content", rf"{_FILE}/[^/]+/content", {"GET": kept.content}),
    (f"{_FILE}/{{id}}", rf"{_FILE}/[^/]+", {"GET": kept.retrieve_file, "DELETE": kept.delete_file}),
)
# Paths with an id in them, by the name of their route; the first that fits counts.


def application(context: Context) -> Application:
    """Make the ASGI application of a service."""
    context.introduce()
    context.tally.know(semantics.ROUTE, (*ROUTES, *(route for route, _, _ in _THINGS)))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(context, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})  # nothing else is served here; this is ASGI's way to refuse
            return
        log = RequestLog(context.log, {"request_id": f"req_{os.urandom(12).hex()}", "method": _method(scope)})
        if context.tracing is not None and normal(scope["path"]) not in semantics.WATCHING:
            log.trace = context.tracing.begin(_method(scope), scope["headers"], context.profile)
        try:
            await _serve(context, Exchange(scope, receive, send, log))
        finally:
            context.account(log)

    return app


async def _serve(context: Context, exchange: Exchange) -> None:
    """Answer one request, whatever happens, and see to it that its log knows how it ended.

    Who is refused gets no ticket, and nothing else that work needs: a flood of clients is made of refusals.
    """
    try:
        called = _called(context, exchange)
        if isinstance(called, Failure):
            await exchange.fail(called)
        else:
            await _run(context, exchange, *called)
    except RecursionError:  # what recurses here follows a request, which is read before anything is answered
        await exchange.break_off(Failure(Kind.INVALID_REQUEST, "The request body is nested too deeply"))
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a failure
        context.log.error(names.FAULT, request_id=exchange.request_id, site=fault_site(error))  # noqa: TRY400 - a traceback quotes content
        await exchange.break_off(Failure(Kind.INTERNAL, "Internal server error"))
    if exchange.answered and not exchange.log.outcome:
        exchange.log.outcome = names.OK


async def _run(context: Context, exchange: Exchange, endpoint: Endpoint, weight: int | None) -> None:
    """Answer a request that was let in; waits for all of it, and ends it when its time is up."""
    with context.running.ticket(weight) as ticket:
        exchange.ticket = ticket
        if context.discovery is not None and exchange.path not in OPEN:
            context = await context.informed()
        if failure := await endpoint(context, exchange):
            await exchange.fail(failure)
    if ticket.scope.cancelled_caught:
        exchange.log.hear(redact(ticket.ended_by))
        with trio.move_on_after(FAREWELL):
            await exchange.break_off(ticket.ended_by)


def _method(scope: Scope) -> str:
    """The method as a log may have it: one of those that HTTP knows."""
    method: str = scope["method"]
    return method if method in _METHODS else names.OTHER


async def _live(context: Context, receive: Receive, send: Send) -> None:
    """Agree to start and to stop: what we need is opened and closed around the server, not by it."""
    for phase in ("startup", "shutdown"):
        await receive()
        if phase == "startup":
            context.running.life.phase = Phase.READY
        await send({"type": f"lifespan.{phase}.complete"})


def _called(context: Context, exchange: Exchange) -> tuple[Endpoint, int | None] | Failure:
    """Find what answers a request, and the bytes to reserve for its body; or say why nothing does.

    Without bytes it needs no place among the requests that do work. Nothing is reserved yet.
    """
    path = exchange.path = exchange.path if exchange.path in ROUTES else normal(exchange.path)
    route, methods = _found(path)
    exchange.log.fields["route"] = route
    if foreign := web_pages.foreign_refusal(context.settings, exchange.headers):
        return foreign
    if methods is None:
        return Failure(Kind.NOT_FOUND, not_found(exchange.method, path, ROUTES))
    if exchange.method not in methods:
        return Failure(Kind.METHOD_NOT_ALLOWED, wrong_method(route, methods))
    weight = _weight(context, exchange)
    if path not in _KEYLESS and (refused := _authenticate(context, exchange) or _turn_away(context, path, weight)):
        return refused
    return methods[exchange.method], weight


def _found(path: str) -> tuple[str, dict[str, Endpoint] | None]:
    """Find what answers a path, and the name of the route, which unlike the path may stand in a log."""
    if (methods := ROUTES.get(path)) is not None:
        return path, methods
    return next(
        ((route, found) for route, pattern, found in _THINGS if re.fullmatch(pattern, path)), (names.OTHER, None)
    )


def _weight(context: Context, exchange: Exchange) -> int | None:
    """How many bytes a request needs for its body; none for one that is too large and refused in its own words."""
    if exchange.method != "POST" or exchange.path in _KEYLESS:
        return None
    announced = exchange.announced
    return announced if announced <= context.settings.limits.body_bytes else 0


def _turn_away(context: Context, path: str, weight: int | None) -> Failure | None:
    """Say why a request comes at a bad time.

    While the server ends, the API takes nothing new; what tells about the server itself is still answered.
    """
    ending = context.running.ending() if path.startswith("/v1/") else None
    return ending or (None if weight is None else context.running.full(weight))


def _authenticate(context: Context, exchange: Exchange) -> Failure | None:
    """Check the client's key, in either header, where keys are asked for, and note whose it is."""
    keys = context.settings.client_keys
    if not keys:
        return None
    exchange.key = key_of(keys, exchange.headers)
    if exchange.key is not None:
        exchange.log.fields["client"] = exchange.key.name
        return None
    absent = not presented(exchange.headers)
    return Failure(Kind.AUTHENTICATION, "x-api-key header is required" if absent else "invalid x-api-key")
