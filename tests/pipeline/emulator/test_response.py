"""The response object repeats its request, and says what came of it."""

from __future__ import annotations

import pytest

from pipeline.emulator.answer import answer
from pipeline.emulator.response import has_phase, writes_cache
from tests.pipeline.emulator.talk import asked, streamed


def test_the_response_object_has_the_recorded_keys() -> None:
    """The final object has the keys, in the order, of a gpt-5.4 stream recorded in August 2026."""
    assert " ".join(answer(asked("[[text]]")).body) == (
        "id object created_at status background completed_at error frequency_penalty incomplete_details instructions "
        "max_output_tokens max_tool_calls model moderation output parallel_tool_calls presence_penalty "
        "previous_response_id prompt_cache_key prompt_cache_retention reasoning safety_identifier service_tier store "
        "temperature text tool_choice tool_usage tools top_logprobs top_p truncation usage user metadata"
    )


def test_settings_are_echoed() -> None:
    """The first, second and last event repeat what the request has set, with what the API makes of it."""
    told = streamed(
        asked("[[text]]", instructions="be kind", reasoning={"effort": "low", "summary": "auto"}, top_p=0.5)
    )

    for event in (told[0], told[1], told[-1]):
        echoed = event["response"]
        assert echoed["instructions"] == "be kind"
        assert (echoed["reasoning"]["effort"], echoed["reasoning"]["summary"]) == ("low", "detailed")
        assert (echoed["store"], echoed["top_p"]) == (False, 0.5)
        assert echoed["tools"][0]["strict"] is False
    assert (told[0]["response"]["service_tier"], told[-1]["response"]["service_tier"]) == ("auto", "default")
    assert (told[0]["response"]["usage"], told[0]["response"]["output"]) == (None, [])


def test_a_function_without_strict_comes_back_strict() -> None:
    """That is what the API does with it, and why a translator has to say `strict: false`."""
    tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}

    assert answer(asked("hi", tools=[tool])).body["tools"][0]["strict"] is True


@pytest.mark.parametrize(
    ("model", "phase", "writes"),
    [
        ("gpt-6.2-sol", True, True),
        ("gpt-5.6-luna", True, True),
        ("gpt-5.5", True, False),
        ("gpt-5.3-codex", True, False),
        ("gpt-5.2", False, False),
        ("gpt-5-mini", False, False),
        ("gpt-4.1", False, False),
        ("o3", False, False),
    ],
)
def test_what_models_tell(model: str, *, phase: bool, writes: bool) -> None:
    """Phases came with gpt-5.3-codex, the count of written tokens with gpt-5.6."""
    assert (has_phase(model), writes_cache(model)) == (phase, writes)


@pytest.mark.parametrize(
    ("asked_for", "used"), [(None, "default"), ("auto", "default"), ("fast", "priority"), ("flex", "flex")]
)
def test_the_tier_that_was_used(asked_for: str | None, used: str) -> None:
    """The final object names the tier that served, not the one asked for."""
    assert answer(asked("hi", service_tier=asked_for)).body["service_tier"] == used


def test_hosted_tools_and_formats_are_echoed() -> None:
    """A hosted tool comes back as it was, a schema with what was left out of it."""
    shape = {"type": "json_schema", "name": "n", "schema": {"type": "object"}}
    body = answer(asked("hi", tools=[{"type": "web_search"}], text={"format": shape, "verbosity": "low"})).body

    assert body["tools"] == [{"type": "web_search"}]
    assert body["text"] == {"format": {"description": None, "strict": False, **shape}, "verbosity": "low"}
