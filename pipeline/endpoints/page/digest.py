"""What the page says, out of what was counted: series of the pictures, and rows of the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from pipeline.telemetry import names, semantics
from pipeline.telemetry.semantics import METRICS
from pipeline.telemetry.tally import Labels, Snapshot
from pipeline.telemetry.views import VIEWS

Cells = tuple[str, ...]
"""Cells of a table's row, as they are read."""

NOBODY = "no key"
"""What clients without a key are called."""

MAX_BAR_PARTS = 6
"""Parts of a picture's bars; the smallest share the last."""


def by(seen: Snapshot, view: str) -> dict[str, float]:
    """A view of one label, as numbers by the label's value."""
    return {value: number for (value,), number in seen.get(view, {}).items() if not isinstance(number, list)}


def parts(slots: Sequence[Snapshot], view: str, named: Callable[[str], str] = str) -> dict[str, list[float]]:
    """A view of one label, slot by slot; the largest part first, and the smallest ones as one.

    Args:
        slots: oldest first.
        view: its name.
        named: what a value of the label is called; several may be called the same.
    """
    found: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(slots))
    for place, slot in enumerate(slots):
        for value, number in by(slot, view).items():
            found[named(value)][place] += number
    ranked = sorted(found, key=lambda name: -sum(found[name]))
    kept = {name: found[name] for name in ranked[: MAX_BAR_PARTS - 1]}
    if rest := [found[name] for name in ranked[MAX_BAR_PARTS - 1 :]]:
        kept["the rest"] = [sum(values) for values in zip(*rest, strict=True)]
    return kept


def answered(outcome: str) -> str:
    """Call an outcome good, the client's own, or a failure."""
    return "answered" if outcome == names.OK else "client left" if outcome == names.CLIENT_LEFT else "failed"


def usage_rows(total: Snapshot, tokens: str, cost: str) -> list[Cells]:
    """Views of tokens and cost, the dearest first: name, prompt, share of it from the cache, answer, cost."""
    costs, kinds_of = by(total, cost), dict[str, dict[str, float]]()
    for (name, kind), number in total.get(tokens, {}).items():
        if not isinstance(number, list):
            kinds_of.setdefault(name, dict.fromkeys(semantics.TOKEN_TYPES, 0.0))[kind] = number
    rows: list[tuple[float, Cells]] = []
    for name, kinds in kinds_of.items():
        prompt = kinds["input"] + kinds["cache_read"] + kinds["cache_write"]
        paid = costs.get(name)
        cached = f"{100 * kinds['cache_read'] / prompt:.0f} %" if prompt else ""
        rows.append(
            (paid or 0.0, (name or NOBODY, short_number(prompt), cached, short_number(kinds["output"]), dollars(paid)))
        )
    return [row for _, row in sorted(rows, key=lambda each: (-each[0], each[1]))]


def count_rows(counts: Mapping[str, float], named: Callable[[str], str] = str) -> list[Cells]:
    """Names and how often, the most frequent first."""
    ranked = sorted(counts.items(), key=lambda each: -each[1])
    return [(named(name), short_number(number)) for name, number in ranked]


def health_rows(numbers: Snapshot, now: float) -> list[Cells]:
    """Upstreams by host: how long ago each answered well and failed for the last time, and with which word."""
    answers = {host: when for (host,), when in _moments(numbers, semantics.LAST_ANSWER)}
    failures: dict[str, tuple[float, str]] = {}
    for (host, word), when in _moments(numbers, semantics.LAST_FAILURE):
        failures[host] = max(failures.get(host, (0.0, "")), (when, word))
    rows: list[Cells] = []
    for host in sorted({*answers, *failures}):
        failed, word = failures.get(host, (None, ""))
        rows.append((host, ago(answers.get(host), now), ago(failed, now), word))
    return rows


def _moments(numbers: Snapshot, name: str) -> Iterator[tuple[Labels, float]]:
    return ((labels, when) for labels, when in numbers.get(name, {}).items() if not isinstance(when, list))


def ago(when: float | None, now: float) -> str:
    """Write how long ago a moment was, in seconds of Unix time: 8 s ago, 5 min ago; `never` where there was none."""
    if when is None:
        return "never"
    seconds = max(now - when, 0.0)
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {word} ago"
    return f"{seconds:.0f} s ago"


def short_number(number: float) -> str:
    """Write a number of things: 950, 12.3k, 4.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"


def dollars(amount: float | None) -> str:
    """Write a sum of money; nothing where no price is known."""
    if not amount:
        return "" if amount is None else "$0"
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"


def median_of(total: Snapshot, view: str) -> str:
    """Write the median of a histogram, as its buckets tell it: at most so many seconds."""
    bounds, buckets = METRICS[VIEWS[view].metric].bounds, total.get(view, {}).get(())
    if not isinstance(buckets, list):
        return "none yet"
    seen, half = 0.0, sum(buckets[:-1]) / 2
    for bound, number in zip(bounds, buckets, strict=False):
        seen += number
        if seen >= half:
            return f"≤ {bound:g} s"
    return f"> {bounds[-1]:g} s"
