"""Places of a request, out of the paths that a client reads."""

from __future__ import annotations

from stages.canonical.place import ROOT, Place


def place(path: str) -> Place:
    """The place that a dotted path names; a step of digits is an entry of a list."""
    found = ROOT
    for step in path.split("."):
        found = found.at(int(step)) if step.isascii() and step.isdigit() else found.field(step)
    return found
