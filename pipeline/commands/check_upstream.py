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
import trio

from pipeline.commands.client_environment import OPENAI_HOST
from pipeline.commands.findings import Finding, fail, ok, warn
from pipeline.settings import EMULATOR, is_loopback
from pipeline.upstream.address import base_url
from pipeline.upstream.carried import Carried
from pipeline.upstream.credentials import KeyCommand
from stages.canonical.failure import Failure
from stages.tables.model_registry import ModelRegistry
from stages.tables.models import FAMILIES
from stages.tables.profiles import PROFILES, guess, known_host
from stages.wire import json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Secret, Settings

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
    profile = PROFILES.get(upstream.profile) or guess(upstream.url)
    carried = Carried.of(upstream.headers, upstream.query, profile.key_header)
    key = upstream.api_key or _printed_key(settings)
    headers = carried.with_key([], None if isinstance(key, Failure) else key)
    try:
        with httpx.Client(timeout=settings.timing.connect, transport=transport) as client:
            answer = client.get(base_url(upstream.url) + "/models" + carried.query, headers=list(headers))
    except httpx.TransportError as trouble:
        return Reply(trouble=trouble)
    return Reply(answer.status_code, tuple(_names(answer.content)))


def _printed_key(settings: Settings) -> Secret | Failure | None:
    """Run the command that prints the key, if there is one."""
    upstream = settings.upstream
    if not upstream.key_command:
        return None
    return trio.run(KeyCommand(upstream.key_command, upstream.key_lifetime).key)


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
    if upstream.key_command:
        return _key_by_command(settings)
    if upstream.api_key is None:
        if parts.hostname == OPENAI_HOST:
            return fail("there is none, and OpenAI asks for one", "set OPENAI_API_KEY")
        return ok("none is set; servers of your own often need none")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return warn("it is set, but travels unencrypted to another machine", "use https:// in the upstream's URL")
    return ok("it is set")


def _key_by_command(settings: Settings) -> Finding:
    printed = _printed_key(settings)
    if isinstance(printed, Failure):
        return fail(printed.message, "run it by hand: it must print one key on standard output, and nothing else")
    return ok("the command of upstream.key_command prints one")


def reachable(settings: Settings, reply: Reply) -> Finding:
    """Does the upstream answer `GET /models` with the key?"""
    if settings.upstream.url == EMULATOR:
        return ok("the built-in emulator is always there")
    if reply.trouble is not None:
        return _explained(reply.trouble)
    if reply.status == httpx.codes.OK:
        url = base_url(settings.upstream.url)
        mended = "" if url == settings.upstream.url else f", which is what {settings.upstream.url} was taken for,"
        return ok(f"{url}{mended} answers and knows {len(reply.models)} models")
    unknown = warn(f"the upstream answers with status {reply.status}", "look at the upstream's own status page or log")
    return _STATUSES.get(reply.status, unknown)


def server(settings: Settings, reply: Reply) -> Finding:
    """What is the upstream taken for, by whom, and what does it not take?"""
    if reply.trouble is not None:
        return warn("could not be looked at, since nobody answers")
    from pipeline.service import target_now

    target = target_now(settings, settings.timing.connect)
    profile, chosen = target.profile, settings.upstream.profile
    by = "as set" if chosen else "by its address" if known_host(settings.upstream.url) else "by a look at it"
    fields = [field for field in attrs.fields(type(profile)) if isinstance(field.default, bool) and field.default]
    lacking = [field.name for field in fields if not getattr(profile, field.name)]
    without = f", without {', '.join(lacking)}" if lacking else ", which takes everything"
    window = target.models.smallest_window()
    holds = f"; its window is {window} tokens" if window else ""
    return ok(f"taken for {profile.name} {by}{without}{holds}")


def models(settings: Settings, reply: Reply) -> Finding:
    """Does the upstream know the models that it would be asked for?"""
    registry = attrs.evolve(ModelRegistry.of(settings.models), served=dict.fromkeys(reply.models))
    wanted = sorted({*registry.names.values(), *(registry.upstream_model(f"claude-{word}") for word in FAMILIES)})
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
