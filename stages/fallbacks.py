"""`fallbacks`: the models that a request names to be asked where the one before has declined, and what each is asked.

Source: docs/facts/messages.md, from `BetaFallbackParam` of the Anthropic SDK and the vendor's page on refusals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stages.canonical.request import JsonObject
from stages.wire.lenient import mapping, objects, text

SERVERS_CHOICE = "default"
"""The word for the models that the server would choose."""

MOST = 3
"""Models that a request may name."""

OVERRIDES = ("max_tokens", "thinking", "output_config", "speed")
"""What an entry may say of its own request besides `model`."""

_FIELD = "fallbacks"


def complaints(asked: Any) -> Iterator[str]:
    """Say what is wrong with a value of the field, in Anthropic's form: the place, then the reason."""
    if asked is None or asked == SERVERS_CHOICE:
        return
    if not isinstance(asked, list):
        yield f"{_FIELD}: Input should be 'default' or a valid list"
        return
    if not 1 <= len(asked) <= MOST:
        yield f"{_FIELD}: List should have at least 1 and at most {MOST} items after validation, not {len(asked)}"
        return
    seen = set[str]()
    for index, entry in enumerate(asked):
        yield from _entry(entry, f"{_FIELD}.{index}", seen)


def _entry(entry: Any, place: str, seen: set[str]) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"{place}: Input should be a valid dictionary"
        return
    model = entry.get("model")
    if "model" not in entry:
        yield f"{place}.model: Field required"
    elif not isinstance(model, str) or not model.strip():
        yield f"{place}.model: Input should be the name of a model"
    elif model in seen:
        yield f"{place}.model: each model can be named once"
    else:
        seen.add(model)
    yield from (f"{place}.{name}: Extra inputs are not permitted" for name in entry.keys() - {"model", *OVERRIDES})
    limit = entry.get("max_tokens")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        yield f"{place}.max_tokens: Input should be greater than or equal to 1"


def chain(asked: Any, default: str) -> list[JsonObject]:
    """The entries to be tried, in their order; none where there is nobody to ask.

    Args:
        asked: the value of the field, which nothing is wrong with.
        default: the model for the word `default`; empty where nobody has chosen one.
    """
    if asked == SERVERS_CHOICE:
        return [{"model": default}] if default else []
    return objects(asked)


def asked_of(body: Mapping[str, Any], entry: JsonObject) -> JsonObject:
    """The request that an entry makes of a client's: its model, and what it says of its own.

    What is null there is left out, so that the model's own default holds; `max_tokens` alone is then the request's.
    """
    made = {name: value for name, value in body.items() if name != _FIELD}
    made["model"] = text(entry.get("model"))
    if entry.get("max_tokens") is not None:
        made["max_tokens"] = entry["max_tokens"]
    for name in ("thinking", "speed"):
        _override(made, entry, name)
    if "output_config" in entry and entry["output_config"] is not None:
        merged = {**mapping(body.get("output_config")), **mapping(entry["output_config"])}
        made["output_config"] = {name: value for name, value in merged.items() if value is not None}
        if mapping(entry["output_config"]).get("format", ...) is None:
            made.pop("output_format", None)  # the older place of the same
    elif "output_config" in entry:
        made.pop("output_config", None)
        made.pop("output_format", None)
    return made


def _override(made: JsonObject, entry: JsonObject, name: str) -> None:
    if name in entry and entry[name] is None:
        made.pop(name, None)
    elif name in entry:
        made[name] = entry[name]
