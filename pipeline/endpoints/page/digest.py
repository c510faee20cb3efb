"""What the page says, out of what was counted: series of the pictures, and rows of the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from pipeline.telemetry import names, semantics
from pipeline.telemetry.semantics import METRICS
from pipeline.telemetry.tally import Labels, Snapshot

Cells = tuple[str, ...]
"""Cells of a table's row, as they are read."""

NOBODY = "no key"
"""What clients without a key are called."""

MAX_BAR_PARTS = 6
"""Parts of a picture's bars; the smallest share the last."""


def summed(snapshot: Snapshot, metric: str, *labels: str) -> dict[Labels, float]:
    """Sum a counter by some of its labels."""
    places = [METRICS[metric].labels.index(label) for label in labels]
    sums: dict[Labels, float] = defaultdict(float)
    for values, number in snapshot.get(metric, {}).items():
        if not isinstance(number, list):
            sums[tuple(values[place] for place in places)] += number
    return dict(sums)


def parts(
    slots: Sequence[Snapshot], metric: str, label: str, named: Callable[[str], str] = str
) -> dict[str, list[float]]:
    """Split a counter by one label, slot by slot; the largest part first, and the smallest ones as one.

    Args:
        slots: oldest first.
        metric: the counter.
        label: what it is split by.
        named: what a value of the label is called; several may be called the same.
    """
    by_slot = [by(slot, metric, label) for slot in slots]
    found: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(slots))
    for place, sums in enumerate(by_slot):
        for value, number in sums.items():
            found[named(value)][place] += number
    ranked = sorted(found, key=lambda name: -sum(found[name]))
    kept = {name: found[name] for name in ranked[: MAX_BAR_PARTS - 1]}
    if rest := [found[name] for name in ranked[MAX_BAR_PARTS - 1 :]]:
        kept["the rest"] = [sum(values) for values in zip(*rest, strict=True)]
    return kept


def without_watchers(snapshot: Snapshot) -> Snapshot:
    """Leave out the requests of whoever watches, this page among them."""
    place = METRICS[semantics.REQUESTS].labels.index(semantics.ROUTE)
    requests = snapshot.get(semantics.REQUESTS, {})
    kept = {labels: number for labels, number in requests.items() if labels[place] not in semantics.WATCHING}
    return {**snapshot, semantics.REQUESTS: kept}


def answered(outcome: str) -> str:
    """Call an outcome good, the client's own, or a failure."""
    return "answered" if outcome == names.OK else "client left" if outcome == names.CLIENT_LEFT else "failed"


def usage_rows(total: Snapshot, label: str) -> list[Cells]:
    """Cost and tokens by a label, the dearest first: name, prompt, share of it from the cache, answer, cost."""
    tokens = summed(total, semantics.TOKENS, label, semantics.TOKEN_TYPE)
    costs = by(total, semantics.COST, label)
    rows: list[tuple[float, Cells]] = []
    for name in {name for name, _ in tokens}:
        kinds = {kind: tokens.get((name, kind), 0.0) for kind in semantics.TOKEN_TYPES}
        prompt = kinds["input"] + kinds["cache_read"] + kinds["cache_write"]
        cost = costs.get(name)
        cached = f"{100 * kinds['cache_read'] / prompt:.0f} %" if prompt else ""
        rows.append(
            (cost or 0.0, (name or NOBODY, short_number(prompt), cached, short_number(kinds["output"]), dollars(cost)))
        )
    return [row for _, row in sorted(rows, key=lambda each: (-each[0], each[1]))]


def by(snapshot: Snapshot, metric: str, label: str) -> dict[str, float]:
    """Sum a counter by one of its labels."""
    return {value: number for (value,), number in summed(snapshot, metric, label).items()}


def count_rows(counts: Mapping[str, float], named: Callable[[str], str] = str) -> list[Cells]:
    """Names and how often, the most frequent first."""
    ranked = sorted(counts.items(), key=lambda each: -each[1])
    return [(named(name), short_number(number)) for name, number in ranked]


def short_number(number: float) -> str:
    """Write a number of things: 950, 12.3k, 4.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f}{letter}"
    return f"{number:.0f}"


def dollars(amount: float | None) -> str:
    """Write a sum of money; nothing where no price is known."""
    return "" if amount is None else f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"


def median_of(total: Snapshot, metric: str) -> str:
    """Write the median of a histogram, as its buckets tell it: at most so many seconds."""
    bounds = METRICS[metric].bounds
    buckets = [0.0] * (len(bounds) + 1)
    for number in total.get(metric, {}).values():
        if isinstance(number, list):
            buckets = [one + other for one, other in zip(buckets, number[:-1], strict=True)]
    seen, half = 0.0, sum(buckets) / 2
    if not half:
        return "none yet"
    for bound, number in zip(bounds, buckets, strict=False):
        seen += number
        if seen >= half:
            return f"≤ {bound:g} s"
    return f"> {bounds[-1]:g} s"
