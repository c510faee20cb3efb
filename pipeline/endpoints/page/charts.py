"""Pictures as inline SVG: bars of one slot each, put on top of each other; made here, so that they need no script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import attrs

WIDTH, HEIGHT = 600, 120
"""Of a picture, in its own units; it grows with the page."""

COLOURS = 6
"""Colours that the page has for the parts of a bar, `c0` to `c5`; what is beyond shares the last."""

_FIXED = {"answered": 0, "ok": 0, "hit": 0, "failed": 4, "client left": 5}
# Parts that have the same colour wherever they are: what is good is blue, what is bad is red.

_GAP = 0.2  # of a bar's place


@attrs.frozen
class Chart:
    """One picture.

    Attributes:
        title: what it shows, in a few words.
        parts: what a bar is made of, from below: a name, and its value in each slot, oldest first.
        written: writes a value as a person reads it.
        when: says of each slot when it was.
    """

    title: str
    parts: Mapping[str, Sequence[float]]
    written: Callable[[float], str]
    when: Sequence[str]


def svg(chart: Chart) -> str:
    """Draw a chart; a bar says under the pointer what it stands for."""
    sums = [sum(values) for values in zip(*chart.parts.values(), strict=True)] or [0.0] * len(chart.when)
    top = max(sums, default=0.0)
    bars = "".join(_bar(chart, slot, top) for slot in range(len(chart.when)) if sums[slot])
    label = f"{chart.title}: {chart.written(sum(sums))} in all, {chart.written(top)} at most"
    return (
        f"<figure><figcaption><h2>{escape(chart.title)}</h2> <b>{escape(chart.written(sum(sums)))}</b>"
        f"{_legend(chart)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT + 18}" role="img" aria-label="{escape(label)}">'
        f'<line x1="0" y1="{HEIGHT}" x2="{WIDTH}" y2="{HEIGHT}" class="axis"/>{bars}'
        f'<text x="0" y="{HEIGHT + 16}" class="low">{escape(chart.when[0])}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT + 16}" class="end low">now</text>'
        f'<text x="{WIDTH}" y="11" class="end">{escape(chart.written(top))}</text></svg></figure>'
    )


def colour(name: str, place: int) -> str:
    """Name the colour of a part, by what it is called or by its place."""
    return f"c{_FIXED.get(name, min(place, COLOURS - 1))}"


def _bar(chart: Chart, slot: int, top: float) -> str:
    step = WIDTH / len(chart.when)
    drawn, said, y = "", [chart.when[slot]], float(HEIGHT)
    for place, (name, values) in enumerate(chart.parts.items()):
        if values[slot]:
            height = values[slot] / top * (HEIGHT - 16)
            y -= height
            drawn += (
                f'<rect x="{(slot + _GAP / 2) * step:.1f}" y="{y:.1f}" width="{step * (1 - _GAP):.1f}"'
                f' height="{height:.1f}" class="{colour(name, place)}"/>'
            )
            said.append(f"{name}: {chart.written(values[slot])}")
    return f"<g><title>{escape(chr(10).join(said))}</title>{drawn}</g>"


def _legend(chart: Chart) -> str:
    keys = (f'<li class="{colour(name, place)}">{escape(name)}</li>' for place, name in enumerate(chart.parts))
    return f"<ul>{''.join(keys)}</ul>" if len(chart.parts) > 1 else ""
