"""`POST /v1/messages/count_tokens`: exactly, from the upstream where it counts, else by our own count."""

from __future__ import annotations

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.mapping import caller_of
from pipeline.endpoints.messages import read_request
from pipeline.endpoints.upstream_count import upstream_count
from stages.canonical.failure import Failure, Kind
from stages.mapper import map_request

_HERE_INSTEAD = frozenset(
    {
        Kind.INVALID_REQUEST,
        Kind.METHOD_NOT_ALLOWED,
        Kind.NOT_FOUND,
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
    request = await read_request(context, exchange, counting=True)
    if request is None:
        return
    counted = None
    if context.target.profile.input_tokens:
        mapped = map_request(request, caller_of(exchange), context.target_for(request), message_id="msg_count")
        counted = await upstream_count(context, mapped)
    if isinstance(counted, Failure) and counted.kind not in _HERE_INSTEAD:
        await exchange.fail(counted)
        return
    tokens = counted if isinstance(counted, int) else await context.count(request)
    await exchange.answer({"input_tokens": tokens})
