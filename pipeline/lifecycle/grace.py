"""How long running requests have when the server is told to stop, where nobody has set that.

A person who pressed Ctrl-C waits for the prompt. An orchestrator waits as long as it was told to, and a stream that
it cuts is a turn that somebody pays for twice.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from pipeline.settings import Timing

AT_A_TERMINAL = 10.0
"""Seconds, for a person."""

ORCHESTRATED = 600.0
"""Seconds, for systemd, Kubernetes, a container, or whatever else starts a program without a terminal."""

_ORCHESTRATORS = ("NOTIFY_SOCKET", "KUBERNETES_SERVICE_HOST")
# Set by systemd for a unit of `Type=notify`, and by Kubernetes for every container.


def grace_of(timing: Timing, environment: Mapping[str, str], *, terminal: bool) -> float:
    """Return the grace in seconds.

    Args:
        timing: has the setting, which counts more than any guess.
        environment: tells of an orchestrator.
        terminal: whether this process has one.
    """
    if timing.shutdown_grace is not None:
        return timing.shutdown_grace
    person = terminal and not any(map(environment.get, _ORCHESTRATORS))
    return AT_A_TERMINAL if person else ORCHESTRATED


def grace_here(timing: Timing) -> float:
    """Return the grace of this process, in seconds."""
    return grace_of(timing, os.environ, terminal=has_terminal())


def has_terminal() -> bool:
    """Tell whether a person sits in front of this process: standard input or standard error is a terminal."""
    return any(stream is not None and not stream.closed and stream.isatty() for stream in (sys.stdin, sys.stderr))
