"""What a failure of the upstream means for a setup: a sentence, and the line that mends it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import attrs
import httpx

from pipeline.commands.findings import Finding, Verdict, fail, warn
from pipeline.commands.remedies import around_proxy_line, key_line, url_line
from pipeline.settings import Settings
from pipeline.upstream.address import base_url
from pipeline.upstream.proxies import proxy_for
from stages.canonical.failure import Failure, Kind

_MOST_QUOTED = 200  # characters of what an upstream says
_Line = Callable[[Settings], str]


def _words(text: str) -> _Line:
    return lambda _settings: text


@attrs.frozen
class _Row:
    """What is said of a kind of failure, or of a cause: verdict, sentence (empty: the failure's own), advice."""

    verdict: Verdict
    text: str
    line: _Line


def _key(text: str, more: str = "") -> _Row:
    return _Row(Verdict.FAIL, text, lambda settings: more + key_line(settings))


_ADDRESS = _Row(Verdict.FAIL, "", lambda settings: f"correct the address: {url_line(settings)}")
_TLS = _Row(
    Verdict.FAIL,
    "",
    _words("behind a company's proxy: export SSL_CERT_FILE=/path/of/its/certificate.pem; never switch the check off"),
)
_PROXY = _Row(
    Verdict.FAIL, "", lambda settings: f"name a proxy that lets you through, or none: {around_proxy_line(settings)}"
)

_BY_CAUSE: Mapping[str, _Row] = {
    "dns": _Row(
        Verdict.FAIL, "", lambda settings: f"check the network and the DNS; or the address: {url_line(settings)}"
    ),
    "refused": _Row(Verdict.FAIL, "", lambda settings: f"start the server, or correct the port: {url_line(settings)}"),
    "unreachable": _Row(Verdict.FAIL, "", _words("check the network of this machine")),
    "timeout": _Row(Verdict.FAIL, "", _words("check the network, a proxy (HTTPS_PROXY), a firewall")),
    "tls": _Row(Verdict.FAIL, "", lambda settings: f"http:// may be meant: {url_line(settings)}"),
    "tls certificate": _TLS,
    "tls issuer": _TLS,
    "ProxyError": _PROXY,
    "no list": _Row(
        Verdict.FAIL, "what answers there is no list of models", lambda settings: f"is it an API? {url_line(settings)}"
    ),
    "no answer": _Row(Verdict.FAIL, "what answers there is no answer of the Responses API", url_line),
    "KeyCommand": _Row(
        Verdict.FAIL, "", _words("run it by hand: it must print one key on standard output, and nothing else")
    ),
    "KeyFile": _Row(Verdict.FAIL, "", _words("it must hold one key and nothing else, and be readable to this user")),
    "package": _Row(Verdict.FAIL, "", _words("pip install 'dragoman[socks]', or unset ALL_PROXY HTTPS_PROXY")),
}
"""By `Failure.cause`, where that says more than its kind."""

_BY_KIND: Mapping[Kind, _Row] = {
    Kind.AUTHENTICATION: _key("the upstream does not accept the key"),
    Kind.PERMISSION: _key("the upstream forbids it: the key lacks rights, or your country or address is not allowed"),
    Kind.QUOTA: _key("the quota is used up", "pay it up at the provider, or take another key: "),
    Kind.BILLING: _key("the account is not paid for", "pay it up at the provider, or take another key: "),
    Kind.NOT_FOUND: _ADDRESS,
    Kind.MISCONFIGURED: _ADDRESS,
    Kind.RATE_LIMIT: _Row(
        Verdict.WARN, "too many requests for now", _words("wait a moment; the client does by itself")
    ),
    Kind.OVERLOADED: _Row(Verdict.WARN, "the upstream has no capacity for now", _words("wait a moment")),
}

_OTHER = _Row(Verdict.WARN, "", _words("look at the upstream's own status page or log"))


def finding_of(failure: Failure, settings: Settings) -> Finding:
    """Say what a failure means, with its status and the upstream's code, and the line to set."""
    row = _BY_CAUSE.get(failure.cause or "") or _BY_KIND.get(failure.kind, _OTHER)
    unreached = failure.kind in (Kind.UNAVAILABLE, Kind.TIMEOUT) or row in _BY_CAUSE.values()
    text = row.text or _sentence(failure.message)
    text += "" if unreached else _code(failure)
    advice = row.line(settings)
    proxy = proxy_for(httpx.URL(base_url(settings.upstream.url)), os.environ)
    if proxy and unreached and row is not _BY_CAUSE["package"]:
        address = httpx.URL(proxy)
        text += f"; the way leads through the proxy {address.host}:{address.port or ''}".rstrip(":")
        advice = _PROXY.line(settings)
    return (fail if row.verdict is Verdict.FAIL else warn)(text, advice)


def _sentence(message: str) -> str:
    text = message[:_MOST_QUOTED].strip().rstrip(".")
    return text[:1].lower() + text[1:]


def _code(failure: Failure) -> str:
    return f" ({failure.kind.status}{', ' + failure.cause if failure.cause else ''})"
