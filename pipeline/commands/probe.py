"""Who answers at an address: a dragoman, and whose, somebody else, or nobody."""

from __future__ import annotations

import enum
import hmac
import http.client
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from pipeline.settings.ownership import new_challenge, own_secret, proof

if TYPE_CHECKING:
    from pipeline.settings import Settings

_SERVICE = "dragoman"
_LARGEST_ANSWER = 64 * 2**10  # bytes; whoever sends more to GET /healthz is not one of us


class Answerer(enum.Enum):
    """Who answers."""

    DRAGOMAN = enum.auto()
    SOMEBODY_ELSE = enum.auto()
    NOBODY = enum.auto()


@attrs.frozen
class ProbeResult:
    """What was found at an address.

    Attributes:
        answerer: who answers.
        upstream: what a dragoman says stands behind it, a host or `emulator`; believe it if it is `own`.
        own: whether it has proved that it belongs to this user.
        same: whether it has proved that it was set as we are.
        why: in the system's words, why nobody answers.
    """

    answerer: Answerer
    upstream: str = ""
    own: bool = False
    same: bool = False
    why: str = ""


def who_answers(base_url: str, timeout: float = 5.0) -> Answerer:
    """Ask `GET /healthz` of a server; `timeout` is in seconds."""
    return look(base_url, timeout).answerer


def look(base_url: str, timeout: float = 5.0, settings: Settings | None = None) -> ProbeResult:
    """Ask `GET /healthz` of a server, and challenge it to prove that it is this user's.

    http.client and not httpx: this is asked before anything else is loaded, and takes a tenth of the time.

    Args:
        base_url: Where somebody may listen.
        timeout: Seconds to wait for each read.
        settings: What it should be set to; without, it need not prove that.
    """
    parts = urlsplit(base_url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.connect()
    except OSError as error:
        return ProbeResult(Answerer.NOBODY, why=getattr(error, "verify_message", None) or error.strerror or str(error))
    challenge = new_challenge()
    try:
        address = connection.sock.getpeername()[:2]
        connection.request("GET", f"{parts.path.rstrip('/')}/healthz?challenge={challenge}")
        answer = json.loads(connection.getresponse().read(_LARGEST_ANSWER))
    except (OSError, ValueError, http.client.HTTPException):
        return ProbeResult(Answerer.SOMEBODY_ELSE)
    finally:
        connection.close()
    if not isinstance(answer, dict) or answer.get("service") != _SERVICE:
        return ProbeResult(Answerer.SOMEBODY_ELSE)
    secret = own_secret(os.environ)
    own = secret is not None and _equal(answer, "user_proof", proof(secret, challenge, address))
    same = own and secret is not None and settings is not None
    if same and secret is not None:
        same = _equal(answer, "settings_proof", proof(secret, challenge, address, settings))
    return ProbeResult(Answerer.DRAGOMAN, str(answer.get("upstream", "")), own, same)


def _equal(answer: Mapping[str, object], name: str, expected: str | None) -> bool:
    told = answer.get(name)
    return isinstance(told, str) and told.isascii() and expected is not None and hmac.compare_digest(told, expected)
