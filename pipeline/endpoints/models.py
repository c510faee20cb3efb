"""`GET /v1/models` and `/v1/models/{id}`: which models a client may ask for, and what they can do behind this proxy.

Claude Code shows only ids with `claude` or `anthropic` in them, so every upstream model stands here under an alias that
`tables.models.resolve` undoes, beside Anthropic's own names of today and the names that the settings give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.paging import Window, wrong
from stages.canonical.failure import Failure, Kind
from stages.tables.model_registry import ModelRegistry
from stages.tables.models import FAMILIES, RELEASES, UNKNOWN_MODEL, Model, Release

TODAY = ("claude-fable-5-2", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")
"""Anthropic's names of today, as Claude Code asks for them."""

ONE_MODEL = "/v1/models/"
"""What stands before a model's id in the path of one."""

LINES = ("fable", "opus", "sonnet", "haiku")
"""Anthropic's lines, by the word in the name."""

LIFECYCLES = ("active", "deprecated", "retired")
"""What `lifecycle` may ask for; without it, the first two are listed."""

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""Anthropic's efforts."""

_SERVED = {"supported": True}

_RELEASES = {release.id: release for release in RELEASES}


async def list_models(context: Context, exchange: Exchange) -> Failure | None:
    """Answer one page of the catalogue."""
    return await exchange.tell(
        models_page(
            parse_qs(exchange.query.decode("latin-1")), context.target.models, batches=context.batches is not None
        )
    )


async def get_model(context: Context, exchange: Exchange) -> Failure | None:
    """Answer with one model."""
    return await exchange.tell(
        one(
            unquote(exchange.path.removeprefix(ONE_MODEL)),
            context.target.models,
            batches=context.batches is not None,
        )
    )


def models_page(
    query: Mapping[str, list[str]], registry: ModelRegistry, *, batches: bool = False
) -> dict[str, Any] | Failure:
    """Answer `GET /v1/models`: Anthropic's names of today, then those of the settings, then the aliases, newest first.

    Anthropic lists by date alone; that would bury the names people use, for some models never told their date.

    Args:
        query: the values of each query parameter: `limit`, `after_id`, `before_id`, `lifecycle`; others are ignored.
        registry: all that is known about models.
        batches: whether somebody runs batches.
    """
    window, stages = Window.of(query), _lifecycles(query)
    if isinstance(window, Failure):
        return window
    if isinstance(stages, Failure):
        return stages
    cut = _cut(window, [model for model in _catalogue(registry, batches=batches) if model["lifecycle"] in stages])
    if isinstance(cut, Failure):
        return cut
    data, more = cut
    return Window.page(data, more=more)


def one(model_id: str, registry: ModelRegistry, *, batches: bool = False) -> dict[str, Any] | Failure:
    """Answer `GET /v1/models/{id}`: any name that a request may carry, listed or not.

    Names that only an unknown server could understand are not found, unless the settings name them or it has them.
    """
    if not model_id or not registry.knows(registry.upstream_model(model_id)):
        return Failure(Kind.NOT_FOUND, f"model: {model_id}")
    return _info(model_id, registry, batches=batches)


def _lifecycles(query: Mapping[str, list[str]]) -> tuple[str, ...] | Failure:
    """Read `lifecycle`, which may be repeated, with or without brackets behind its name."""
    asked = tuple(value for name in ("lifecycle", "lifecycle[]") for value in query.get(name, ()))
    if any(stage not in LIFECYCLES for stage in asked):
        return wrong("lifecycle: Input should be 'active', 'deprecated' or 'retired'")
    return asked or LIFECYCLES[:2]


def _cut(window: Window, models: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], bool] | Failure:
    """Return the models of this page, and whether there are more in its direction."""
    ids = [model["id"] for model in models]
    for name, cursor in (("after_id", window.after), ("before_id", window.before)):
        if cursor is not None and cursor not in ids:
            return wrong(f"{name}: no model has this id")
    if window.before is not None:
        end = ids.index(window.before)
        begin = max(0, end - window.limit)
        return models[begin:end], begin > 0
    begin = 0 if window.after is None else ids.index(window.after) + 1
    return models[begin : begin + window.limit], begin + window.limit < len(models)


def _catalogue(registry: ModelRegistry, *, batches: bool) -> list[dict[str, Any]]:
    return [_info(name, registry, batches=batches) for name in dict.fromkeys(_names(registry))]


def _names(registry: ModelRegistry) -> Iterator[str]:
    """Name what is listed; the settings' keywords (`opus`, `default`) stand for names, and are none.

    A server with models of its own has none of the tables'; what a router serves besides them is too much to list.
    """
    yield from TODAY
    yield from (name for name in registry.names if name != "default" and name not in FAMILIES)
    yield from (f"claude-{name}" for name in registry.described)
    if registry.local:
        yield from (f"claude-{name}" for name in registry.served)
    else:
        yield from (f"claude-{release.id}" for release in RELEASES)


def _info(name: str, registry: ModelRegistry, *, batches: bool) -> dict[str, Any]:
    """Describe one model as `ModelInfo` of the SDKs, every key present; null where nobody knows."""
    upstream = registry.upstream_model(name)
    model, release = registry.model_info(upstream), _RELEASES.get(upstream, Release(upstream))
    line = next((line for line in LINES if line in name.lower()), None)
    return {
        "type": "model",
        "id": name,
        "display_name": _title(name, upstream, line),
        "created_at": f"{release.created}T00:00:00Z",
        "lifecycle": "deprecated" if release.retires else "active",
        "line": line,
        "deprecated_at": None,  # no announcement tells the day it was made
        "retires_at": f"{release.retires}T00:00:00Z" if release.retires else None,
        "max_input_tokens": None if model is UNKNOWN_MODEL else model.window,
        "max_tokens": None if model is UNKNOWN_MODEL else model.output,
        "capabilities": capabilities(model, batches=batches),
        "allowed_fallback_models": [other for other in TODAY if other != name],
    }


def _title(name: str, upstream: str, line: str | None) -> str:
    """Say which model answers: `Opus (gpt-6.2-astra)`; an alias is called what it stands for."""
    plain = name.removeprefix("claude-").removeprefix("anthropic/")
    if plain == upstream:
        return upstream
    return f"{line.capitalize() if line else name} ({upstream})"


def capabilities(model: Model, *, batches: bool = False) -> dict[str, Any]:
    """Describe what a model can do, in the tree of Anthropic's `ModelCapabilities`; `batches`: whether any run there.

    Clients index this tree unguarded, so every key of SDK 2.12.0 is there; what no stage translates is false, whatever
    the upstream could do.  A model that no table knows is some other server's, which as a rule runs no tools.
    """
    reasons, hosts = bool(model.efforts), bool(model.prefix)
    return {
        "batch": _leaf(batches),
        "citations": _SERVED,
        "code_execution": _leaf(hosts),
        "compaction": {**_SERVED, "summarize": _SERVED},
        "context_management": {
            **_SERVED,
            "clear_thinking_20251015": _SERVED,
            "clear_tool_uses_20250919": _SERVED,
            "compact_20260112": _SERVED,
        },
        "effort": {**_leaf(reasons), **{effort: _leaf(effort in model.efforts) for effort in EFFORTS}},
        "image_input": _SERVED,
        "pdf_input": _SERVED,
        "server_tools": {name: _leaf(hosts) for name in ("code_execution", "web_search")} | _leaf(hosts),
        "structured_outputs": _SERVED,
        "thinking": {**_leaf(reasons), "types": _thinking(reasons)},
    }


def _thinking(reasons: bool) -> dict[str, Any]:  # noqa: FBT001 - private, and read at one place
    """Say which `thinking.type` is no error: a model that must reason thinks as little as it can when told not to."""
    asked = {"adaptive": reasons, "enabled": reasons, "disabled": True, "between_tools": True}
    return {name: _leaf(supported) for name, supported in asked.items()}


def _leaf(supported: bool) -> dict[str, bool]:  # noqa: FBT001 - the one thing a leaf says
    return {"supported": supported}
