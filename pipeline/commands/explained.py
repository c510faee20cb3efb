"""What a failure of the upstream means for a setup: a sentence, and the line that mends it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

import attrs
import httpx

from pipeline.commands.common_reasons import NO_API
from pipeline.commands.findings import Finding, Verdict, fail, warn
from pipeline.commands.remedies import around_proxy_line, key_line, url_line
from pipeline.settings import Settings
from pipeline.upstream.address import base_url
from pipeline.upstream.proxies import proxy_for
from stages.canonical.failure import Failure, Kind

_MOST_QUOTED = 200  # characters of what an upstream says
_PLAIN = "plain http"
_ASKED_PLAINLY = re.compile(r"HTTP request .{0,20}\bHTTPS (?:port|server)\b")  # nginx and Go say so, with a 400
_IN_ITS_WORDS = frozenset({Kind.MISCONFIGURED, Kind.UPSTREAM, Kind.INVALID_REQUEST})
_REGION = "unsupported_country_region_territory"
_OUR_STATUS = frozenset({Kind.MISCONFIGURED, Kind.UPSTREAM, Kind.INTERNAL})  # said to clients, and not by the upstream
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


def _broken(settings: Settings) -> str:
    if settings.upstream.url.startswith("http:"):
        return f"https:// may be meant: {url_line(settings, 'https')}"
    return "look at the server's own log, and at what stands in front of it"


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
    "tls": _Row(Verdict.FAIL, "", lambda settings: f"http:// may be meant: {url_line(settings, 'http')}"),
    "ReadError": _Row(Verdict.FAIL, "", _broken),
    "RemoteProtocolError": _Row(Verdict.FAIL, "", _broken),
    "UnansweredError": _Row(Verdict.FAIL, "", _broken),
    _PLAIN: _Row(Verdict.FAIL, "what answers there speaks HTTPS, and was asked without it", _broken),
    "tls certificate": _TLS,
    "tls issuer": _TLS,
    "ProxyError": _PROXY,
    "no list": _Row(
        Verdict.FAIL, "what answers there is no list of models", lambda settings: f"is it an API? {url_line(settings)}"
    ),
    NO_API: _Row(
        Verdict.FAIL,
        "what answers there lists models, and has no Responses API",
        lambda settings: f"take a version of the server that has /v1/responses, or another: {url_line(settings)}",
    ),
    _REGION: _Row(
        Verdict.FAIL,
        "the upstream does not serve the country or region of this address",
        lambda settings: f"go by a proxy elsewhere (HTTPS_PROXY), or take another provider: {url_line(settings)}",
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
    Kind.PERMISSION: _key("the upstream forbids it: the key lacks rights, or your address is not allowed"),
    Kind.QUOTA: _key("the quota is used up", "pay it up at the provider, or take another key: "),
    Kind.BILLING: _key("the account is not paid for", "pay it up at the provider, or take another key: "),
    Kind.NOT_FOUND: _ADDRESS,
    Kind.MISCONFIGURED: _ADDRESS,
    Kind.RATE_LIMIT: _Row(
        Verdict.WARN, "too many requests for now", _words("wait a moment; the client does by itself")
    ),
    Kind.OVERLOADED: _Row(Verdict.WARN, "the upstream has no capacity for now", _words("wait a moment")),
}

_UNREACHED = frozenset(_BY_CAUSE) - {_REGION}
# Causes that are words of ours for what happened on the way; of the others the upstream has said the code.

_OTHER = _Row(Verdict.WARN, "", _words("look at the upstream's own status page or log"))


def finding_of(failure: Failure, settings: Settings) -> Finding:
    """Say what a failure means, with its status and the upstream's code, and the line to set."""
    row = _BY_CAUSE.get(_cause(failure)) or _BY_KIND.get(failure.kind, _OTHER)
    unreached = failure.kind in (Kind.UNAVAILABLE, Kind.TIMEOUT) or failure.cause in _UNREACHED
    text = row.text or _sentence(failure)
    text += "" if unreached else _code(failure)
    advice = row.line(settings)
    url = httpx.URL(base_url(settings.upstream.url))
    proxy = proxy_for(url, os.environ)
    if proxy and failure.cause != "package" and (unreached or url.scheme == "http"):
        address = httpx.URL(proxy)
        text += f"; the way leads through the proxy {address.host}:{address.port or ''}".rstrip(":")
        advice = _PROXY.line(settings)
    return (fail if row.verdict is Verdict.FAIL else warn)(text, advice)


def _cause(failure: Failure) -> str:
    return _PLAIN if _ASKED_PLAINLY.search(failure.message) else failure.cause or ""


def _sentence(failure: Failure) -> str:
    """What a failure says of itself; where that are the upstream's words, it is said that they are."""
    text = failure.message[:_MOST_QUOTED].strip().rstrip(".")
    text = text[:1].lower() + text[1:]
    quoted = failure.kind in _IN_ITS_WORDS and failure.cause not in _UNREACHED and not text.startswith("the upstream ")
    return f"the upstream says: {text}" if quoted else text


def _code(failure: Failure) -> str:
    """The status and the code that the upstream has said, so far as it has; a word of ours tells nobody anything."""
    status = "" if failure.kind in _OUR_STATUS else str(failure.kind.status)
    said = ", ".join(filter(None, (status, failure.cause)))
    return f" ({said})" if said else ""
