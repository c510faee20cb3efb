"""`POST /v1/messages/count_tokens`: exactly, from the upstream where it counts, else by our own count."""

from __future__ import annotations

import attrs

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.messages import question_of, read_body
from pipeline.endpoints.own_count import own_count
from pipeline.endpoints.upstream_count import upstream_count
from stages.canonical.failure import Failure, Kind

_HERE_INSTEAD = frozenset(
    {
        Kind.METHOD_NOT_ALLOWED,
        Kind.NOT_FOUND,
        Kind.INVALID_REQUEST,
        Kind.OVERLOADED,
        Kind.TIMEOUT,
        Kind.UNAVAILABLE,
        Kind.UPSTREAM,
    }
)
# Failures of the upstream's count that our own count stands in for. The others are about keys, payment and limits, and
# the client's to hear.


async def count_tokens(context: Context, exchange: Exchange) -> None:
    """Answer `{"input_tokens": N}`."""
    body = await read_body(context, exchange)
    if body is None:
        return
    question = attrs.evolve(question_of(context, exchange, "msg_count", counting=True), strict=False)
    counted = await upstream_count(context, question, body) if context.target.profile.input_tokens else None
    if isinstance(counted, Failure) and counted.kind in _HERE_INSTEAD:
        counted = None
    if counted is None:
        own = await own_count(context, question, body)
        counted = own if isinstance(own, Failure) else own[0]
    if isinstance(counted, Failure):
        await exchange.fail(counted)
    else:
        await exchange.answer({"input_tokens": counted})
