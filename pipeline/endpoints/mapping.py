"""A request that is to be translated: its body, what its head asks, and the header that says what became of it."""

from __future__ import annotations

from typing import Protocol

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange, Headers
from pipeline.endpoints.inlined_files import inlined, may_name_files
from pipeline.endpoints.owners import Owner
from pipeline.endpoints.translation import Question, named_model
from pipeline.telemetry.request_log import RequestLog, loggable
from stages.canonical.failure import Failure
from stages.canonical.request import Caller

MAPPING = b"dragoman-mapping"
"""The header that says what was not simply translated: `fate=field,field;fate=field`."""


async def read_body(context: Context, exchange: Exchange) -> bytes | Failure | None:
    """Wait for the body, the files that it names, and a turn to translate it; None when the client has left."""
    settings = context.settings
    body = await exchange.body(settings.limits.body_bytes, settings.timing.body)
    if isinstance(body, bytes) and may_name_files(context, body):
        body = await inlined(context, Owner.of(settings, exchange.key), body)
        body = (exchange.weigh(len(body)) or body) if isinstance(body, bytes) else body
    if isinstance(body, bytes):
        await context.turns.take()
    return body


def question_of(
    context: Context, exchange: Exchange, ident: str, *, counting: bool = False, stream: bool = False
) -> Question:
    """Say what the head of a request asks of its translation; `stream` says whether its path asks for one."""
    strict = exchange.headers.get("dragoman-mode", context.settings.mode) == "strict"
    learnt = context.lessons.known()
    owner = Owner.of(context.settings, exchange.key) if context.settings.client_keys else None
    return Question(
        caller_of(exchange),
        context.target,
        ident,
        learnt,
        counting=counting,
        strict=strict,
        stream=stream,
        owner=owner,
    )


def caller_of(exchange: Exchange) -> Caller:
    """Read who asks from the headers."""
    betas = exchange.headers.get("anthropic-beta", "").split(",")
    return Caller(
        session=exchange.headers.get("x-claude-code-session-id", ""),
        agent=exchange.headers.get("x-claude-code-agent-id", ""),
        betas=tuple(beta.strip() for beta in betas if beta.strip()),
        version=exchange.headers.get("anthropic-version", ""),
    )


async def note_model(context: Context, log: RequestLog, body: bytes) -> None:
    """Add to a request's line which model it asks for, where none will be asked; waits as its translation does."""
    named = await context.aside.run(len(body), named_model, body)
    if named:
        log.fields["asked_model"] = loggable(named, context.target.models)


class Answering(Protocol):
    """Whatever has the headers of an answer."""

    answer_headers: Headers


def say_mapping(exchange: Answering, summary: str) -> None:
    """Put the mapping header on the answer, instead of one that was there."""
    kept = [header for header in exchange.answer_headers if header[0] != MAPPING]
    exchange.answer_headers = [*kept, (MAPPING, summary.encode("ascii", "replace"))]
