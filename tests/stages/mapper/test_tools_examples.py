"""Examples of a tool's input are told in its description, since the upstream has no other place for them."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.report import Disposition, Note, Report
from stages.canonical.request import Request, Tool
from stages.mapper.functions import EXAMPLES
from stages.mapper.tools import toolbox
from tests.support.places import place

TOLD = [Note(place("tools.0.input_examples"), Disposition.EMULATED, "told in the description")]


def described(description: str | None, **extra: Any) -> tuple[Any, list[Note]]:
    """Declare a tool; return its description upstream, and what was reported."""
    report = Report()
    tool = Tool("look", {}, description, extra=extra)
    box = toolbox(Request("m", (), tools=(tool,)), report, in_place=True)
    return box.declared[0].get("description"), report.notes


@pytest.mark.parametrize(
    ("description", "examples", "told"),
    [
        ("Looks.", [{"b": 1, "a": "é"}, {}], f'Looks.\n\n{EXAMPLES}\n{{"b":1,"a":"é"}}\n{{}}'),
        (None, [{"b": 1}], f'{EXAMPLES}\n{{"b":1}}'),
        ("", [{"b": 1}], f'{EXAMPLES}\n{{"b":1}}'),
        ("Looks.", {"b": 1}, f'Looks.\n\n{EXAMPLES}\n{{"b":1}}'),
    ],
)
def test_examples_follow_the_description(description: str | None, examples: Any, told: str) -> None:
    """Each on its line, as the client wrote it, and reported; the same each time."""
    assert described(description, input_examples=examples) == (told, TOLD)
    assert described(description, input_examples=examples) == (told, TOLD)


@pytest.mark.parametrize("examples", [None, []])
def test_without_examples_the_description_is_as_it_was(examples: Any) -> None:
    """A list of none says nothing, and nothing is reported."""
    assert described("Looks.", input_examples=examples) == ("Looks.", [])
    assert described("Looks.") == ("Looks.", [])
