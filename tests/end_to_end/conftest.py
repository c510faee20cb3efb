"""The engines that tests may ask for; each is started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engines import BUILDS, engine, llama


@pytest.fixture(scope="session", params=BUILDS)
def markov(shared: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Start llama.cpp over a model with hand-set weights, each build in turn; give its URL."""
    with llama(shared, request.param) as url:
        yield url


@pytest.fixture(scope="session")
def endless(shared: Path) -> Iterator[str]:
    """Start the newest, but with a model that never comes to an end, so that somebody can leave it."""
    with llama(shared, [*BUILDS][-1], endless=True) as url:
        yield url


@pytest.fixture(scope="session")
def llmock(shared: Path) -> Iterator[str]:
    """Start the server that injects faults and judges its client; give its URL."""
    with engine(shared, "llmock") as url:
        yield url


@pytest.fixture(scope="session")
def aimock(shared: Path) -> Iterator[str]:
    """Start the server that speaks both APIs from one file of fixtures; give its URL."""
    with engine(shared, "aimock") as url:
        yield url
