"""The upstream's base URL as it was meant: people copy addresses of single routes, or leave the path out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from pipeline.settings.readers import EMULATOR
from stages.tables.profiles import known_host

_ROUTES = re.compile(r"(/(responses|chat|completions|messages|models|embeddings|input_tokens))+/*\Z")
"""Routes of an API, below its base."""

_AGAIN = re.compile(r"(/v1){2,}\Z")

_BASES: Mapping[str, Mapping[str, str]] = {
    "openai": {"": "/v1"},
    "azure": {"": "/openai/v1", "/v1": "/openai/v1"},
    "bedrock": {"": "/openai/v1", "/openai": "/openai/v1"},
    "openrouter": {"": "/api/v1", "/api": "/api/v1", "/v1": "/api/v1"},
}
"""Paths that lead nowhere at a host whose profile is known, and the one that was meant."""

_ANYWHERE: Mapping[str, str] = {"": "/v1"}
"""The same at any other host: all engines serve below `/v1`."""


def base_url(url: str) -> str:
    """Mend a base URL that a setting gave: `https://api.openai.com/v1/responses/` is `https://api.openai.com/v1`.

    An address below which everything may be right stays as it is.
    """
    if url == EMULATOR:
        return "http://emulator/v1"
    parts = urlsplit(url)
    path = _AGAIN.sub("/v1", _ROUTES.sub("", re.sub("/{2,}", "/", parts.path)).rstrip("/"))
    profile = known_host(url)
    meant = _BASES.get(profile.name, _ANYWHERE) if profile else _ANYWHERE
    return urlunsplit((parts.scheme, parts.netloc, meant.get(path, path), "", ""))
