"""What pages for people say is there: links, commands, variables, settings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pipeline.cli import COMMANDS
from pipeline.settings import SETTINGS, variable
from pipeline.settings.sources import from_file
from tests.conftest import ROOT

PAGES = sorted(["README.md", *(page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").glob("*.md"))])

LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:^|[`$ /])dragoman ([a-z]+)(?=[`\s])", re.MULTILINE)
VARIABLE = re.compile(r"\bDRAGOMAN_[A-Z_]+\b")
TOML = re.compile(r"^```toml\n(.*?)^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"^```\w*\n.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)

OTHERS = {
    "DRAGOMAN_CONFIG",
    "DRAGOMAN_CLAUDE",
    "DRAGOMAN_UPSTREAM",
    "DRAGOMAN_SHARED",
    "DRAGOMAN_SUITES_NETWORK",
    "DRAGOMAN_SUITES_UPSTREAM",
}
# Variables that are no settings of their own.


def _code(page: str) -> str:
    """All that a page shows as code, where words mean what they say."""
    return "\n".join(found.strip("`") for found in CODE.findall((ROOT / page).read_text()))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every file that a page links to is there."""
    links = LINK.findall((ROOT / page).read_text())

    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_variables_are_known(page: str) -> None:
    """Nobody is told to type what is not there."""
    known = {variable(name) for name in SETTINGS} | OTHERS

    assert [name for name in COMMAND.findall(_code(page)) if name not in COMMANDS] == []
    assert [name for name in VARIABLE.findall(_code(page)) if name not in known] == []


@pytest.mark.parametrize("page", PAGES)
def test_files_of_settings_can_be_read(page: str, tmp_path: Path) -> None:
    """Every example is TOML, and names settings that exist."""
    for example in TOML.findall((ROOT / page).read_text()):
        tomllib.loads(example)
        (tmp_path / "dragoman.toml").write_text(example)

        assert from_file(tmp_path / "dragoman.toml", SETTINGS)[1] == []


def test_the_readme_leads_to_every_page() -> None:
    """A page that nobody finds is not there."""
    linked = set(LINK.findall((ROOT / "README.md").read_text()))

    assert [page for page in PAGES if page != "README.md" and page not in linked] == []
