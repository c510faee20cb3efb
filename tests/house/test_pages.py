"""What pages for people say is there: links, commands, variables, settings."""

from __future__ import annotations

import argparse
import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from pipeline.cli import COMMANDS
from pipeline.settings import SETTINGS, ConfigurationError, load, variable
from pipeline.settings.client_keys import hashed
from tests.conftest import ROOT

PAGES = sorted(["README.md", *(page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").glob("*.md"))])

MORE = [
    "CONTRIBUTING.md",
    "fixtures/README.md",
    *(f"docs/facts/{page.name}" for page in (ROOT / "docs/facts").glob("*.md")),
]
"""Pages for developers, who type other things."""

LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:^|[`$ /])dragoman ([a-z]+)(?=[`\s])", re.MULTILINE)
TYPED = re.compile(r"(?:^|[ /])dragoman (?=([a-z]+))([^`\n|]*)", re.MULTILINE)
MAKE = re.compile(r"(?:^|`)make ([a-z]+(?: [a-z]+)*)(?=[ `]*(?:ARGS|#|`|$))", re.MULTILINE)
MODULE = re.compile(r"\bpython -m ((?:pipeline|tests)[\w.]*)")
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


def _refused(line: str) -> str:
    """Say what a command's own parser has against the line of a page; empty where it takes it."""
    name, *words = shlex.split(line.partition(" #")[0])
    command = importlib.import_module(f"pipeline.commands.{name}")
    parser = argparse.ArgumentParser(exit_on_error=False)
    command.configure(parser)
    split = parser.get_default("split")
    try:
        _, unknown = parser.parse_known_args(split(words)[0] if split else words)
    except (argparse.ArgumentError, SystemExit) as error:
        return f"{line}: {error}"
    return f"{line}: {unknown}" if unknown else ""


@pytest.mark.parametrize("page", PAGES)
def test_commands_take_what_is_typed_behind_them(page: str) -> None:
    """Flags and all; a command that is only named has nothing behind it."""
    lines = [line for name, line in TYPED.findall(_code(page)) if name in COMMANDS and line != name]

    assert [said for line in lines if (said := _refused(line))] == []


@pytest.mark.parametrize("page", [*PAGES, *MORE])
def test_targets_and_modules_are_there(page: str) -> None:
    """What `make` and `python -m` are told to do."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = _code(page)

    assert [name for names in MAKE.findall(code) for name in names.split() if name not in targets] == []
    assert [name for name in MODULE.findall(code) if importlib.util.find_spec(name) is None] == []


@pytest.mark.parametrize("page", PAGES)
def test_files_of_settings_can_be_read(page: str, tmp_path: Path) -> None:
    """Every example is TOML, and whoever starts with it is told of no mistake but that a key's file is not here."""
    for example in TOML.findall((ROOT / page).read_text()):
        (file := tmp_path / "dragoman.toml").write_text(example.replace('"sha256:..."', f'"{hashed("k")}"'))

        assert [mistake for mistake in _mistakes(file) if not mistake.endswith("there is no such file")] == []


def _mistakes(file: Path) -> list[str]:
    try:
        load({}, {}, file)
    except ConfigurationError as error:
        return error.mistakes
    return []


def test_the_readme_leads_to_every_page() -> None:
    """A page that nobody finds is not there."""
    linked = set(LINK.findall((ROOT / "README.md").read_text()))

    assert [page for page in PAGES if page != "README.md" and page not in linked] == []
