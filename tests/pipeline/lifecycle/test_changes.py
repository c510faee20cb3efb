"""What a reload may change."""

from __future__ import annotations

import attrs
import pytest

from pipeline.lifecycle.changes import changes
from pipeline.settings import Secret, Settings, Timing, UpstreamSettings

_OLD = Settings(upstream=UpstreamSettings(api_key=Secret("old")))


def test_names_and_never_values() -> None:
    """A key that changed is said by its name; what needs a restart stays as it was."""
    new = attrs.evolve(_OLD, port=1, timing=Timing(idle=1.0), upstream=UpstreamSettings(api_key=Secret("new")))

    found = changes(_OLD, new)

    assert found.taken == ("upstream.api_key", "timing.idle")
    assert found.fixed == ("port",)
    assert found.settings == attrs.evolve(new, port=_OLD.port)


@pytest.mark.parametrize(
    ("old", "new", "fixed"),
    [
        ({}, {"certfile": "c", "keyfile": "k"}, ("certfile", "keyfile")),
        ({"certfile": "c", "keyfile": "k"}, {"certfile": "d", "keyfile": "k"}, ()),
        ({}, {"workers": 2}, ("workers",)),
        ({"workers": 2}, {"workers": 3, "http1": "hypercorn", "host": "::1"}, ("host",)),
        ({"workers": 2}, {"workers": 1}, ("workers",)),
    ],
)
def test_what_a_process_was_begun_with(old: dict[str, object], new: dict[str, object], fixed: tuple[str, ...]) -> None:
    """Its socket, and who speaks on it; workers are new processes, and only the socket is older."""
    found = changes(Settings(**old), Settings(**new))  # type: ignore[arg-type] # of any setting

    assert found.fixed == fixed
