"""Proxies by environment, held against httpx itself; and the choice of a transport."""

from __future__ import annotations

import importlib.util
import ssl
from typing import Any

import httpx
import pytest

from pipeline.upstream.http1.transport import HttptoolsTransport, choose_transport
from pipeline.upstream.proxies import proxy_for

HTTPS = {"HTTPS_PROXY": "http://proxy.example:3128"}

SAME_AS_HTTPX: list[tuple[str, dict[str, str]]] = [
    ("https://api.openai.com/v1", {}),
    ("https://api.openai.com/v1", HTTPS),
    ("http://api.openai.com/v1", HTTPS),
    ("http://api.openai.com/v1", {"HTTP_PROXY": "proxy.example:3128"}),
    ("http://api.openai.com/v1", {"HTTP_PROXY": "http://upper", "http_proxy": "http://lower"}),
    ("http://api.openai.com/v1", {"HTTP_PROXY": "http://upper", "http_proxy": ""}),
    ("http://api.openai.com/v1", {"HTTP_PROXY": "http://p", "REQUEST_METHOD": "GET"}),
    ("https://api.openai.com/v1", {"ALL_PROXY": "http://all.example"}),
    ("https://api.openai.com/v1", {"ALL_PROXY": "http://all.example", **HTTPS}),
    ("https://api.openai.com/v1", {"NO_PROXY": "*", **HTTPS}),
    ("https://api.openai.com/v1", {"NO_PROXY": "api.openai.com", **HTTPS}),
    ("https://api.openai.com/v1", {"NO_PROXY": "API.OpenAI.com", **HTTPS}),
    ("https://api.openai.com/v1", {"NO_PROXY": "other.example, openai.com", **HTTPS}),
    ("https://openai.com/v1", {"NO_PROXY": ".openai.com", **HTTPS}),
    ("https://api.openai.com/v1", {"NO_PROXY": ".openai.com", **HTTPS}),
    ("https://notopenai.com/v1", {"NO_PROXY": "openai.com", **HTTPS}),
    ("https://api.openai.com:8443/v1", {"NO_PROXY": "api.openai.com:8443", **HTTPS}),
    ("https://api.openai.com/v1", {"NO_PROXY": "api.openai.com:8443", **HTTPS}),
    ("https://api.openai.com/v1", {"NO_PROXY": "https://api.openai.com", **HTTPS}),
    ("https://api.openai.com/v1", {"NO_PROXY": "http://api.openai.com", **HTTPS}),
    ("https://api.openai.com/v1", {"NO_PROXY": "https://openai.com", **HTTPS}),
    ("https://localhost/v1", {"NO_PROXY": "localhost", **HTTPS}),
    ("https://a.localhost/v1", {"NO_PROXY": "localhost", **HTTPS}),
    ("https://127.0.0.1/v1", {"NO_PROXY": "127.0.0.1", **HTTPS}),
    ("https://127.0.0.2/v1", {"NO_PROXY": "127.0.0.1,::1", **HTTPS}),
    ("https://[::1]/v1", {"NO_PROXY": "127.0.0.1,::1", **HTTPS}),
]


@pytest.mark.parametrize(("url", "environment"), SAME_AS_HTTPX)
async def test_as_httpx_does(url: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy where httpx takes one, and none where it takes none."""
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with httpx.AsyncClient() as client:
        chosen: Any = client._transport_for_url(httpx.URL(url))
        pool = chosen._pool
        theirs = getattr(pool, "_proxy_url", None)

    ours = proxy_for(httpx.URL(url), environment)

    assert (ours is None) == (theirs is None)
    if ours is not None and theirs is not None:
        assert httpx.URL(ours).host.encode() == theirs.host


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("https://10.1.2.3", True),
        ("https://11.1.2.3", False),
        ("https://ten.example", False),
        ("https://[fd00::1]", True),
    ],
)
def test_a_network_covers_its_addresses(url: str, covered: bool) -> None:
    """What httpx does not know: a network in `NO_PROXY`."""
    environment = {"NO_PROXY": "10.0.0.0/8,fd00::/8", **HTTPS}

    assert (proxy_for(httpx.URL(url), environment) is None) == covered


def test_an_entry_that_means_nothing_covers_nothing() -> None:
    """A slip in `NO_PROXY` neither stops the program nor goes around the proxy."""
    assert proxy_for(httpx.URL("https://a.example"), {"NO_PROXY": "a:b:c", **HTTPS}) == HTTPS["HTTPS_PROXY"]


@pytest.mark.parametrize(
    ("http2", "environment", "kind"),
    [
        (False, {}, HttptoolsTransport),
        (False, {"HTTP_PROXY": "http://p"}, HttptoolsTransport),
        (False, HTTPS, httpx.AsyncHTTPTransport),
        (False, {"NO_PROXY": "api.openai.com", **HTTPS}, HttptoolsTransport),
        (True, {}, httpx.AsyncHTTPTransport),
    ],
)
async def test_the_choice(
    http2: bool, environment: dict[str, str], kind: type[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours, unless HTTP/2 is asked for or a proxy is in the way."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())
    if http2:
        pytest.importorskip("h2")

    chosen = choose_transport("https://api.openai.com/v1", http2=http2, environment=environment)

    assert isinstance(chosen, kind)
    await chosen.aclose()


async def test_the_choice_keeps_the_context() -> None:
    """How the upstream is verified does not depend on the transport."""
    context = ssl.create_default_context()

    ours: Any = choose_transport("https://a.example", http2=False, environment={}, ssl_context=context)
    stock: Any = choose_transport("https://a.example", http2=False, environment=HTTPS, ssl_context=context)

    assert ours._tls() is context
    assert stock._pool._ssl_context is context


def test_http2_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clear error at start, not one in the first request."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(ImportError, match="h2"):
        choose_transport("https://api.openai.com/v1", http2=True, environment={})
