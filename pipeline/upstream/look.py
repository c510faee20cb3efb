"""One look at a server: who it is, which models it has, and how much they hold.

Source: llama.cpp b9713 to b11549 (measured), and the documented routes of vLLM, SGLang, Ollama and LM Studio. All of it
is public to whoever may use the server at all, small, and asked with short deadlines; what is not told stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from pipeline.upstream.client import UpstreamClient
from stages.canonical.failure import Failure
from stages.wire import json
from stages.wire.lenient import objects, text

MOST_MODELS = 5_000
"""Models that are remembered; the largest router has some hundreds."""

_LARGEST_WINDOW = 10**9
_DIGITS = 10
_LLAMA_CPP = "llama.cpp"

_OWNERS: Mapping[str, str] = {
    "llamacpp": _LLAMA_CPP,
    "vllm": "vllm",
    "sglang": "vllm",
    "library": "ollama",
    "organization_owner": "lmstudio",
}
"""`owned_by` of a listed model, and the profile of a server that says so."""

_ROUTES: tuple[tuple[str, str, str], ...] = (
    ("/version", "version", "vllm"),
    ("/api/version", "version", "ollama"),
    ("/api/v0/models", "data", "lmstudio"),
    ("/props", "default_generation_settings", _LLAMA_CPP),
)
"""Routes beside the API that one server alone has, a member of its answer, and the profile."""

_WINDOWS = (
    *("loaded_context_length", "max_model_len", "n_ctx", "num_ctx", "context_length", "context_window"),
    *("context_size", "max_context_length", "max_context_len", "max_context_window_tokens", "max_seq_len"),
)
"""Members of a listed model that tell how many tokens it holds; the first that is there counts."""

_HOLDERS = ("loaded_instances", "config", "meta", "top_provider", "limits", "details", "model_info", "capabilities")
"""Members in which they may stand instead; what an instance was loaded with counts before what the model could."""

_DEPTH = 3
# `loaded_instances[0].config`, `capabilities.limits`: no list says it deeper.


@attrs.frozen
class Findings:
    """What was found.

    Attributes:
        profile: the name of the server's profile; empty when nothing told it.
        served: the models it lists, each with its window in tokens, or None.
        window: the window of whatever it is asked for, where it serves one model under any name.
        settled: whether another look would find the same: somebody answered, and was ready to.
    """

    profile: str = ""
    served: Mapping[str, int | None] = attrs.field(factory=dict)
    window: int | None = None
    settled: bool = False


@attrs.frozen
class _Page:
    """An answer: its status, the `Server` header, and its JSON object; empty for anything else."""

    status: int = 0
    server: str = ""
    body: Mapping[str, Any] = MappingProxyType({})


async def look_at(client: UpstreamClient, seconds: float, *, routes: bool = True) -> Findings:
    """Look at the upstream; waits for a few small answers.

    Args:
        client: speaks to it.
        seconds: how long each answer may take.
        routes: whether to ask beside the API as well, for a server that the API does not tell.
    """
    listed = await _page(client, client.url + "/models", seconds)
    if not listed.status:
        return Findings()
    served = _served(objects(listed.body.get("data")) or objects(listed.body.get("models")))
    profile = _profile(listed)
    root = client.url.removesuffix("/v1")
    if not profile and routes:
        profile = await _by_routes(client, root, seconds)
    window = None
    if size := _SIZES.get(profile):
        path, read = size
        sizes, window = read((await _page(client, root + path, seconds)).body)
        served |= {name: sizes.get(name, known) for name, known in served.items()}
    return Findings(profile, served, window, settled=listed.status in _READY)


_READY = frozenset({200, 404, 405})
# With anything else the server refuses, or is not up yet: a later look may see more.


async def _by_routes(client: UpstreamClient, root: str, seconds: float) -> str:
    for path, member, profile in _ROUTES:
        page = await _page(client, root + path, seconds)
        if page.status == _FOUND and member in page.body:
            return profile
    return ""


_FOUND = 200


async def _page(client: UpstreamClient, url: str, seconds: float) -> _Page:
    answer = await client.get(url, seconds)
    if isinstance(answer, Failure):
        return _Page()
    status, headers, raw = answer
    try:
        body = json.decode(raw)
    except json.MalformedJson:
        body = {}
    return _Page(status, headers.get("server", ""), body if isinstance(body, dict) else {})


def _profile(listed: _Page) -> str:
    if listed.server.lower().startswith(_LLAMA_CPP):
        return _LLAMA_CPP
    models = objects(listed.body.get("data"))
    told = (_OWNERS.get(text(model.get("owned_by")).lower(), "") for model in models)
    if profile := next(filter(None, told), ""):
        return profile
    by_meta = any(isinstance(model.get("meta"), dict) and "n_ctx_train" in model["meta"] for model in models)
    return _LLAMA_CPP if by_meta else ""


def _served(models: list[dict[str, Any]]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for model in models[:MOST_MODELS]:
        if name := text(model.get("id")) or text(model.get("name")) or text(model.get("key")):
            found[name] = _window(model)
    return found


def _window(model: Mapping[str, Any], depth: int = _DEPTH) -> int | None:
    """How much a model holds: what it says itself, but for an instance of it that is loaded, which knows better."""
    inside = filter(None, (_held(model.get(name)) for name in _HOLDERS)) if depth else ()
    found = [size for held in inside if (size := _window(held, depth - 1)) is not None]
    own = next((size for member in _WINDOWS if (size := _size(model.get(member))) is not None), None)
    return own if own is not None and not model.get("loaded_instances") else next(iter(found), own)


def _held(value: object) -> Mapping[str, Any]:
    """What stands in a member: an object, or the first of a list of them."""
    return next(iter(objects(value)), {}) if isinstance(value, list) else value if isinstance(value, dict) else {}


def _size(value: object) -> int | None:
    value = int(value) if isinstance(value, str) and value.isdecimal() and len(value) < _DIGITS else value
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and 0 < value <= _LARGEST_WINDOW else None


# -- how much a server's models hold, where its list does not say --------------------------------------

Sizes = tuple[dict[str, int | None], int | None]
"""Windows by model, and the window of whatever is asked for."""


def _props(body: Mapping[str, Any]) -> Sizes:
    """llama.cpp shares its context among its slots; what one request may use stands in the slots' settings."""
    slot = body.get("default_generation_settings")
    return {}, _size(slot.get("n_ctx")) if isinstance(slot, dict) else _size(body.get("n_ctx"))


def _loaded(body: Mapping[str, Any]) -> Sizes:
    """LM Studio lists models that are loaded with the context they were loaded with."""
    return _served(objects(body.get("data"))), None


def _running(body: Mapping[str, Any]) -> Sizes:
    """Ollama tells the context of models that run."""
    return _served(objects(body.get("models"))), None


_SIZES: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], Sizes]]] = {
    _LLAMA_CPP: ("/props", _props),
    "lmstudio": ("/api/v0/models", _loaded),
    "ollama": ("/api/ps", _running),
}
