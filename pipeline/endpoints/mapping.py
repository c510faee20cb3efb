"""A request as it goes upstream, and the header that says what became of it."""

from __future__ import annotations

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from stages.canonical.failure import Failure, Kind
from stages.canonical.request import Caller, Request
from stages.mapper import Mapped, Target, map_request

MAPPING = b"dragoman-mapping"
"""The header that says what was not simply translated: `fate=field,field;fate=field`."""


def caller_of(exchange: Exchange) -> Caller:
    """Read who asks from the headers."""
    betas = exchange.headers.get("anthropic-beta", "").split(",")
    return Caller(
        session=exchange.headers.get("x-claude-code-session-id", ""),
        agent=exchange.headers.get("x-claude-code-agent-id", ""),
        betas=tuple(beta.strip() for beta in betas if beta.strip()),
        version=exchange.headers.get("anthropic-version", ""),
    )


def mapped_for(target: Target, context: Context, exchange: Exchange, request: Request, ident: str) -> Mapped | Failure:
    """Map a request, unless it is nested too deeply, or asks in strict mode for what cannot be done faithfully.

    Args:
        target: where it goes, and what is known of that.
        context: has the mode.
        exchange: says who asks, and may ask for another mode.
        request: what the client asked.
        ident: the id that the answer will have.
    """
    try:
        mapped = map_request(request, caller_of(exchange), target, message_id=ident)
    except RecursionError:
        return Failure(Kind.INVALID_REQUEST, "The request body is nested too deeply")
    if exchange.headers.get("dragoman-mode", context.settings.mode) == "strict":
        note = mapped.report.unfaithful()
        if note is not None:
            return Failure(Kind.INVALID_REQUEST, f"{note.path}: {note.disposition.value}: {note.reason}")
    return mapped


def say_mapping(exchange: Exchange, summary: str) -> None:
    """Put the mapping header on the answer, instead of one that was there."""
    kept = [header for header in exchange.answer_headers if header[0] != MAPPING]
    exchange.answer_headers = [*kept, (MAPPING, summary.encode("ascii", "replace"))]
