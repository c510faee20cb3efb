"""`GET /v1/models` and `/v1/models/{id}` over HTTP; what they say is decided in `models.py`."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

from pipeline.endpoints import models
from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from stages.canonical.failure import Failure


async def list_models(context: Context, exchange: Exchange) -> None:
    """Answer one page of the catalogue."""
    page = models.page(parse_qs(exchange.query.decode("latin-1")), context.target.models)
    await (exchange.fail(page) if isinstance(page, Failure) else exchange.answer(page))


async def get_model(context: Context, exchange: Exchange) -> None:
    """Answer with one model."""
    ident = unquote(exchange.path.removeprefix("/v1/models/"))
    found = models.one(ident, context.target.models)
    await (exchange.fail(found) if isinstance(found, Failure) else exchange.answer(found))
