"""Counts what a computation costs in steps of the interpreter, which are the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


class TooManyStepsError(BaseException):
    """The computation was stopped; no handler of ours takes it for one of its own exceptions."""


def steps_of(compute: Callable[[], Any], most: int) -> int:
    """Run a computation, and count the bytecodes that it executes.

    Args:
        compute: what to run, in this thread.
        most: after this many it is stopped, so that a test of something endless ends.

    Raises:
        TooManyStepsError: it was stopped.
    """
    counted = 0

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        nonlocal counted
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        if event == "opcode":
            counted += 1
            if counted > most:
                raise TooManyStepsError
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        compute()
    finally:
        sys.settrace(before)
    return counted
