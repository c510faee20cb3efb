"""`max_tokens: 0` warms the cache with what the model has for that, and never with a thousand tokens of thought."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.request import Caller
from stages.mapper import Mapped, Target, map_request
from stages.tables.profiles import PROFILES
from stages.wire.messages_request import structure

TALK: dict[str, Any] = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 0}
LASTING = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


def mapped(model: str, profile: str = "openai", **fields: Any) -> Mapped:
    """Map a request."""
    request = structure({**TALK, "model": model, **fields})
    return map_request(request, Caller(), Target(PROFILES[profile]), message_id="msg_1")


@pytest.mark.parametrize("thinking", [{}, {"thinking": {"type": "adaptive"}}, {"thinking": {"type": "disabled"}}])
@pytest.mark.parametrize("marked", [{}, LASTING])
def test_a_model_that_prepares_its_cache(thinking: dict[str, Any], marked: dict[str, Any]) -> None:
    """Its settings are those of the answer that will come, since they stand before the prompt."""
    warming, real = (mapped("gpt-6-astra", **thinking, **marked, max_tokens=most) for most in (0, 9000))
    options = {**real.body.get("prompt_cache_options", {}), "prewarm": True}
    assert warming.body == {**real.body, "prompt_cache_options": options, "max_output_tokens": 16}
    assert warming.plan.cut_at == 0
    said = {note.path: note.disposition.value for note in warming.report.notes}
    assert said["max_tokens"] == "translated"


@pytest.mark.parametrize(
    ("model", "profile", "reasoning", "most"),
    [
        ("gpt-5", "openai", {"effort": "minimal"}, 16),
        ("gpt-5.4", "openai", {"effort": "none"}, 16),
        ("gpt-4.1", "openai", None, 16),
        ("gpt-6-astra", "openrouter", {"effort": "low"}, 16),
        ("tiny", "llama.cpp", None, 1),
    ],
)
def test_any_other(model: str, profile: str, reasoning: dict[str, Any] | None, most: int) -> None:
    """Says as little as it can be asked for, and thinks as little; the report says so."""
    made = mapped(model, profile, thinking={"type": "adaptive"}, output_config={"effort": "high"})
    assert made.body["max_output_tokens"] == most
    assert "prompt_cache_options" not in made.body
    assert made.plan.cut_at == 0
    if reasoning is not None or "reasoning" in made.body:
        assert made.body["reasoning"] == (reasoning or {"effort": made.body["reasoning"]["effort"]})
    assert {note.path: note.disposition.value for note in made.report.notes}["max_tokens"] == "emulated"
