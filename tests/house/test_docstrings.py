"""Every public name of the program says what it means."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.house.sources import modules, public_names, tree

ENDINGS = (".", "?", "!", ":")
PROGRAM = modules("stages", "pipeline")


def _missing(module: Path) -> list[str]:
    parsed = tree(module)
    nodes = [("(the module)", parsed), *public_names(parsed)]
    return [name for name, node in nodes if not ast.get_docstring(node)]


def _unended(module: Path) -> list[str]:
    parsed = tree(module)
    first_paragraphs = {
        name: (ast.get_docstring(node) or ".").split("\n\n")[0].rstrip()
        for name, node in [("(the module)", parsed), *public_names(parsed)]
    }
    return [name for name, text in first_paragraphs.items() if not text.endswith(ENDINGS)]


def test_every_public_name_is_documented() -> None:
    """Each module and each public class, function and method in it has a docstring."""
    assert {str(module): names for module in PROGRAM if (names := _missing(module))} == {}


def test_docstrings_begin_with_a_sentence() -> None:
    """The first paragraph of each docstring is whole: it ends like a sentence."""
    assert {str(module): names for module in PROGRAM if (names := _unended(module))} == {}


def test_what_counts_as_public() -> None:
    """Private names, overloads and setters are left out; what any class offers under a public name is not."""
    source = """
class Shown:
    class Inner:
        def deep(self): ...
    @overload
    def twice(self): ...
    @level.setter
    def level(self, value): ...
    def _hidden(self): ...
class _Hidden:
    def method(self): ...
async def waits(): ...
"""

    names = [name for name, _ in public_names(ast.parse(source))]

    assert names == [
        "Shown",
        "Shown.Inner",
        "Shown.Inner.deep",
        "_Hidden.method",
        "waits",
    ]
