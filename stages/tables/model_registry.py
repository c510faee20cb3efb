"""All that is known about models in one place: the tables, what the settings say, what the upstream was found to have.

The settings say which model serves which name, and what a model of any name is like. A server that was looked at says
which models it has, and how much they hold. Whoever asks about a model asks here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from stages.tables.models import ALIASES, FAMILIES, RELEASES, UNKNOWN_MODEL, Model, model_info, upstream_model
from stages.tables.prices import Price, price_of


@attrs.frozen
class Described:
    """What the settings say about one model.

    Attributes:
        upstream: its name upstream; empty when it is the name that the settings describe it under.
        like: a model of the tables that it is like; empty when it is known by its own name, or not at all.
        facts: fields of `Model` that are otherwise.
        price: what it costs; None when that is what its like costs.
        batch: its name in upstream batches, where that is another (Azure has deployments for these alone); else empty.
    """

    upstream: str = ""
    like: str = ""
    model_info: Mapping[str, Any] = attrs.field(factory=dict)
    price: Price | None = None
    batch: str = ""

    def model(self, name: str) -> Model:
        """What is known about it, where `name` is its name upstream.

        A window that is told for a model of which nothing else is known is one that the answer shares, as those of
        local engines are.
        """
        base = model_info(self.like or name)
        if base is UNKNOWN_MODEL and "window" in self.model_info:
            base = attrs.evolve(base, shared=True, output=min(base.output, self.model_info["window"]))
        return attrs.evolve(base, **self.model_info) if self.model_info else base


@attrs.frozen
class ModelRegistry:
    """Answers every question about models.

    Attributes:
        names: a client's name or keyword, and the upstream model for it.
        described: what the settings say, by the model's name upstream.
        served: the models that the upstream was found to have, each with its window in tokens, or None.
        window: the window of whatever the upstream is asked for, where it serves one model under any name.
        local: whether those are all there are, so that no model of the tables can be behind a name of Anthropic's.
    """

    names: Mapping[str, str] = attrs.field(factory=dict)
    described: Mapping[str, Described] = attrs.field(factory=dict)
    served: Mapping[str, int | None] = attrs.field(factory=dict)
    window: int | None = None
    local: bool = False
    _known: frozenset[str] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Gather the names that no table has, once for all requests."""
        object.__setattr__(self, "_known", frozenset((*self.described, *self.served)))

    @classmethod
    def of(cls, configured: Mapping[str, str | Described]) -> ModelRegistry:
        """Build it from the setting `models`: a name, and the upstream model for it or what it is like."""
        names: dict[str, str] = {}
        described: dict[str, Described] = {}
        for name, value in configured.items():
            if isinstance(value, str):
                names[name] = value
            else:
                described[value.upstream or name] = value
                if value.upstream:
                    names[name] = value.upstream
        return cls(names, described)

    def upstream_model(self, name: str) -> str:
        """Pick the upstream model for a client's name, see `tables.models.resolve`.

        A server that has one model, and none that the tables would name, is asked for that one.
        """
        upstream = upstream_model(name, self.names, self._known)
        if len(self.served) != 1 or upstream not in _DEFAULTS or self._is_named(upstream):
            return upstream
        return next(iter(self.served))

    def batch_model(self, upstream: str) -> str:
        """Give an upstream model the name that it has in batches."""
        told = self.described.get(upstream)
        return (told.batch if told is not None else "") or upstream

    def model_info(self, upstream: str) -> Model:
        """What is known about an upstream model; the settings say more than the server, and it more than the tables."""
        told = self.described.get(upstream)
        model = model_info(upstream) if told is None else told.model(upstream)
        window = self.served.get(upstream) or self.window
        if window is None or (told is not None and "window" in told.model_info):
            return model
        if self.local or model is UNKNOWN_MODEL:
            return attrs.evolve(model, window=window, output=min(model.output, window), shared=True)
        return model

    def tells_window(self, upstream: str) -> bool:
        """Whether the settings or the server itself tell how much this model holds, answer included."""
        told = self.described.get(upstream)
        by_server = (self.served.get(upstream) or self.window) is not None
        return self.model_info(upstream).shared and ((told is not None and "window" in told.model_info) or by_server)

    def price(self, upstream: str) -> Price | None:
        """What an upstream model costs; None when nobody has told, and for the machines of one's own."""
        told = self.described.get(upstream)
        if told is None:
            return None if self.local else price_of(upstream)
        return told.price or price_of(told.like or upstream)

    def smallest_window(self) -> int | None:
        """The least that a model of the server holds; None where it tells of none."""
        told = [window for window in (*self.served.values(), self.window) if window is not None]
        return min(told, default=None)

    def knows(self, upstream: str) -> bool:
        """Whether anything is known about an upstream model, or anybody has named it."""
        return self._is_named(upstream) or model_info(upstream) is not UNKNOWN_MODEL

    def has(self, name: str) -> bool:
        """Whether a name stands, word for word, in the tables, the settings, or what the server was found to have.

        Any other is a word of whoever said it, whatever model it leads to, and has no place in a log.
        """
        plain = next((name.removeprefix(alias) for alias in ALIASES if name.startswith(alias)), name)
        named = any(each in self.names or self._is_named(each) for each in (name, plain))
        return named or _DATE.sub("", plain) in _RELEASED or _ANTHROPICS.fullmatch(name) is not None

    def _is_named(self, upstream: str) -> bool:
        return upstream in self._known or upstream in self.names.values()


_DEFAULTS = frozenset(FAMILIES.values())
_RELEASED = frozenset((*(release.id for release in RELEASES), *_DEFAULTS))
_DATE = re.compile(r"-20\d\d-\d\d-\d\d\Z")
_VERSION = r"(-\d{1,2}([-.]\d{1,2})?)?"
_ANTHROPICS = re.compile(
    rf"(anthropic/)?(claude{_VERSION}-)?(fable|opus|sonnet|haiku|instant){_VERSION}(-20\d{{6}}|-latest)?(\[1m\])?"
)
# Anthropic's own names, of which there are new ones every few weeks: their words, and numbers.
