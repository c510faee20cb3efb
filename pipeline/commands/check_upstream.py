"""Checks of the upstream: is there a key, does somebody answer, does he know the models."""

from __future__ import annotations

import difflib
import socket
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs
import httpx

from pipeline.commands.client_environment import OPENAI_HOST
from pipeline.commands.findings import Finding, fail, ok, warn
from pipeline.settings import EMULATOR, is_loopback
from stages.tables.model_registry import ModelRegistry
from stages.tables.models import FAMILIES
from stages.wire import json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings

_STATUSES: Mapping[int, Finding] = {
    401: fail("the upstream does not accept the key (401)", "is the key whole, still valid, of this provider?"),
    403: fail("the upstream forbids it (403)", "the key may lack rights, or your country or address is not allowed"),
    404: warn(
        "somebody answers, but has no list of models there (404)",
        "does the URL end as the API does, often in /v1? Some servers have no such list; then this is harmless",
    ),
    429: warn("the upstream refuses for now (429)", "the quota is used up or the rate exceeded; look at the account"),
}

_TROUBLES: tuple[tuple[type[BaseException], str, str], ...] = (
    (socket.gaierror, "the name of the upstream cannot be resolved", "check the URL for typing mistakes, and the DNS"),
    (ConnectionRefusedError, "nobody listens there (connection refused)", "start the server, or correct the port"),
    (
        ssl.SSLCertVerificationError,
        "the upstream's certificate cannot be trusted",
        "behind a company's proxy, name its certificate in SSL_CERT_FILE; never switch the check off",
    ),
    (ssl.SSLError, "TLS fails: the upstream may not speak it on that port", "try http:// if the server is your own"),
    (httpx.TimeoutException, "the upstream does not answer in time", "check the network, a proxy, a firewall"),
)
"""Exceptions to sentences; the first that is found in the chain of causes speaks."""


@attrs.frozen
class Reply:
    """What `GET /models` brought: a status and model names, or the exception that came instead."""

    status: int = 0
    models: tuple[str, ...] = ()
    trouble: httpx.TransportError | None = None


def ask_models(settings: Settings, transport: httpx.BaseTransport | None = None) -> Reply:
    """Ask the upstream for its models, if it is one to ask; `transport` stands in for the network."""
    upstream = settings.upstream
    if upstream.url == EMULATOR:
        return Reply()
    headers = {"authorization": f"Bearer {upstream.api_key.reveal()}"} if upstream.api_key else {}
    try:
        with httpx.Client(timeout=settings.timing.connect, transport=transport) as client:
            answer = client.get(upstream.url + "/models", headers=headers)
    except httpx.TransportError as trouble:
        return Reply(trouble=trouble)
    return Reply(answer.status_code, tuple(_names(answer.content)))


def _names(body: bytes) -> Iterator[str]:
    try:
        document = json.decode(body)
    except ValueError:
        return
    data = document.get("data") if isinstance(document, dict) else None
    for model in data if isinstance(data, list) else ():
        if isinstance(model, dict) and isinstance(model.get("id"), str):
            yield model["id"]


def key(settings: Settings) -> Finding:
    """Is there a key, where one is needed, and does it travel safely?"""
    upstream = settings.upstream
    if upstream.url == EMULATOR:
        return warn("none needed: answers come from the built-in emulator, not from a model", "set OPENAI_API_KEY")
    parts = urlsplit(upstream.url)
    if upstream.api_key is None:
        if parts.hostname == OPENAI_HOST:
            return fail("there is none, and OpenAI asks for one", "set OPENAI_API_KEY")
        return ok("none is set; servers of your own often need none")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return warn("it is set, but travels unencrypted to another machine", "use https:// in the upstream's URL")
    return ok("it is set")


def reachable(settings: Settings, reply: Reply) -> Finding:
    """Does the upstream answer `GET /models` with the key?"""
    if settings.upstream.url == EMULATOR:
        return ok("the built-in emulator is always there")
    if reply.trouble is not None:
        return _explained(reply.trouble)
    if reply.status == httpx.codes.OK:
        return ok(f"{settings.upstream.url} answers and knows {len(reply.models)} models")
    unknown = warn(f"the upstream answers with status {reply.status}", "look at the upstream's own status page or log")
    return _STATUSES.get(reply.status, unknown)


def models(settings: Settings, reply: Reply) -> Finding:
    """Does the upstream know the models that it would be asked for?"""
    registry = ModelRegistry.of(settings.models)
    wanted = sorted({*{**FAMILIES, **registry.names}.values()})
    if not reply.models:
        return ok("could not be compared: there is no list of the upstream's")
    missing = [name for name in wanted if name not in reply.models]
    if not missing:
        return ok(f"the upstream knows all that would be asked for: {', '.join(wanted)}")
    close = {name: difflib.get_close_matches(name, reply.models, n=1) for name in missing}
    advice = "; ".join(f"instead of {name}, did you mean {near[0]}?" for name, near in close.items() if near)
    other = "name models that it has in the table [models] of the settings"
    return fail(f"unknown to the upstream: {', '.join(missing)}", advice or other)


def _explained(trouble: BaseException) -> Finding:
    chain = list(_causes(trouble))
    for kind, text, advice in _TROUBLES:
        if any(isinstance(each, kind) for each in chain):
            return fail(text, advice)
    return fail(f"the upstream cannot be reached ({type(trouble).__name__})", "check the URL and the network")


def _causes(exception: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = exception
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
