"""Which proxy, if any, lies between us and a URL: the environment variables, read as httpx reads them.

httpx itself looks only at the process's own environment and keeps the result to itself, so its rules are repeated here;
a test holds the two against each other. Beyond it, a network in `NO_PROXY` (`10.0.0.0/8`) covers its addresses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import httpx


def proxy_for(url: httpx.URL, environment: Mapping[str, str]) -> str | None:
    """Find the proxy's URL for a request to `url`; None means a direct connection.

    The variable of the scheme is stronger than `ALL_PROXY`, lower case stronger than upper case.
    """
    proxy = _variable(environment, f"{url.scheme}_proxy") or _variable(environment, "all_proxy")
    if not proxy or any(_covers(entry.strip(), url) for entry in _variable(environment, "no_proxy").split(",")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(environment: Mapping[str, str], name: str) -> str:
    if name in environment:
        return environment[name]
    if name == "http_proxy" and "REQUEST_METHOD" in environment:
        return ""  # under CGI that is a header of the client's (CVE-2016-5385)
    return environment.get(name.upper(), "")


def _covers(entry: str, url: httpx.URL) -> bool:
    """Whether an entry of `NO_PROXY` means this URL.

    `*` means all; an address or network, `scheme://host` and localhost themselves; `.host` what is below; `host` both.
    """
    if entry in {"", "*"}:
        return entry == "*"
    host = url.host.lower()
    network = _network(entry)
    if network is not None:
        return _within(host, network)
    name = entry.removeprefix("*")
    try:
        pattern = httpx.URL(name if "://" in name else f"all://{name.removeprefix('.')}")
    except httpx.InvalidURL:
        return False
    if pattern.scheme not in {"all", url.scheme} or pattern.port not in {None, url.port}:
        return False
    itself, below = host == pattern.host, host.endswith(f".{pattern.host}")
    if name.startswith("."):
        return below
    return itself or (below and "://" not in name and pattern.host != "localhost")


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def _within(host: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False
