"""What a text names is there: pages that modules cite, and files and names that the pages for developers cite."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from tests.house.sources import modules

PAGE = re.compile(r"`((?:\.\./)?[\w.-]+(?:/[\w.-]+)+\.md)`")
"""A page with its folder, in back quotes."""

FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)+\.(?:md|py|json))`")
"""Any text file with its folder; below one of the rooms where the rest is left out."""

LOCAL = re.compile(r"`((?:stages|pipeline|tests|docs)(?:/[\w.{},-]+)*/?)`")
"""A file or folder of ours by its whole path; `a/{b,c}` is two."""

NAMED = re.compile(r"`((?:\w+/)*\w+)\.([A-Z_]{3,})`")
"""A table of a module, by the module's path below one of the two halves, as `mapper/phases.TABLE`."""

PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/facts/README.md")


_ROOMS = ("", "stages", "pipeline", "tests", "tests/laws")
_GONE = "reference"  # so that the example below is not one in the tree


def _missing(pattern: re.Pattern[str], text: str) -> list[str]:
    return [name for name in pattern.findall(text) if not any((ROOT / part / name).exists() for part in _ROOMS)]


def _alternatives(path: str) -> list[str]:
    head, brace, rest = path.partition("{")
    within, _, tail = rest.partition("}")
    return [f"{head}{part}{tail}" for part in within.split(",")] if brace else [path]


def _defined(module: str, name: str) -> bool:
    """Whether a module whose path ends so assigns the name."""
    files = [
        path
        for path in modules("stages", "pipeline")
        if f"/{path.with_suffix('')}".endswith((f"/{module}", f"/{module}/__init__"))
    ]
    return any(re.search(rf"^{name}\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE) for path in files)


def test_a_module_cites_pages_of_the_repository() -> None:
    """A page that a module names can be read by whoever has the repository."""
    texts = {str(path): (ROOT / path).read_text(encoding="utf-8") for path in modules("stages", "pipeline", "tests")}
    assert {module: lost for module, text in texts.items() if (lost := _missing(PAGE, text))} == {}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_what_is_there(page: str) -> None:
    """The files, folders and tables that a page for developers names exist, so that a move is seen here."""
    text = (ROOT / page).read_text(encoding="utf-8")
    local = [path for whole in LOCAL.findall(text) for path in _alternatives(whole)]
    assert _missing(FILE, text) == []
    assert [path for path in local if not (ROOT / path).exists()] == []
    assert [f"{module}.{name}" for module, name in NAMED.findall(text) if not _defined(module, name)] == []


def test_what_is_not_there_is_found() -> None:
    """The patterns find a file that was moved away, and a table that was renamed."""
    assert _missing(PAGE, f"see `{_GONE}/engines.md`, and `docs/mapping.md`") == [f"{_GONE}/engines.md"]
    assert _alternatives("stages/tools/{server,client}") == ["stages/tools/server", "stages/tools/client"]
    assert _defined("tables/models", "MODELS")
    assert not _defined("tables/models", "MODEL_NAMES")
