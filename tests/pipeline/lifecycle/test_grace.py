"""How long an end may take, by who is there."""

from __future__ import annotations

import pytest

from pipeline.lifecycle.grace import AT_A_TERMINAL, ORCHESTRATED, grace_of
from pipeline.settings import Timing


@pytest.mark.parametrize(
    ("environment", "terminal", "grace"),
    [
        ({}, True, AT_A_TERMINAL),
        ({}, False, ORCHESTRATED),
        ({"NOTIFY_SOCKET": "/run/systemd/notify"}, True, ORCHESTRATED),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, True, ORCHESTRATED),
        ({"NOTIFY_SOCKET": ""}, True, AT_A_TERMINAL),
    ],
)
def test_who_waits(environment: dict[str, str], terminal: bool, grace: float) -> None:
    """A person waits for the prompt, an orchestrator for the streams; what was set counts more."""
    assert grace_of(Timing(), environment, terminal=terminal) == grace
    assert grace_of(Timing(shutdown_grace=7.0), environment, terminal=terminal) == 7.0
