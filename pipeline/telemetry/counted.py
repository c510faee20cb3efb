"""What was counted, by one process or by all that share a port, and what can be asked about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import attrs

from pipeline.telemetry.recent import Recent
from pipeline.telemetry.tally import Snapshot
from pipeline.telemetry.usage_by_session import UsageBySession

CountQuestion = Mapping[str, str]
"""A question about what was counted; which there are, the endpoints know."""

Inquire = Callable[[CountQuestion], Awaitable[str | None]]
"""Answers a question; None where nobody does in time."""


@attrs.frozen
class Counted:
    """Where it is found.

    Attributes:
        numbers: tells what was counted until now.
        recent: the same in the last hour and day.
        usage: what the sessions of clients have used.
    """

    numbers: Callable[[], Snapshot]
    recent: Recent
    usage: UsageBySession
