"""What every test may ask for: Hypothesis profiles, and the recordings that lie beside the repository."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
"""The repository's own folder."""

SHARED = Path(os.environ.get("DRAGOMAN_SHARED") or ROOT.parent / "shared")
"""Where recordings and reference pages lie, which may be absent: collect from it with `SHARED.glob(...)`."""

# Seconds while you type, minutes in CI, a night for the deep one, which alone draws new examples each time: elsewhere
# a red run must be the change's doing, not luck. No deadlines: a busy machine is no bug.
for _name, _examples in {"quick": 25, "ci": 50, "deep": 20_000}.items():
    settings.register_profile(
        _name,
        max_examples=_examples,
        derandomize=_name != "deep",
        deadline=None,
        # Some fixtures (MockClock) live as long as the test; our properties make their own state per example.
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of recordings; skip the test where a clone has none beside it."""
    if not SHARED.is_dir():
        pytest.skip("no folder of recordings here (DRAGOMAN_SHARED names another place)")
    return SHARED


def pytest_sessionstart() -> None:
    """Collect tests, not garbage: a hundred thousand definitions stay to the end."""
    gc.disable()


def pytest_collection_finish() -> None:
    """From the first test on, there is garbage."""
    gc.enable()


@pytest.fixture(scope="module", autouse=True)
def _old_things_rest() -> None:
    """Let the garbage collector look at what this module's tests make alone: ten thousand tests leave a large heap."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever uses the fixture `shared`, so that `-m "not shared"` leaves it out."""
    for item in items:
        if "shared" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.shared)


def pytest_xdist_auto_num_workers() -> int:
    """Share the tests among one process more than there are processors: now and then one waits for a real server."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
