"""What something costs, counted: calls are the same on a busy machine, seconds are not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

_CALLS = frozenset({"call", "c_call"})


def calls_of(function: Callable[[], object]) -> int:
    """Count the calls that a function makes, of functions in Python and of those in C; the call of itself is one.

    A loop over n things counts n times what it calls for each, and nothing where it calls nothing. The count is this
    thread's alone, and the same on each run once caches are warm.
    """
    count = 0

    def heard(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in _CALLS

    before = sys.getprofile()
    sys.setprofile(heard)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count - 1  # the last call is that of `setprofile`
