"""How a server is asked to end: each step once, and none is taken back."""

from __future__ import annotations

from pipeline.server.shutdown import Shutdown


def test_who_asks_first_counts() -> None:
    """A second one changes nothing, except that it may be in a hurry."""
    asked = Shutdown()
    asked.begin("SIGTERM")
    asked.begin("reload", closed=True)
    assert (asked.by, asked.closed, asked.hurried.is_set()) == ("SIGTERM", False, False)
    asked.hurry("SIGINT")
    assert (asked.by, asked.begun.is_set(), asked.hurried.is_set()) == ("SIGTERM", True, True)


def test_a_hurry_begins_the_end() -> None:
    """There may have been no word before it."""
    asked = Shutdown(closed=True)
    asked.hurry("SIGINT")
    assert (asked.by, asked.closed, asked.begun.is_set()) == ("SIGINT", True, True)
