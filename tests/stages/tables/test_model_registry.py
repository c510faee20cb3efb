"""Everything about a model is asked at one place: settings, what the server was found to have, the tables."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from stages.tables.model_registry import Described, ModelRegistry
from stages.tables.models import UNKNOWN_MODEL, model_info
from stages.tables.prices import Price, price_of

CHEAP = Price(1, 1, None, 2, long=False)


def like(name: str, **fields: object) -> Described:
    """A model that is like another one but for some fields."""
    return Described(like=name, model_info=MappingProxyType(fields))


def test_a_deployment_is_like_the_model_behind_it() -> None:
    """Its name tells nothing; the settings tell all, and what they do not tell is as it is with its like."""
    registry = ModelRegistry.of({"opus": "prod-coding", "prod-coding": like("gpt-6.2-sol", window=400_000)})

    assert registry.upstream_model("claude-opus-5-5") == "prod-coding"
    assert registry.model_info("prod-coding").window == 400_000
    assert registry.model_info("prod-coding").efforts == model_info("gpt-6.2-sol").efforts
    assert registry.price("prod-coding") == price_of("gpt-6.2-sol")
    assert registry.knows("prod-coding")
    assert not registry.knows("another")


@pytest.mark.parametrize("name", ["prod-coding", "claude-prod-coding", "anthropic/prod-coding"])
def test_a_described_model_can_be_asked_for_by_its_name(name: str) -> None:
    """Under its own name and under the aliases that Claude Code takes, whatever `default` says."""
    registry = ModelRegistry.of({"prod-coding": like("gpt-5"), "default": "gpt-6-luna"})

    assert registry.upstream_model(name) == "prod-coding"


def test_a_keyword_and_what_it_stands_for_in_one_place() -> None:
    """`upstream` says which model a word means, and the rest is about that one."""
    registry = ModelRegistry.of({"haiku": Described("small", "gpt-5.4-nano", price=CHEAP)})

    assert registry.upstream_model("claude-haiku-4-5") == "small"
    assert registry.model_info("small") == model_info("gpt-5.4-nano")
    assert registry.price("small") == CHEAP


def test_a_window_without_a_like_is_shared_with_the_answer() -> None:
    """As those of engines are; and no answer is longer than it."""
    model = ModelRegistry.of({"tiny": Described(model_info={"window": 8_192})}).model_info("tiny")

    assert (model.window, model.output, model.shared) == (8_192, 8_192, True)


def test_a_server_tells_what_its_models_hold() -> None:
    """Also for a name that the tables know, since that is an engine of one's own; the settings know better still."""
    engine = ModelRegistry.of({"mine": Described(model_info={"window": 1_000})})
    engine = ModelRegistry(described=engine.described, served={"qwen": 32_768, "mine": 9_000}, local=True)

    assert (engine.model_info("qwen").window, engine.model_info("qwen").shared) == (32_768, True)
    assert engine.model_info("mine").window == 1_000
    assert engine.model_info("other") is UNKNOWN_MODEL
    assert engine.upstream_model("claude-qwen") == "qwen"


def test_one_window_for_any_name() -> None:
    """An engine that serves one model, however it is called."""
    registry = ModelRegistry(served={"tiny": None}, window=4_096, local=True)

    assert registry.model_info("whatever").window == registry.model_info("gpt-5").window == 4_096
    assert registry.price("gpt-5") is None


def test_a_router_tells_about_models_that_the_tables_do_not_know() -> None:
    """What it counts as window is counted otherwise for OpenAI's own."""
    registry = ModelRegistry(served={"openai/gpt-5": 400_000, "qwen/qwen3": 262_144})

    assert registry.model_info("openai/gpt-5") == model_info("gpt-5")
    assert registry.model_info("qwen/qwen3").window == 262_144


@pytest.mark.parametrize(
    ("served", "configured", "upstream"),
    [
        ({"qwen": None}, {}, "qwen"),
        ({"qwen": None}, {"opus": "other"}, "other"),
        ({"qwen": None, "llama": None}, {}, "gpt-6.2-astra"),
        ({}, {}, "gpt-6.2-astra"),
    ],
)
def test_an_engine_with_one_model_is_asked_for_that(
    served: dict[str, None], configured: dict[str, str], upstream: str
) -> None:
    """Its address is all that must be set: no engine has the models that Anthropic's names stand for by default."""
    assert ModelRegistry(configured, served=served, local=True).upstream_model("claude-opus-5-5") == upstream
