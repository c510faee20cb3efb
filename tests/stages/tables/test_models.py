"""Models: what each takes, and which serves which name."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.tables.models import (
    FAMILIES,
    MODEL_EFFORTS,
    MODELS,
    RELEASES,
    UNKNOWN_MODEL,
    Model,
    Release,
    model_info,
    upstream_model,
)
from tests.stages.strategies import TEXTS
from tests.support.cases import cases


@cases("model", [*MODELS, UNKNOWN_MODEL], ids=lambda model: model.prefix or "unknown")
def test_facts_make_sense(model: Model) -> None:
    """Efforts are known words in rising order, sampling is one of three rules, limits are positive."""
    ranks = [MODEL_EFFORTS.index(effort) for effort in model.efforts]

    assert ranks == sorted(set(ranks))
    assert model.sampling in {"always", "without_reasoning", "never"}
    assert model.sampling != "without_reasoning" or "none" in model.efforts
    assert 0 < model.output < model.window or model is UNKNOWN_MODEL


def test_prefixes_are_unique() -> None:
    """Two rows for one prefix would hide one of them."""
    assert len({model.prefix for model in MODELS}) == len(MODELS)


@cases("model", [model for model in MODELS if model.prefix != "o"], ids=lambda model: model.prefix)
@pytest.mark.parametrize("name", ["{}", "{}-2026-11-17", "openai/{}", "a/b/{}-x"])
def test_ids_count_as_their_family(model: Model, name: str) -> None:
    """Dated and provider-qualified ids are found, in any case of letters, and the longest prefix wins."""
    assert model_info(name.format(model.prefix)) is model
    assert model_info(name.format(model.prefix.upper())) is model


@pytest.mark.parametrize(("name", "prefix"), [("o3", "o"), ("o4-mini", "o"), ("gpt-5.4-mini-x", "gpt-5.4-mini")])
def test_special_prefixes(name: str, prefix: str) -> None:
    """The o-series is an `o` and a digit."""
    assert model_info(name).prefix == prefix


@pytest.mark.parametrize("name", ["olmo-3", "o", "llama", "", "qwen/qwen3"])
def test_other_servers_models_are_unknown(name: str) -> None:
    """Nothing is assumed about them but that they take what is asked."""
    assert model_info(name) is UNKNOWN_MODEL


@cases("release", RELEASES, ids=lambda release: release.id)
def test_releases_are_known_models_with_real_days(release: Release) -> None:
    """What is published has facts, and dates that are dates."""
    assert model_info(release.id) is not UNKNOWN_MODEL
    day = dt.date.fromisoformat(release.created)
    assert release.retires is None or dt.date.fromisoformat(release.retires) > day


@pytest.mark.parametrize(("keyword", "upstream"), FAMILIES.items())
def test_families_are_served(keyword: str, upstream: str) -> None:
    """Each family's name, however dated, goes to its model, which is one that exists."""
    name = keyword if keyword in ("claude", "anthropic") else f"claude-{keyword}-4-5-20250929"

    assert upstream_model(name) == upstream
    assert upstream in {release.id for release in RELEASES}


@cases(
    ("name", "configured", "upstream"),
    [
        ("gpt-6.2-sol", {}, "gpt-6.2-sol"),
        ("my-llama", {}, "my-llama"),
        ("my-llama", {"default": "big"}, "big"),
        ("my-llama", {"default": "big", "my-llama": "small"}, "small"),
        ("claude-opus-4-5", {"opus": "mine"}, "mine"),
        ("claude-opus-4-5", {"claude": "all"}, "all"),
        ("claude-opus-4-5", {"claude": "all", "opus": "mine"}, "mine"),
        ("claude-opus-4-5", {"opus": "mine", "opus-4": "older"}, "older"),
        ("claude-haiku-4-5", {"claude": "all", "opus": "mine"}, "all"),
        ("claude-opus-4-5", {"claude-opus-4-5": "exact", "opus": "mine"}, "exact"),
        ("claude-3-opus", {"default": "big"}, "gpt-6.2-astra"),
        ("Claude-Sonnet-9", {}, "gpt-6.2-sol"),
        ("claude-nonsense", {"nonsense": "mine", "claude": "all"}, "mine"),
        ("claude-gpt-5.4", {}, "gpt-5.4"),
        ("anthropic/gpt-6-luna", {}, "gpt-6-luna"),
        ("anthropic/claude-haiku-4", {}, "gpt-6-luna"),
        ("claude-GPT-5.4", {}, "GPT-5.4"),
        ("claude-o3", {}, "o3"),
    ],
)
def test_names_are_resolved(name: str, configured: dict[str, str], upstream: str) -> None:
    """Exact names, then foreign names as they are, then aliases, then the first keyword."""
    assert upstream_model(name, configured) == upstream


@given(TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_every_name_has_a_model(name: str, configured: dict[str, str]) -> None:
    """Whatever a client asks for and whatever is configured, there is an answer, the same each time."""
    assert isinstance(upstream_model(name, configured), str)
    assert upstream_model(name, configured) == upstream_model(name, dict(configured))
    assert isinstance(model_info(name), Model)


@pytest.mark.parametrize(
    ("name", "effort", "reasons"),
    [
        ("gpt-6.2-sol", None, True),
        ("gpt-6.2-sol", "low", True),
        ("gpt-6-luna", "none", False),
        ("gpt-5.4", None, False),
        ("gpt-5.4", "low", True),
        ("gpt-4o", None, False),
        ("gpt-4o", "high", False),
    ],
)
def test_whether_a_model_reasons(name: str, effort: str | None, *, reasons: bool) -> None:
    """Most do by themselves, some only when they are told to, some never."""
    assert model_info(name).reasons(effort) is reasons


@pytest.mark.parametrize(
    ("name", "searches"),
    [
        ("gpt-6.2-astra", True),
        ("gpt-6-luna", True),
        ("gpt-5.6-sol", True),
        ("gpt-5.4-mini", True),
        ("gpt-5.4-nano", False),
        ("gpt-5.2", False),
        ("gpt-4.1", False),
        ("qwen3", False),
    ],
)
def test_whether_a_model_searches_among_tools(name: str, *, searches: bool) -> None:
    """Recorded on gpt-5.4 and gpt-5.6; those before have no such tool, and the smallest lacks it as well."""
    assert model_info(name).tool_search is searches
