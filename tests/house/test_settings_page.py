"""The tables of the settings are what the catalogue gives."""

from __future__ import annotations

from pipeline.settings import SETTINGS
from tests.house.settings_page import BEGIN, PAGE, README, USUAL, page, readme


def test_the_pages_are_what_the_catalogue_gives() -> None:
    """Whoever changes a setting runs `make settings`."""
    text = README.read_text("utf-8")

    assert BEGIN in text
    assert text == readme(text), "README's table of settings is not up to date: make settings"
    assert PAGE.read_text("utf-8") == page(), "docs/configuration.md is not up to date: make settings"


def test_the_usual_settings_are_settings() -> None:
    """A name that is no more would have no row."""
    assert set(USUAL) <= set(SETTINGS)
