"""Web pages must not spend a user's key: where none is asked for, only this machine's own names may call.

A page anywhere may send a POST to loopback without asking (`text/plain`), and with a name of its own that it lets
point to loopback it could read the answer too (DNS rebinding). Browsers tell on both: `Origin` names the page, `Host`
the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from pipeline.settings import Settings, is_loopback
from stages.canonical.failure import Failure, Kind

_HOST = Failure(
    Kind.PERMISSION,
    "This server answers only under its own names, because it asks for no key; name others in the setting `hosts`, "
    "or set client_keys",
)
_ORIGIN = Failure(
    Kind.PERMISSION,
    "Web pages of other origins may not call this server, because it asks for no key; name their hosts in the setting "
    "`hosts`, or set client_keys",
)


def foreign_refusal(settings: Settings, headers: Mapping[str, str]) -> Failure | None:
    """Return why a request may come from a foreign web page, or None if it cannot.

    Args:
        settings: with client keys, nothing is looked at.
        headers: the request's; names in lower case. A client without `Host` is no browser.
    """
    if settings.client_keys:
        return None
    host, origin = headers.get("host"), headers.get("origin")
    if host and not _own(_name("//" + host), settings):
        return _HOST
    if origin is not None and not _own(_name(origin), settings):
        return _ORIGIN
    return None


def _name(url: str) -> str:
    """Return the host of a URL, lower case; empty when there is none, as in `null`."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _own(name: str, settings: Settings) -> bool:
    return is_loopback(name) or (bool(name) and name in (settings.host.strip("[]").lower(), *settings.hosts))
