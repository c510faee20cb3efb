"""The `browser_state` block of a result: which tabs the client's browser has, said in words for the model.

Anthropic's server renders the block as well, and never shows it as it is.  What it tells depends on the call and on the
results before; here every block tells the same way, so that its words depend on nothing else (law 9).  Downloads are
left out, as they are there: a client says them in a text beside the block.

Source: `BrowserStateBlockParam` of the Anthropic SDK 2.12.0, and the page "Browser use tool".
"""

from __future__ import annotations

from typing import Any

from stages.canonical.request import JsonObject
from stages.wire import json

BROWSER_STATE = "browser_state"
"""The block's `type`."""


def browser_state_text(body: JsonObject) -> str | None:
    """Say in words which tabs are open, and which were opened just now; None for a block that has not its shape."""
    tabs: Any = body.get("tabs")
    changes: Any = body.get("state_changes") or []
    if not _objects(tabs) or not _objects(changes):
        return None
    opened = [f"Tab {change.get('tab_id')} was opened." for change in changes if change.get("type") == "tab_opened"]
    head = "Open tabs:" if tabs else "No tabs are open."
    return "\n".join([*opened, head, *map(_line, tabs)])


def _objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _line(tab: JsonObject) -> str:
    """Say one tab; its title is the page's own words, so it is quoted."""
    title = json.encode(str(tab.get("title") or "")).decode()
    active = " (active)" if tab.get("active") is True else ""
    return f"- {tab.get('tab_id')}: {title}, {tab.get('url')}{active}"
