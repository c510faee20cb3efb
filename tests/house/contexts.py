"""A pytest plugin that tells coverage which test is running: `coverage run -m pytest -p tests.house.contexts`.

Coverage can find the test by itself only on the stack, and what a test starts in a nursery has no test on its stack.
"""

from __future__ import annotations

from collections.abc import Iterator

import coverage
import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Record all lines run from here to the test's end under the test's id; imports stay under the empty one."""
    running = coverage.Coverage.current()
    if running is not None:
        running.switch_context(item.nodeid)
    result = yield
    if running is not None:
        running.switch_context("")
    return result
