"""The environment in which Claude Code works well through a dragoman.

Source of each variable: what the client was seen to do (versions 1.0.128 to 2.1.330).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stages.tables.model_registry import ModelRegistry
from stages.tables.models import UNKNOWN_MODEL
from stages.tables.profiles import known_host

if TYPE_CHECKING:
    from pipeline.settings import Settings

USUAL = ("claude-opus", "claude-sonnet")
"""The models that the client offers first."""

USUAL_ASIDE = ("claude-haiku",)
"""The models that it uses for small things beside them."""

MODEL_ROWS: Mapping[str, str] = {
    "claude-opus": "claude-opus-5-5",
    "claude-sonnet": "claude-sonnet-5-5",
    "claude-haiku": "claude-haiku-5-5",
}
"""The rows of the client's `/model`, and the names that they stand for today."""

OPENAI_HOST = "api.openai.com"
"""Where the model table's own models are."""

BASE_URL = "ANTHROPIC_BASE_URL"
"""Where the client sends its requests."""

TOKEN = "ANTHROPIC_AUTH_TOKEN"  # noqa: S105 - the name of a variable
"""The client's key. Not `ANTHROPIC_API_KEY`: a new one of those makes the client ask whether it may be used."""

_ADVICE: Mapping[str, str] = {
    # A line that differs per conversation at the head of the system prompt: it spoils the prompt cache.
    "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
    # Headers that say what a request is for: main conversation, subagent, compaction.
    "CLAUDE_CODE_GATEWAY_HINT_HEADERS": "1",
    # Ask GET /v1/models, so that /model offers what there is.
    "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
}
"""What the client should be told, unless its user has told it something else."""

_OWN_CHECK = {"CLAUDE_CODE_AUTO_MODE_SERVER": "0"}
"""What has the client check its actions by itself, with ordinary requests to the model: by default it asks the server,
which answers only if `safeguards.model` says who judges."""

WINDOW_VARIABLE = "CLAUDE_CODE_MAX_CONTEXT_TOKENS"
"""Tokens that the model can hold. The client obeys it for names it does not know (2.1.332, measured), for which it
assumes a million and never compacts."""

COMPACT_WINDOW = "CLAUDE_CODE_AUTO_COMPACT_WINDOW"
"""The same for names that it knows; it takes no less than `LEAST_COMPACT_WINDOW`."""

LEAST_COMPACT_WINDOW = 100_000
"""Below this only a name that the client does not know makes it believe in the window."""

_PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def client_environment(
    user: Mapping[str, str],
    base_url: str,
    key: str | None,
    window: int,
    upstream: Mapping[str, str] | None = None,
    *,
    judged: bool = False,
) -> dict[str, str]:
    """Add to the user's own environment what the client needs; what the user has set stays as it is.

    The one exception is the base URL, which is the purpose of the command.

    Args:
        user: The environment of the user.
        base_url: Where the proxy listens.
        key: One of the proxy's client keys, or None when it asks for none.
        window: Tokens that the upstream model can hold.
        upstream: The upstream models by the names of `MODEL_ROWS`, so far as they are known.
        judged: Whether the proxy has a model judge the client's actions.
    """
    rows = _rows(user, upstream or {}, window)
    added = {
        **({} if judged else _OWN_CHECK),
        **_ADVICE,
        **window_variables(window),
        **rows,
        **_credentials(user, key),
        **_around_proxies(user, base_url),
    }
    return {**added, **user, BASE_URL: base_url, **_around_proxies(user, base_url)}


def _rows(user: Mapping[str, str], upstream: Mapping[str, str], window: int) -> dict[str, str]:
    """Have the rows of `/model` say who answers.

    Where the window is too small for a name that the client knows, it gets one that it does not, which leads to the
    same model. A row that the user has set stays theirs, wholly.
    """
    rows = {}
    for name, model in upstream.items():
        word = name.removeprefix("claude-")
        variable = f"ANTHROPIC_DEFAULT_{word.upper()}_MODEL"
        if variable not in user:
            rows[variable] = MODEL_ROWS[name] if window >= LEAST_COMPACT_WINDOW else f"claude-{model}"
            rows[f"{variable}_NAME"] = f"{word.capitalize()}: {model}"
            rows[f"{variable}_DESCRIPTION"] = f"{model} answers, through dragoman"
    return rows


def window_variables(window: int) -> dict[str, str]:
    """The variables that tell the client how much its model holds."""
    compact = {COMPACT_WINDOW: str(window)} if window >= LEAST_COMPACT_WINDOW else {}
    return {WINDOW_VARIABLE: str(window), **compact}


def _credentials(user: Mapping[str, str], key: str | None) -> dict[str, str]:
    # Without any credentials the client asks for a login. One of the user's own will do if the proxy asks for none.
    if key is None and (user.get("ANTHROPIC_API_KEY") or user.get(TOKEN)):
        return {}
    return {TOKEN: key or "dragoman"}


def own_token(user: Mapping[str, str]) -> str | None:
    """The key that the user has set for the client."""
    return user.get(TOKEN) or user.get("ANTHROPIC_API_KEY") or None


def _around_proxies(user: Mapping[str, str], base_url: str) -> dict[str, str]:
    """Keep the way to our own port out of the user's HTTP proxy: their list of exceptions, and our host."""
    host = urlsplit(base_url).hostname or ""
    listed = user.get("NO_PROXY") or user.get("no_proxy") or ""
    if not any(user.get(name) for name in _PROXIES) or host in listed.split(","):
        return {}
    extended = f"{listed},{host}" if listed else host
    return {"NO_PROXY": extended, "no_proxy": extended}


def context_window(settings: Settings, model: str | None = None, registry: ModelRegistry | None = None) -> int:
    """Return the window, in tokens, of the model that the client's conversation will reach.

    The client takes one number for all models, so without a `model` the smaller of the two that it offers first counts.
    What a server of the user's own holds behind our default names is not known unless it was asked; the cautious number
    serves there.

    Args:
        settings: What was set.
        model: The client's name of its model.
        registry: What is known about models; None is what the settings and the tables say.
    """
    registry = registry or ModelRegistry.of(settings.models)
    upstream = {registry.upstream_model(name) for name in ([model] if model else USUAL)}
    named = {*registry.names.values(), *registry.described}
    trusted = known_host(settings.upstream.url) is not None or registry.local or bool(upstream & named)
    return min(registry.model_info(name).window for name in upstream) if trusted else UNKNOWN_MODEL.window


def model_of(words: Sequence[str], user: Mapping[str, str]) -> str | None:
    """Find the model that the client is told to use: its `--model` flag, or its variable."""
    for word, following in itertools.zip_longest(words, words[1:]):
        if word == "--model" and following:
            return following
        if word.startswith("--model="):
            return word.partition("=")[2]
    return user.get("ANTHROPIC_MODEL") or None
