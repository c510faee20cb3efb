"""Keys that must not be seen."""

from __future__ import annotations

import pytest

from pipeline.settings.keys import Secret, presented
from tests.support.cases import cases

_KEY = "sk-something-long"


@pytest.mark.parametrize("shown", [repr, str, "{}".format, "{!r}".format, lambda each: str([each])])
def test_no_way_of_formatting_shows_a_secret(shown: object) -> None:
    """A secret stays hidden however it is turned into text."""
    assert callable(shown)

    assert _KEY not in shown(Secret(_KEY))


def test_a_secret_is_revealed_on_demand() -> None:
    """The header of the upstream request needs the key itself."""
    assert Secret(_KEY).reveal() == _KEY


def test_secrets_are_compared_by_their_text() -> None:
    """Two settings with the same key are the same settings."""
    assert Secret(_KEY) == Secret(_KEY)
    assert Secret(_KEY) != Secret("another")


@cases(
    ("headers", "found"),
    [
        ({}, []),
        ({"x-api-key": "", "authorization": ""}, []),
        ({"x-api-key": "a"}, ["a"]),
        ({"authorization": "Bearer a"}, ["a"]),
        ({"authorization": "bearer a"}, ["a"]),
        ({"authorization": "BEARER   a "}, ["a"]),
        ({"authorization": "Bearer"}, []),
        ({"authorization": "Bearer "}, []),
        ({"authorization": "Bearera"}, []),
        ({"authorization": "a"}, []),
        ({"authorization": "Basic YTpi"}, []),
        ({"x-api-key": "a", "authorization": "Bearer b"}, ["a", "b"]),
        ({"x-api-key": "a", "authorization": "Bearer a"}, ["a", "a"]),
        ({"x-api-key": " a ", "authorization": "Basic YTpi"}, ["a"]),
    ],
)
def test_a_key_comes_in_either_header(headers: dict[str, str], found: list[str]) -> None:
    """Whatever the scheme's letters look like; both are heard, and what is no key is none."""
    assert presented(headers) == found
