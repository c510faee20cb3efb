"""`POST /v1/messages/count_tokens`: exactly, from the upstream where it counts, else by our own count."""

from __future__ import annotations

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.messages import caller_of, read_request
from pipeline.endpoints.upstream_count import upstream_count
from stages.canonical.failure import Failure, Kind
from stages.mapper import map_request

_HERE_INSTEAD = {
    Kind.NOT_FOUND,
    Kind.METHOD_NOT_ALLOWED,
    Kind.UNAVAILABLE,
    Kind.UPSTREAM,
    Kind.TIMEOUT,
    Kind.OVERLOADED,
}
_HERE_INSTEAD |= {Kind.INVALID_REQUEST}


async def count_tokens(context: Context, exchange: Exchange) -> None:
    """Answer `{"input_tokens": N}`."""
    request = await read_request(context, exchange, counting=True)
    if request is None:
        return
    counted = None
    if context.target.profile.input_tokens:
        mapped = map_request(request, caller_of(exchange), context.target, message_id="msg_count")
        counted = await upstream_count(context, mapped)
    if isinstance(counted, Failure) and counted.kind not in _HERE_INSTEAD:
        await exchange.fail(counted)
        return
    tokens = counted if isinstance(counted, int) else await context.count(request)
    await exchange.answer({"input_tokens": tokens})
