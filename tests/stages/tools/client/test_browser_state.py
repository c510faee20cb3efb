"""The state of a browser, in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from stages.tools.client.browser_state import browser_state_text
from tests.stages.strategies import JSON, OBJECTS

DOCS = {"tab_id": "t1", "title": 'The "docs"', "url": "https://a.io"}
BLANK = {"tab_id": "t2", "title": "", "url": "about:blank", "active": True}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"tabs": []}, "No tabs are open."),
        ({"tabs": [DOCS]}, 'Open tabs:\n- t1: "The \\"docs\\"", https://a.io'),
        (
            {"tabs": [DOCS, BLANK], "state_changes": [{"type": "tab_opened", "tab_id": "t2"}]},
            """Tab t2 was opened.\nOpen tabs:\n- t1: "The \\"docs\\"", https://a.io\n- t2: "", about:blank (active)""",
        ),
        (
            {"tabs": [], "state_changes": [{"type": "download_completed", "download_id": "d", "url": "https://x"}]},
            "No tabs are open.",
        ),
        ({"tabs": [], "state_changes": None}, "No tabs are open."),
    ],
)
def test_tabs_are_said_in_words(fields: dict[str, Any], text: str) -> None:
    """Every tab, the active one, and the new ones; downloads are not the block's to tell."""
    assert browser_state_text({"type": "browser_state", **fields}) == text


@pytest.mark.parametrize("fields", [{}, {"tabs": None}, {"tabs": ["t1"]}, {"tabs": [], "state_changes": ["x"]}])
def test_what_has_not_the_shape_is_not_said(fields: dict[str, Any]) -> None:
    """Then the block is shown as any unknown one is."""
    assert browser_state_text(fields) is None


@given(JSON, JSON, OBJECTS)
def test_any_state_is_said_or_not(tabs: Any, changes: Any, tab: dict[str, Any]) -> None:
    """Nothing raises."""
    for body in ({"tabs": tabs, "state_changes": changes}, {"tabs": [tab], "state_changes": changes}):
        assert browser_state_text(body) is None or "pen" in str(browser_state_text(body))
