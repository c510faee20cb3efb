"""An upstream that refuses the first requests, and then answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import httpx
import trio

from stages.wire import json


@attrs.frozen
class Refusal:
    """What a request is refused with: an error of OpenAI's."""

    status: int
    message: str
    code: str
    headers: Mapping[str, str] = attrs.field(factory=dict)


OVERLOADED = Refusal(503, "Our servers are currently overloaded. Please try again later.", "server_is_overloaded")
"""Too many others are asking."""


@attrs.define(eq=False)
class Refusing(httpx.AsyncBaseTransport):
    """Refuses some requests for a response, and lets another transport answer the rest.

    Attributes:
        inner: answers.
        refusals: are spent one after another.
        model: the beginning of the names of models that are refused; others are always answered.
        times: when it was asked for a response, in seconds.
    """

    inner: httpx.AsyncBaseTransport
    refusals: list[Refusal]
    model: str = ""
    times: list[float] = attrs.field(factory=list, init=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse, or hand on."""
        body = await request.aread()
        if not request.url.path.endswith("/responses"):
            return await self.inner.handle_async_request(request)
        self.times.append(trio.current_time())
        if not self.refusals or not json.decode(body)["model"].startswith(self.model):
            return await self.inner.handle_async_request(request)
        refusal = self.refusals.pop(0)
        error = {"message": refusal.message, "type": "error", "param": None, "code": refusal.code}
        return httpx.Response(refusal.status, headers=refusal.headers, json={"error": error})


@attrs.frozen
class Strict(httpx.AsyncBaseTransport):
    """Refuses what a request says, and lets another transport answer the rest.

    Attributes:
        inner: answers.
        error: gives the error for a request's body; None where it is taken.
    """

    inner: httpx.AsyncBaseTransport
    error: Callable[[dict[str, Any]], dict[str, Any] | None]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse with 400, or hand on."""
        body = await request.aread()
        error = self.error(json.decode(body)) if request.url.path.endswith("/responses") else None
        if error is None:
            return await self.inner.handle_async_request(request)
        return httpx.Response(400, json=error)
