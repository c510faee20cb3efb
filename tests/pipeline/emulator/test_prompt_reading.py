"""What is read out of prompts in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.emulator.prompt_reading import arguments_from, meant_tool

TOOLS = [{"name": "Bash"}, {"name": "get_weather"}, {"name": "add_person"}, {"name": "weather_of_old"}]
SCHEMA: dict[str, Any] = {
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": -9, "maximum": 130},
        "height": {"type": "number"},
        "unit": {"type": "string", "enum": ["cm"]},
        "odd": True,
    },
    "required": ["name", "age", "height", "unit", "odd"],
}


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("What is the weather in Bern?", "get_weather"),
        ("Add this person, please.", "add_person"),
        ("get add", None),
        ("Run Bash", None),
        ("", None),
    ],
)
def test_which_tool_is_meant(prompt: str, name: str | None) -> None:
    """The first that shares a long word; a tool of one word is called so often that it tells nothing."""
    tool = meant_tool(prompt, TOOLS)
    assert (tool and tool["name"]) == name


@pytest.mark.parametrize(
    ("prompt", "made"),
    [
        ("Add 'Ann', 200 cm, 42 years.", {"name": "Ann", "age": 42, "height": 1.0}),
        ('Add "李四" who is 7 and 1.25 m', {"name": "李四", "age": 7, "height": 1.25}),
        ("value of f(3)?", {"name": "example", "age": 3}),
        ("it's Ann's, v1.2.3 and 5x", {"name": "example", "age": -9, "height": 1.0}),
    ],
)
def test_what_a_call_is_given(prompt: str, made: dict[str, Any]) -> None:
    """Values of the kind that is asked for, in their order; else the plainest."""
    found = arguments_from(prompt, SCHEMA)
    assert {name: found[name] for name in made} == made
    assert found["unit"] == "cm"


@given(st.text())
def test_any_prompt_gives_arguments(prompt: str) -> None:
    """All that are required, and of the right type."""
    found = arguments_from(prompt, SCHEMA)
    assert found.keys() == set(SCHEMA["required"])
    assert isinstance(found["name"], str)
    assert isinstance(found["age"], int)
    assert -9 <= found["age"] <= 130
