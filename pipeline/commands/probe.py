"""Who answers at an address: a dragoman, somebody else, or nobody."""

from __future__ import annotations

import enum
import http.client
import json
from urllib.parse import urlsplit

_SERVICE = "dragoman"
_LARGEST_ANSWER = 64 * 2**10  # bytes; whoever sends more to GET /healthz is not one of us


class Answerer(enum.Enum):
    """Who answers."""

    DRAGOMAN = enum.auto()
    SOMEBODY_ELSE = enum.auto()
    NOBODY = enum.auto()


def who_answers(base_url: str, timeout: float = 5.0) -> Answerer:
    """Ask `GET /healthz` of a server; `timeout` is in seconds.

    http.client and not httpx: this is asked before anything else is loaded, and takes a tenth of the time.
    """
    parts = urlsplit(base_url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.connect()
    except OSError:
        return Answerer.NOBODY
    try:
        connection.request("GET", parts.path.rstrip("/") + "/healthz")
        answer = json.loads(connection.getresponse().read(_LARGEST_ANSWER))
    except (OSError, ValueError, http.client.HTTPException):
        return Answerer.SOMEBODY_ELSE
    finally:
        connection.close()
    ours = isinstance(answer, dict) and answer.get("service") == _SERVICE
    return Answerer.DRAGOMAN if ours else Answerer.SOMEBODY_ELSE
