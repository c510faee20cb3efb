"""The names of log events."""

from __future__ import annotations

import re

from pipeline.telemetry import names


def test_names_are_distinct_words() -> None:
    """Each name is said once, and in the same form as all the others."""
    known = [value for name, value in vars(names).items() if name.isupper()]

    assert len(known) == len(set(known))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in known)
