"""Paths as clients ask for them, when somebody has put too much or too little into their base URL.

Anthropic's clients add `/v1/messages` to a base URL, some others `/messages`; the base URL itself should have no path,
but people copy what other servers want. What can only mean one route is that route; the rest is refused in words that
name the right one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

_PREFIXES = frozenset({"v1", "anthropic", "api", "claude", "proxy", "openai"})
"""What may stand before the name of a resource, in any order and number, and means nothing more."""

_RESOURCES = {"/messages": ("", "/stream", "/explain", "/count_tokens", "/batches"), "/models": ("",), "/files": ("",)}
"""Resources, and what may follow them; with anything else, a path is about something else."""

_SENTENCE = "messages go to POST /v1/messages, so the base URL of a client is this server's address without a path"

_MEANT = {
    "/v1/complete": "POST /v1/messages, since the API for single texts is no more",
    "/chat/completions": "POST /v1/messages, in Anthropic's form: OpenAI's is what stands behind this server",
    "/responses": "POST /v1/messages, in Anthropic's form: OpenAI's is what stands behind this server",
    "/completions": "POST /v1/messages, in Anthropic's form: OpenAI's is what stands behind this server",
}
"""Routes of other APIs, and what was meant by them here."""


def normal(path: str) -> str:
    """The path that was meant; the same one, without needless slashes, where nothing tells.

    Capitals are slips as well.
    The id of a model may have slashes in it, so what stands behind `/models/` stays as it is.
    """
    before, models, ident = path.partition("/models/")
    if models and ident and _says_nothing(before):
        return f"/v1/models/{ident}" if ident.strip("/") else "/v1/models"
    flat = _flat(path)
    for resource, ends in _RESOURCES.items():
        before, found, end = flat.lower().partition(resource)
        if found and end in ends and _says_nothing(before):
            return f"/v1{resource}{end}"
    return flat


def _says_nothing(path: str) -> bool:
    return _PREFIXES.issuperset(filter(None, path.lower().split("/")))


def _flat(path: str) -> str:
    return re.sub(r"/{2,}", "/", path).rstrip("/") or "/"


def wrong_method(path: str, methods: Collection[str]) -> str:
    """Refuse a method in words that name the right one."""
    return f"Method Not Allowed: {path} takes {' or '.join(methods)}"


def not_found(method: str, path: str, known: Collection[str]) -> str:
    """Refuse a path in words that name the right one."""
    flat = _flat(path)
    if meant := next((meant for end, meant in _MEANT.items() if flat.endswith(end)), ""):
        return f"Not found: {method} {flat}; use {meant}"
    close = difflib.get_close_matches(flat, known, n=1, cutoff=0.75)
    hint = f"did you mean {close[0]}? In any case " if close else ""
    return f"Not found: {method} {flat}; {hint}{_SENTENCE}"
