"""How the setting `models` is read: which model serves which name, and what a model of any name is like.

In TOML a name has a text, the upstream model for it, or a table of what is known about it. In one text the same stands
as `opus=gpt-6.1-sol` and `prod-coding~gpt-6.2-sol`, or both at once: `opus=prod-coding~gpt-6.2-sol`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from pipeline.settings import readers as read
from stages.tables.model_registry import Described
from stages.tables.models import MODEL_EFFORTS, RELEASES, UNKNOWN_MODEL, model_info
from stages.tables.prices import Price

Models = Mapping[str, str | Described]
"""A client's model name or family word, and the upstream model for it; or a model's name, and what it is like."""

RIGHT = (
    "a table of upstream models and of tables with like, upstream, batch, window, output, efforts and price; or"
    " name=model and name~like pairs with commas between"
)
"""What is said where the whole cannot be understood."""


def read_models(value: object) -> Models:
    """Read the setting."""
    if isinstance(value, str):
        value = dict(_pair(each) for each in value.split(",") if each.strip())
    if not isinstance(value, Mapping):
        raise ValueError(RIGHT)  # noqa: TRY004 - one kind of exception for every wrong value
    return MappingProxyType({str(name): _one(str(name), each) for name, each in value.items()})


def _pair(text: str) -> tuple[str, str | dict[str, object]]:
    """Read one pair of the short form; a name may have a `~` in it where no `=` says otherwise, but no model has."""
    before, like_sign, like = text.partition("~")
    name, equals, upstream = (part.strip() for part in before.partition("="))
    if not name or (equals and not upstream) or (like_sign and not like.strip()) or not (equals or like_sign):
        raise ValueError(RIGHT)
    if not like_sign:
        return name, upstream
    return name, {"like": like.strip(), **({"upstream": upstream} if equals else {})}


def _one(name: str, value: object) -> str | Described:
    if isinstance(value, str | Described):
        if not value:
            raise ValueError(RIGHT)
        return value
    if not isinstance(value, Mapping):
        raise ValueError(RIGHT)  # noqa: TRY004 - see above
    told = {str(field): _field(name, str(field), each) for field, each in value.items()}
    if not told:
        raise ValueError(RIGHT)
    beside = {field: told.pop(field) for field in ("upstream", "like", "price", "batch") if field in told}
    return Described(**beside, model_info=told)


def _field(name: str, field: str, value: object) -> Any:
    if field not in _FIELDS:
        hint = "a name with dots in it stands in quotes, and " if isinstance(value, Mapping) else ""
        raise ValueError(f"for {name!r}, {hint}{', '.join(_FIELDS)} as the only fields")
    try:
        return _FIELDS[field](value)
    except ValueError as right:
        raise ValueError(f"for {field} of {name!r}, {right}") from None


def _like(value: object) -> str:
    if isinstance(value, str) and model_info(value) is not UNKNOWN_MODEL:
        return value
    known = [release.id for release in RELEASES]
    close = difflib.get_close_matches(value, known, n=1) if isinstance(value, str) else []
    raise ValueError(f"a model that dragoman knows, such as {close[0] if close else known[0]}")


def _efforts(value: object) -> tuple[str, ...]:
    listed = value.split() if isinstance(value, str) else value
    if isinstance(listed, list | tuple) and all(each in MODEL_EFFORTS for each in listed):
        return tuple(effort for effort in MODEL_EFFORTS if effort in listed)
    raise ValueError(f"a list of some of {', '.join(MODEL_EFFORTS)}; an empty one for a model that does not reason")


def _price(value: object) -> Price:
    """Read dollars for a million tokens: `input` and `output`, and where they differ `cached` and `written`."""
    right = "a table of dollars for a million tokens: input, output, and perhaps cached and written"
    if not isinstance(value, Mapping) or not {"input", "output"} <= value.keys() <= _PRICES:
        raise ValueError(right)
    if not all(isinstance(each, int | float) and not isinstance(each, bool) and each >= 0 for each in value.values()):
        raise ValueError(right)
    fresh = float(value["input"])
    written = float(value["written"]) if "written" in value else None
    return Price(fresh, float(value.get("cached", fresh)), written, float(value["output"]), long=False)


_PRICES = {"input", "cached", "written", "output"}

_FIELDS: Mapping[str, Callable[[object], Any]] = {
    "like": _like,
    "upstream": read.any_text,
    "batch": read.any_text,
    "window": read.whole(1),
    "output": read.whole(1),
    "efforts": _efforts,
    "shared": read.boolean,
    "sampling": read.choice("always", "without_reasoning", "never"),
    "price": _price,
}
"""What may be said about a model, and how it is read; all but the four of `Described` are fields of `Model`."""
