"""The exact lines to set: what a person types when a setup lacks something."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from pipeline.commands.client_environment import OPENAI_HOST
from pipeline.settings import Settings, variable
from pipeline.upstream.address import base_url
from stages.tables.model_registry import ModelRegistry
from stages.tables.models import FAMILIES

_API_KEY = "upstream.api_key"


def key_line(settings: Settings) -> str:
    """The line that sets another key, where this one came from; at OpenAI the variable of OpenAI's own clients."""
    if settings.upstream.api_key_file:
        return "upstream.api_key_file: look at the key in it"
    if settings.upstream.key_command:
        return "upstream.key_command: run it by hand and look at the key that it prints"
    at_openai = urlsplit(base_url(settings.upstream.url)).hostname == OPENAI_HOST
    ours = variable(_API_KEY)
    name = "OPENAI_API_KEY" if not os.environ.get(ours) and (os.environ.get("OPENAI_API_KEY") or at_openai) else ours
    return f"export {name}={'sk-...' if at_openai else '...'}"


def url_line(settings: Settings) -> str:
    """The line that sets another address of the upstream."""
    by_openai = settings.upstream_chosen_by == "OPENAI_BASE_URL"
    return f"export {'OPENAI_BASE_URL' if by_openai else variable('upstream.url')}=https://.../v1"


def around_proxy_line(settings: Settings) -> str:
    """The line that leads around a proxy of the network."""
    return f"export NO_PROXY={urlsplit(base_url(settings.upstream.url)).hostname}"


def models_line(registry: ModelRegistry, missing: str, served: Sequence[str]) -> str:
    """The line that names another model for all names that lead to one which is missing."""
    near = difflib.get_close_matches(missing, served, n=1) or list(served[:1])
    other = near[0] if near else "<a model that it has>"
    pairs = ",".join(f"{name}={other}" for name in client_names(registry, missing))
    return f'export {variable("models")}="{pairs}"'


def client_names(registry: ModelRegistry, upstream: str) -> list[str]:
    """Whichever of the client's names and family words lead to an upstream model."""
    families: Mapping[str, str] = {word: registry.upstream_model(f"claude-{word}") for word in FAMILIES}
    everything = {**families, **registry.names}
    return [name for name, model in everything.items() if model == upstream] or ["default"]
