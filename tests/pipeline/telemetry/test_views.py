"""What is remembered of what was counted."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from pipeline.telemetry import semantics, views
from pipeline.telemetry.semantics import METRICS
from pipeline.telemetry.tally import Form, Labels, Number, Snapshot

_LABELS = [view.metric for view in views.VIEWS.values()]
_COUNTS = st.integers(0, 9).map(float)


def _series(name: str) -> st.SearchStrategy[dict[Labels, Number]]:
    metric = METRICS[name]
    number = st.lists(_COUNTS, min_size=3, max_size=3) if metric.form is Form.HISTOGRAM else _COUNTS
    return st.dictionaries(st.tuples(*[st.sampled_from("abc")] * len(metric.labels)), number, max_size=9)


def _sum(series: Mapping[Labels, Number]) -> float:
    return sum(sum(number) if isinstance(number, list) else number for number in series.values())


@given(st.fixed_dictionaries({name: _series(name) for name in _LABELS}))
def test_a_view_is_all_of_its_metric(numbers: Snapshot) -> None:
    """However its series are put together, nothing is lost and nothing counted twice."""
    seen = views.views_of(numbers)
    for name, view in views.VIEWS.items():
        assert _sum(seen.get(name, {})) == _sum(numbers[view.metric])
        assert all(len(labels) == len(view.labels) for labels in seen.get(name, {}))


def test_whoever_watches_is_in_no_picture() -> None:
    """A page that is open would be most of what it shows."""
    labels = METRICS[semantics.REQUESTS].labels
    series: dict[Labels, Number] = {
        tuple(route if label == semantics.ROUTE else "ok" for label in labels): 1.0
        for route in ("/metrics", "/v1/messages")
    }
    assert views.views_of({semantics.REQUESTS: series}) == {views.OUTCOMES: {("ok",): 1.0}}


def test_views_grow() -> None:
    """Only of what grows, a difference between two looks says something."""
    assert all(METRICS[view.metric].form in (Form.COUNTER, Form.HISTOGRAM) for view in views.VIEWS.values())
