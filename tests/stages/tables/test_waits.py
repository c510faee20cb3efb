"""How long to wait, in words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stages.tables.waits import wait_in
from tests.support.cases import cases


@cases(
    ("sentence", "wait"),
    [
        ("Please retry after 17 seconds.", 17),
        ("Try again in 00:01:05", 65),
        ("Please try again in 6.2s. Visit the page.", 7),
        ("Please try again in 120ms.", 1),
        ("Please try again in 1m26.4s", 87),
        ("try again in 5 minutes", 300),
        ("Please wait 30 seconds before the next request", 30),
        ("wait 2 minutes and 5 seconds", 125),
        ("Retry after 17", 17),
        ("retry-after: 9", 9),
        ("The limit resets in 1h2m3s", 3723),
        ("Please retry in 42.5s.", 43),
        ("请在17秒后重试", 17),
        ("réessayez dans 15 secondes", 15),
        ("Bitte in 25 Sekunden erneut versuchen", 25),
        ("in 500ms please retry", 1),
        ("cooling down for 30s", 30),
        ("Please try again in a moment.", None),
        ("limit of 40000 tokens per minute. Retry later", None),
        ("Limit 30000, used 29000", None),
        ("", None),
    ],
)
def test_spans(sentence: str, wait: int | None) -> None:
    """Rounded up, in whatever units; a number that is no span is none."""
    assert wait_in(sentence) == wait


@given(st.text(alphabet="retry after in 0123456789smhd.,", max_size=80))
def test_any_text(sentence: str) -> None:
    """Whatever stands there, it is a number of seconds or nothing."""
    wait = wait_in(sentence)

    assert wait is None or wait >= 0
