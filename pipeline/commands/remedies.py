"""The exact lines to set: what a person types when a setup lacks something."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from pipeline.commands.client_environment import OPENAI_HOST
from pipeline.settings import Settings, variable
from pipeline.upstream.address import base_url
from stages.tables.model_registry import ModelRegistry
from stages.tables.models import FAMILIES
from stages.tables.profiles import known_host

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


def url_line(settings: Settings, scheme: str = "") -> str:
    """The line that sets another address of the upstream: any, or the same by another scheme."""
    by_openai = settings.upstream_chosen_by == "OPENAI_BASE_URL"
    address = base_url(urlsplit(settings.upstream.url)._replace(scheme=scheme).geturl()) if scheme else "https://.../v1"
    return f"export {'OPENAI_BASE_URL' if by_openai else variable('upstream.url')}={address}"


def around_proxy_line(settings: Settings) -> str:
    """The line that leads around a proxy of the network."""
    return f"export NO_PROXY={urlsplit(base_url(settings.upstream.url)).hostname}"


def models_line(settings: Settings, registry: ModelRegistry, missing: Sequence[str]) -> str:
    """The one line that names other models for all names that lead to those which are missing.

    What was set before stays: in a variable it goes before, and a file is changed by hand, since a variable would
    stand in the place of its whole table.
    """
    pairs = {
        name: _nearest(model, _conversing(settings, registry, missing))
        for model in missing
        for name in client_names(registry, model)
    }
    if not pairs:
        return f"--model {_nearest(missing[0], _conversing(settings, registry, missing))}"
    ours = variable("models")
    if settings.models and not os.environ.get(ours):
        return "in your file, under [models]: " + "; ".join(f'{name} = "{model}"' for name, model in pairs.items())
    before = f"${ours}," if os.environ.get(ours) else ""
    return f'export {ours}="{before}{",".join(f"{name}={model}" for name, model in pairs.items())}"'


def _conversing(settings: Settings, registry: ModelRegistry, missing: Sequence[str]) -> list[str]:
    """The models of an upstream that may be asked instead. Azure lists what may be deployed, and not what is."""
    host = known_host(settings.upstream.url)
    if host is not None and host.name == "azure":
        return []
    return [model for model in registry.served if model not in missing and not _OF_OTHER_USE.search(model)]


def _nearest(model: str, others: Sequence[str]) -> str:
    near = difflib.get_close_matches(model, others, n=1) or list(others[:1])
    return near[0] if near else "<a model that it has>"


_OF_OTHER_USE = re.compile(
    r"embed|whisper|dall-e|tts|transcribe|moderation|image|audio|realtime|rerank|sora|davinci|babbage", re.IGNORECASE
)
# Words in the names of models that nobody talks with.


def client_names(registry: ModelRegistry, upstream: str) -> list[str]:
    """Whichever of the client's names and family words lead to an upstream model; none where it is asked for itself."""
    families: Mapping[str, str] = {word: registry.upstream_model(f"claude-{word}") for word in FAMILIES}
    everything = {**families, **registry.names}
    return [name for name, model in everything.items() if model == upstream]
