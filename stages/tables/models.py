"""Upstream models: what each takes, and which one serves which of Anthropic's names.

Source: OpenAI's model pages, SDK 3.54.0 and recordings, as collected in `docs/facts/models.md` (2026-11-22).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

import attrs

from stages.tables.model_names import LONGEST_NAME, bare

MODEL_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Reasoning efforts from least to most."""


@attrs.frozen
class Model:
    """What an upstream model takes.

    Attributes:
        prefix: the beginning of the ids it describes; the longest that fits counts.
        efforts: the reasoning efforts it accepts, least first; empty for models that do not reason.
        window: tokens it takes as input.
        output: tokens it writes at most.
        sampling: `always`, `without_reasoning` (only with effort `none`) or `never`: when it takes temperature and
            top_p.
        phases: whether its messages carry a `phase` that must come back.
        additional_tools: whether tools may be added in the middle of a conversation.
        configuration_updates: whether effort may be changed in the middle of one.
        tool_search: whether it can search among deferred tools by itself (recorded on gpt-5.4 and gpt-5.6).
        cache_breakpoints: whether the end of a prefix worth caching may be marked in a prompt.
        rests_by_default: whether it does not reason unless it is told to; recorded for gpt-5.1, 5.2 and 5.4.
        shared: whether the answer must fit into the window as well, beside the input.
    """

    prefix: str
    efforts: tuple[str, ...]
    window: int = 922_000
    output: int = 128_000
    sampling: str = "never"
    phases: bool = True
    additional_tools: bool = False
    configuration_updates: bool = False
    tool_search: bool = False
    cache_breakpoints: bool = False
    rests_by_default: bool = False
    shared: bool = False

    def reasons(self, effort: str | None) -> bool:
        """Whether it reasons at this effort; None is no word about it."""
        return bool(self.efforts) and effort != "none" and not (effort is None and self.rests_by_default)


_LOW_TO_XHIGH = ("low", "medium", "high", "xhigh")
_LOW_TO_MAX = (*_LOW_TO_XHIGH, "max")
_NONE_TO_XHIGH = ("none", *_LOW_TO_XHIGH)
_NONE_TO_MAX = ("none", *_LOW_TO_MAX)

MODELS = (
    Model(
        "gpt-6.2",
        _LOW_TO_XHIGH,
        additional_tools=True,
        configuration_updates=True,
        tool_search=True,
        cache_breakpoints=True,
    ),
    Model(
        "gpt-6.1",
        _LOW_TO_MAX,
        additional_tools=True,
        configuration_updates=True,
        tool_search=True,
        cache_breakpoints=True,
    ),
    Model(
        "gpt-6.1-terra",
        _NONE_TO_MAX,
        sampling="without_reasoning",
        additional_tools=True,
        configuration_updates=True,
        tool_search=True,
        cache_breakpoints=True,
    ),
    Model(
        "gpt-6",
        _NONE_TO_MAX,
        sampling="without_reasoning",
        additional_tools=True,
        configuration_updates=True,
        tool_search=True,
        cache_breakpoints=True,
    ),
    Model(
        "gpt-6-astra",
        _LOW_TO_MAX,
        additional_tools=True,
        configuration_updates=True,
        tool_search=True,
        cache_breakpoints=True,
    ),
    Model("gpt-5.6", _NONE_TO_MAX, sampling="without_reasoning", tool_search=True, cache_breakpoints=True),
    Model("gpt-5.5", _NONE_TO_XHIGH, sampling="without_reasoning", tool_search=True),
    Model("gpt-5.4", _NONE_TO_XHIGH, sampling="without_reasoning", tool_search=True, rests_by_default=True),
    Model(
        "gpt-5.4-mini",
        _NONE_TO_XHIGH,
        window=272_000,
        sampling="without_reasoning",
        tool_search=True,
        rests_by_default=True,
    ),
    Model("gpt-5.4-nano", _NONE_TO_XHIGH, window=272_000, sampling="without_reasoning", rests_by_default=True),
    Model("gpt-5.3-codex", _NONE_TO_XHIGH, window=272_000, sampling="without_reasoning"),
    Model("gpt-5.2", _NONE_TO_XHIGH, window=272_000, sampling="without_reasoning", rests_by_default=True, phases=False),
    Model(
        "gpt-5.1",
        ("none", "low", "medium", "high"),
        window=272_000,
        sampling="without_reasoning",
        rests_by_default=True,
        phases=False,
    ),
    Model("gpt-5", ("minimal", "low", "medium", "high"), window=272_000, phases=False),
    Model("gpt-5-pro", ("high",), window=272_000, phases=False),
    Model("o", ("low", "medium", "high"), window=200_000, output=100_000, phases=False, shared=True),
    Model("gpt-4.1", (), window=1_047_576, output=32_768, sampling="always", phases=False, shared=True),
    Model("gpt-4o", (), window=128_000, output=16_384, sampling="always", phases=False, shared=True),
)
"""What is known, by prefix."""

UNKNOWN_MODEL = Model("", _NONE_TO_MAX, window=200_000, output=128_000, sampling="always", phases=False)
"""A model of some other server: what it is asked for is passed on as it is."""

_BY_LENGTH = sorted(MODELS, key=lambda model: -len(model.prefix))


@attrs.frozen
class Release:
    """An upstream model as it can be asked for.

    Attributes:
        id: its name upstream.
        created: the day it came out, as `YYYY-MM-DD`; the epoch when that is not known.
        retires: the day it will be switched off; None when none is announced.
    """

    id: str
    created: str = "1970-01-01"
    retires: str | None = None


RELEASES = (
    Release("gpt-6.2-astra", "2026-11-17"),
    Release("gpt-6.2-sol", "2026-11-17"),
    Release("gpt-6.1-sol", "2026-09-29"),
    Release("gpt-6.1-terra"),
    Release("gpt-6-astra", "2026-09-03"),
    Release("gpt-6-sol"),
    Release("gpt-6-luna"),
    Release("gpt-5.6-sol"),
    Release("gpt-5.6-terra"),
    Release("gpt-5.6-luna"),
    Release("gpt-5.5", "2026-04-23"),
    Release("gpt-5.4", "2026-03-05"),
    Release("gpt-5.4-mini", "2026-03-17"),
    Release("gpt-5.4-nano", "2026-03-17"),
    Release("gpt-5.3-codex"),
    Release("gpt-5.2", "2025-12-11"),
    Release("gpt-5.1", "2025-11-13"),
    Release("gpt-5", "2025-08-07", retires="2026-12-11"),
    Release("gpt-5-mini", "2025-08-07", retires="2026-12-11"),
    Release("gpt-5-nano", "2025-08-07", retires="2026-12-11"),
    Release("gpt-5-pro", "2025-10-06"),
    Release("gpt-4.1", "2025-04-14", retires="2027-01-14"),
    Release("gpt-4o", "2024-08-06", retires="2027-01-14"),
)
"""The models of today; days come from the dated ids that answers carry, and from the vendor's announcements."""

FAMILIES: Mapping[str, str] = {
    "fable": "gpt-6.2-astra",
    "opus": "gpt-6.2-astra",
    "sonnet": "gpt-6.2-sol",
    "haiku": "gpt-6-luna",
    "claude": "gpt-6.2-sol",
    "anthropic": "gpt-6.2-sol",
}
"""Keyword in a client's model name to the upstream model that serves it today; the first that occurs counts."""

ALIASES = ("claude-", "anthropic/")
"""What may stand before an upstream model's name, for clients that take no others."""

_EVERYTHING = ("claude", "anthropic")
# One of these is in every name that is looked up by keyword: somebody's own keywords are tried before them.


def model_info(upstream: str) -> Model:
    """What is known about an upstream model; dated ids and those with a vendor or a region count as their family."""
    return _named(bare(upstream)[:LONGEST_NAME])


@lru_cache(512)
def _named(name: str) -> Model:
    """The model with the longest prefix that a bare name has; every request asks several times for the same few."""
    for model in _BY_LENGTH:
        rest = name[len(model.prefix) :]
        if name.startswith(model.prefix) and (model.prefix != "o" or rest[:1].isdigit()):
            return model
    return UNKNOWN_MODEL


def upstream_model(name: str, configured: Mapping[str, str] | None = None, known: Collection[str] = ()) -> str:
    """Pick the upstream model for a client's name.

    An explicitly configured name wins; then a name that contains neither `claude` nor `anthropic` goes upstream
    unchanged, and the others by the first family keyword that occurs in them, configured ones before the defaults.
    `claude-gpt-5` and `anthropic/gpt-5` are the aliases under which models are published to Claude Code, which
    shows no others; they mean the model they name.

    Args:
        name: the client's name.
        configured: a client's name or keyword, and the upstream model for it.
        known: upstream models besides those of the tables, so that their aliases are known as well.
    """
    configured = configured or {}
    if name in configured:
        return configured[name]
    if name in known:
        return name
    lowered = name.lower()
    if "claude" not in lowered and "anthropic" not in lowered:
        return configured.get("default", name)
    for alias in ALIASES:
        named = name[len(alias) :] if lowered.startswith(alias) else ""
        if named and (named in known or named in configured.values() or model_info(named) is not UNKNOWN_MODEL):
            return named
    own = sorted(configured, key=lambda keyword: (keyword in _EVERYTHING, -len(keyword)))
    keyword = next(keyword for keyword in (*own, *FAMILIES) if keyword in lowered)
    return configured.get(keyword) or FAMILIES[keyword]
