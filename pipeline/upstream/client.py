"""The upstream as the rest of the program sees it: a body goes out, chunks or a `Failure` come back.

Requests go straight to the transport: what `httpx.AsyncClient` would add (redirects, cookies, auth flows, hooks) is not
wanted here, and costs more than the translation.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Protocol

import attrs
import httpx
import trio

from pipeline.settings import Secret, Timing
from pipeline.upstream.carried import OWN_HEADERS, Carried, CarriedHeaders
from pipeline.upstream.causes import cause_of
from pipeline.upstream.credentials import FetchedKey
from pipeline.upstream.response import UpstreamResponse, failure_of_fault
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.tables.error_shapes import parsed
from stages.tables.errors import failure_of
from stages.tables.headers import rate_limits, retry_after

RETRIED_STATUSES = {502, 503, 504}
"""What a gateway in front of the upstream says; with a JSON body it is the API's word, and the client's to retry."""

FIRST_PAUSE = 0.25
"""Seconds before the first new attempt, doubled for each further one, with jitter."""

MOST_FOUND = 4 * 2**20
"""Bytes of an answer to `get`: a router's list of models has half a megabyte."""

_ERROR_BYTES = 2**20
# What is read of an error, so that a connection may be used again; what is looked at is less (`error_shapes`).


def fingerprint(url: str, key: Secret | None) -> str:
    """Name an upstream account without telling its key: what sealed reasoning is bound to."""
    secret = key.reveal() if key else ""
    return hashlib.sha256(f"{url}\n{secret}".encode()).hexdigest()[:12]


class Attempts(Protocol):
    """Hears of each attempt at a request."""

    def ask(self) -> CarriedHeaders:
        """Take note that the upstream is asked; return headers that go with the question besides ours."""
        ...

    def answered(self, status: int | None, cause: str = "") -> None:
        """Take note of the upstream's status, or in a word of ours why no answer came."""
        ...


_address = cache(httpx.URL)
# Parsing a URL costs more than framing a request, and there are two.


def _may_pass(error: Exception) -> bool:
    """Whether a connection that was not made may be made in a moment.

    One that broke later is none of these: the model may be at work, and another attempt would be paid for as well.
    """
    cause = cause_of(error)
    return isinstance(error, httpx.ConnectError) and not (cause is not None and cause.lasting)


@attrs.frozen
class UpstreamClient:
    """Sends requests to one upstream.

    Attributes:
        url: base URL, without a slash at its end.
        key: what goes out as bearer token, or where that comes from.
        transport: the connection pool, or the emulator.
        timing: deadlines, in seconds.
        retries: new attempts after a failure that came before any byte.
        carried: what else every request carries.
    """

    url: str
    key: Secret | FetchedKey | None
    transport: httpx.AsyncBaseTransport
    timing: Timing
    retries: int = 2
    carried: Carried = attrs.field(factory=Carried)
    _headers: CarriedHeaders = attrs.field(init=False, repr=False)  # the key is in there
    _prepared: httpx.Headers = attrs.field(init=False, repr=False)  # the same as httpx has them, and the host

    def __attrs_post_init__(self) -> None:
        """Prepare the headers that every request carries; a key that a command prints comes later."""
        key = None if isinstance(self.key, FetchedKey) else self.key
        object.__setattr__(self, "_headers", self.carried.with_key(OWN_HEADERS, key))
        object.__setattr__(self, "_prepared", self._with_host(self._headers))

    async def post(
        self,
        path: str,
        body: bytes,
        plan: AnswerPlan | None = None,
        *,
        first_byte_timeout: float | None = None,
        retries: int | None = None,
        attempts: Attempts | None = None,
    ) -> UpstreamResponse | Failure:
        """Send one request, again if it failed before anything came back.

        Waits for the head of the answer, and between attempts. Cancelled, the connection is closed; the upstream may
        have begun all the same.

        Args:
            path: what follows the base URL.
            body: JSON.
            plan: the request's plan, for the numbers in an error's sentence.
            first_byte_timeout: seconds until the head must have come; None is `timing.first_byte`, which suits streams
                alone.
            retries: new attempts at most; None is the client's own number.
            attempts: hears of each attempt.
        """
        first_byte_timeout = self.timing.first_byte if first_byte_timeout is None else first_byte_timeout
        attempt = partial(self._attempt, path, body, plan, first_byte_timeout, attempts)
        outcome = await attempt()
        if isinstance(outcome, _Unaccepted):  # the command may know a better key by now; nothing was answered yet
            outcome = await attempt()
        for time in range(self.retries if retries is None else retries):
            if not isinstance(outcome, _Transient):
                break
            await trio.sleep(FIRST_PAUSE * 2**time * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            outcome = await attempt()
        return outcome.failure if isinstance(outcome, _Transient | _Unaccepted) else outcome

    async def get(self, url: str, seconds: float) -> tuple[int, Mapping[str, str], bytes] | Failure:
        """Ask for something small beside the API: status, headers and body, as far as the body is not too long.

        Args:
            url: the whole address, without the query that all requests have.
            seconds: how long all of it may take.
        """
        authorized = await self._authorized()
        if isinstance(authorized, Failure):
            return authorized
        headers, _ = authorized
        request = httpx.Request("GET", url + self.carried.query, headers=headers)
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write"), seconds)
        try:
            with trio.fail_after(seconds):
                async with UpstreamResponse(await self.transport.handle_async_request(request)) as answer:
                    body = await answer.read(MOST_FOUND)
                    return body if isinstance(body, Failure) else (answer.status, answer.headers, body)
        except httpx.HTTPError as error:
            return failure_of_fault(error)
        except trio.TooSlowError:
            return failure_of_fault(httpx.ReadTimeout(""))

    async def call(
        self,
        method: str,
        path: str,
        content: httpx.AsyncByteStream | bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> UpstreamResponse | Failure:
        """Make one call about something that the upstream keeps, once; waits for the answer's head.

        Args:
            method: the HTTP method.
            path: what follows the base URL, with its own query.
            content: the request's body; a stream brings its length in `headers`.
            headers: more headers, names in lower case; they replace ours.
        """
        authorized = await self._authorized()
        if isinstance(authorized, Failure):
            return authorized
        ours, key = authorized
        more = headers or {}
        sent = [one for one in ours if one[0] != b"content-type" and one[0].decode() not in more]
        query = self.carried.query.replace("?", "&", 1) if "?" in path else self.carried.query
        request = httpx.Request(
            method,
            httpx.URL(self.url + path + query),
            headers=[*sent, *((name.encode(), value.encode()) for name, value in more.items())],
            content=content,
        )
        timing = self.timing
        request.extensions["timeout"] = {"connect": timing.connect, "read": timing.first_byte, "write": timing.silence}
        try:
            response = await self.transport.handle_async_request(request)
        except httpx.HTTPError as error:
            return failure_of_fault(error)
        if response.is_success:
            return UpstreamResponse(response)
        if response.status_code == httpx.codes.UNAUTHORIZED and isinstance(self.key, FetchedKey) and key is not None:
            self.key.forget(key)
        async with UpstreamResponse(response) as answer:
            return await _read_error(response.status_code, answer, None, timing.error_body)

    async def _authorized(self) -> tuple[CarriedHeaders, Secret | None] | Failure:
        """The headers of a request, and the key in them if a command printed it; waits for that command alone."""
        if not isinstance(self.key, FetchedKey):
            return self._headers, None
        key = await self.key.key()
        return key if isinstance(key, Failure) else (self.carried.with_key(OWN_HEADERS, key), key)

    def _question(self, path: str, headers: CarriedHeaders, body: bytes) -> httpx.Request:
        """Prepare a request by hand: httpx's own, of headers that are always the same, costs four times it."""
        prepared = self._prepared if headers is self._headers else self._with_host(headers)
        address = _address(self.url + path + self.carried.query)
        request = httpx.Request("POST", address, headers=prepared, stream=httpx.ByteStream(body))
        request.headers["content-length"] = str(len(body))
        return request

    def _with_host(self, headers: CarriedHeaders) -> httpx.Headers:
        told = any(name == b"host" for name, _ in headers)
        return httpx.Headers([*headers] if told else [(b"host", _address(self.url).netloc), *headers])

    async def _attempt(
        self, path: str, body: bytes, plan: AnswerPlan | None, first_byte_timeout: float, attempts: Attempts | None
    ) -> UpstreamResponse | Failure | _Transient | _Unaccepted:
        authorized = await self._authorized()
        if isinstance(authorized, Failure):
            return authorized
        headers, key = authorized
        request = self._question(path, headers, body)
        if attempts is not None:
            request.headers.update(attempts.ask())
        timing = self.timing
        request.extensions["timeout"] = {"connect": timing.connect, "read": first_byte_timeout, "write": timing.silence}
        try:
            response = await self.transport.handle_async_request(request)
        except httpx.HTTPError as error:
            failure = failure_of_fault(error)
            if attempts is not None:
                attempts.answered(None, failure.cause or "")
            return _Transient(failure) if _may_pass(error) else failure
        if attempts is not None:
            attempts.answered(response.status_code)
        if response.is_success:
            return UpstreamResponse(response)
        async with UpstreamResponse(response) as answer:
            failure = await _read_error(response.status_code, answer, plan, timing.error_body)
        if response.status_code == httpx.codes.UNAUTHORIZED and isinstance(self.key, FetchedKey) and key is not None:
            self.key.forget(key)
            return _Unaccepted(failure)
        is_json = "json" in response.headers.get("content-type", "")
        return _Transient(failure) if response.status_code in RETRIED_STATUSES and not is_json else failure


@attrs.frozen
class _Transient:
    """A failure that came before any byte, so that another attempt repeats nothing."""

    failure: Failure


@attrs.frozen
class _Unaccepted:
    """The upstream did not take a key that a command had printed."""

    failure: Failure


async def _read_error(status: int, answer: UpstreamResponse, plan: AnswerPlan | None, deadline: float) -> Failure:
    """Read what the upstream says of an error, for so many seconds; what has come by then counts."""
    body = bytearray()
    with trio.move_on_after(deadline):
        async for chunk in answer:
            if isinstance(chunk, Failure) or len(body) > _ERROR_BYTES:
                break
            body += chunk
    now = datetime.now(UTC)
    error = parsed(bytes(body))
    wait = retry_after(answer.headers, now, limited=status == httpx.codes.TOO_MANY_REQUESTS)
    failure = failure_of(error, status=status, retry_after=wait, plan=plan)
    return attrs.evolve(failure, rate_limits=tuple(rate_limits(answer.headers, now)))
