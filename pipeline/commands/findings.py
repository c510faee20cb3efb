"""What `dragoman check` finds out: a verdict, a sentence, and advice where something can be done."""

from __future__ import annotations

import enum

import attrs


class Verdict(enum.Enum):
    """How grave a finding is; the value is what the screen shows."""

    OK = "ok"
    WARN = "warn"
    """It works, but perhaps not as expected."""
    UNKNOWN = "?"
    """It could not be looked at, so nothing is said about it."""
    FAIL = "fail"
    """It does not work; the command ends with exit code 1."""


@attrs.frozen
class Finding:
    """The result of one check.

    Args:
        verdict: How grave it is.
        text: What was found; no key, ever.
        advice: What to do; empty when there is nothing to do.
    """

    verdict: Verdict
    text: str
    advice: str = ""


def ok(text: str) -> Finding:
    """Make a finding that all is well."""
    return Finding(Verdict.OK, text)


def warn(text: str, advice: str = "") -> Finding:
    """Make a finding that something should be looked at."""
    return Finding(Verdict.WARN, text, advice)


def fail(text: str, advice: str) -> Finding:
    """Make a finding that something does not work."""
    return Finding(Verdict.FAIL, text, advice)


def unknown(text: str) -> Finding:
    """Make a finding that something could not be looked at."""
    return Finding(Verdict.UNKNOWN, text)
