"""What can keep a measurement from being made."""

from __future__ import annotations


class BenchError(Exception):
    """The bench cannot do its work; the message is a sentence for the person who asked for it."""
