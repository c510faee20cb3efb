"""What a running dragoman says about the models behind the names that a client uses."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import attrs

from pipeline.commands.screen import CommandError

_LARGEST_ANSWER = 2**20
_BEHIND = re.compile(r"\((.+)\)\Z")  # `display_name` is `Sonnet (gpt-6.2-sol)`, and what stands alone is itself

_REFUSED = frozenset({401, 403})
_WRONG_KEY = (
    "the dragoman at {base_url} lets nobody in with {had} key; set one of its client keys:\n"
    "  export ANTHROPIC_AUTH_TOKEN=..."
)


@attrs.frozen
class ToldModel:
    """One model: its name upstream, and the tokens that it takes; None where nobody knows."""

    upstream: str
    window: int | None


def told_models(base_url: str, names: Sequence[str], key: str | None, timeout: float = 5.0) -> dict[str, ToldModel]:
    """Ask `GET /v1/models/{name}` for each name; what cannot be told is left out.

    Args:
        base_url: Where the dragoman listens.
        names: The client's names of models.
        key: One of its client keys, or None when it asks for none.
        timeout: Seconds for each answer; it may be looking at its upstream for the first time.

    Raises:
        CommandError: When it does not take the key.
    """
    parts = urlsplit(base_url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    found: dict[str, ToldModel] = {}
    for name in names:
        connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        try:
            path = f"{parts.path.rstrip('/')}/v1/models/{quote(name, safe='')}"
            connection.request("GET", path, headers={"x-api-key": key} if key else {})
            answer = connection.getresponse()
            if answer.status in _REFUSED:
                raise CommandError(_WRONG_KEY.format(base_url=base_url, had="this" if key else "no"))
            told = _told(json.loads(answer.read(_LARGEST_ANSWER)))
        except (OSError, ValueError, http.client.HTTPException):
            continue
        finally:
            connection.close()
        if told is not None:
            found[name] = told
    return found


def _told(model: object) -> ToldModel | None:
    if not isinstance(model, dict) or not isinstance(model.get("display_name"), str):
        return None
    behind = _BEHIND.search(model["display_name"])
    window = model.get("max_input_tokens")
    return ToldModel(behind[1] if behind else model["display_name"], window if isinstance(window, int) else None)
