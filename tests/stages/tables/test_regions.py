"""Where an upstream computes, by its host."""

from __future__ import annotations

import pytest

from stages.tables.regions import region_of


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://api.openai.com/v1", None),
        ("https://eu.api.openai.com/v1", "eu"),
        ("https://US.api.openai.com/v1", "us"),
        ("https://eu.api.openai.com.example.org/v1", None),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", "us"),
        ("https://bedrock-runtime.eu-central-1.amazonaws.com/v1", "eu"),
        ("https://bedrock-mantle.us-gov-west-1.api.aws/v1", "us"),
        ("https://eu-west.example.com/v1", None),
        ("emulator", None),
    ],
)
def test_region(url: str, region: str | None) -> None:
    """Only names that stand for a place do tell one."""
    assert region_of(url) == region
