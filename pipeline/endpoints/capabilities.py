"""What a model can do behind this proxy, in the tree of Anthropic's `ModelCapabilities`.

Clients index this tree unguarded, so every key of SDK 2.12.0 is there; what no stage translates is false, whatever the
upstream could do.  A model that no table knows is some other server's, which as a rule runs no tools.
"""

from __future__ import annotations

from typing import Any

from stages.tables.models import Model

EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""Anthropic's efforts."""

_SERVED = {"supported": True}

_NOT_BUILT = {"supported": False}


def capabilities(model: Model) -> dict[str, Any]:
    """Describe a model by what the tables know about it."""
    reasons, hosts = bool(model.efforts), bool(model.prefix)
    return {
        "batch": _NOT_BUILT,
        "citations": _NOT_BUILT,
        "code_execution": _leaf(hosts),
        "compaction": {**_SERVED, "summarize": _SERVED},
        "context_management": {
            **_SERVED,
            "clear_thinking_20251015": _SERVED,
            "clear_tool_uses_20250919": _SERVED,
            "compact_20260112": _NOT_BUILT,
        },
        "effort": {**_leaf(reasons), **{effort: _leaf(effort in model.efforts) for effort in EFFORTS}},
        "image_input": _SERVED,
        "pdf_input": _SERVED,
        "server_tools": {name: _leaf(hosts) for name in ("code_execution", "web_search")} | _leaf(hosts),
        "structured_outputs": _SERVED,
        "thinking": {**_leaf(reasons), "types": _thinking(reasons)},
    }


def _thinking(reasons: bool) -> dict[str, Any]:  # noqa: FBT001 - private, and read at one place
    """Say which `thinking.type` is no error: a model that must reason thinks as little as it can when told not to."""
    asked = {"adaptive": reasons, "enabled": reasons, "disabled": True, "between_tools": True}
    return {name: _leaf(supported) for name, supported in asked.items()}


def _leaf(supported: bool) -> dict[str, bool]:  # noqa: FBT001 - the one thing a leaf says
    return {"supported": supported}
