"""What no file may say: where somebody's machine keeps things, or which address packages come from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.house.sources import git

# Folders in which somebody's checkout or home once lay. Not behind a letter or dot: `https://host/root/` is a route.
MACHINE_PATH = re.compile(r"(?<![\w.~{}$-])/(?:root|work|home/[a-z]+/work|Users/[a-z]+)/[\w.]")

_SEPARATOR = "/"  # so that a path in an example is not one in the tree

# The hosts of package registries, and the options and lock files by which their addresses come in. A clone installs by
# name, with whatever its machine is set up for.
REGISTRY = re.compile(
    r"\b(?:pypi|pythonhosted|npmjs|yarnpkg|crates|golang|maven(?:\.apache)?|debian)\.(?:org|io|com)\b"
    r"|\brepo1?\.maven\b|--(?:extra-)?index-url|--find-links|--registry[= ]http",
    re.IGNORECASE,
)

SELF = Path(__file__).resolve().relative_to(ROOT)


def _text_files() -> list[str]:
    """List files that are tracked, or would be: `git add` is too late to learn of a leak."""
    return git("ls-files", "-z", "--cached", "--others", "--exclude-standard") or []


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for name in _text_files():
        if (raw := _read(name)) is not None and Path(name) != SELF:
            found += [f"{name}:{number}" for number, line in enumerate(raw.splitlines(), 1) if pattern.search(line)]
    return found


def _read(name: str) -> str | None:
    try:
        return (ROOT / name).read_bytes().decode()
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        # A picture, a file removed but not yet from the index, a link to a folder.
        return None


@pytest.mark.skipif(not _text_files(), reason="not a checkout: nothing says which files are ours")
@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine paths", "registry addresses"])
def test_no_file_says(pattern: re.Pattern[str]) -> None:
    """No text file of the checkout holds a path of one machine or the address of a registry."""
    assert _lines_with(pattern) == []


@pytest.mark.skipif(not _text_files(), reason="not a checkout")
def test_no_file_says_where_this_checkout_lies() -> None:
    """No text file holds the very folder that the test runs in."""
    assert _lines_with(re.compile(re.escape(f"{ROOT}/"))) == []


@pytest.mark.parametrize(
    ("line", "pattern", "expected"),
    [
        ("open('/root/.config/x')", MACHINE_PATH, True),
        (f"cd {_SEPARATOR}work{_SEPARATOR}main && make", MACHINE_PATH, True),
        ("https://example.com/root/items", MACHINE_PATH, False),
        ("docs/root/index", MACHINE_PATH, False),
        ("pip install --index-url somewhere", REGISTRY, True),
        ("https://registry.npmjs.org/x/-/x-1.tgz", REGISTRY, True),
        ("npm install @anthropic-ai/claude-code", REGISTRY, False),
        ("FROM python:3.13-slim", REGISTRY, False),
    ],
)
def test_the_patterns_themselves(line: str, pattern: re.Pattern[str], *, expected: bool) -> None:
    """The patterns find what they are for and leave ordinary lines alone."""
    assert bool(pattern.search(line)) is expected
