"""The function that stands for an advisor."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.request import ServerTool
from stages.tools.hosted.advisor import advisor_function


@pytest.mark.parametrize(
    ("declared", "strict", "left"),
    [({}, None, {}), ({"strict": True}, True, {}), ({"strict": False, "odd": 1}, None, {"odd": 1})],
)
def test_how_it_is_declared(declared: dict[str, Any], strict: bool | None, left: dict[str, Any]) -> None:
    """It takes nothing, so it can be strict; what nobody has words for is kept, for the report."""
    body = {"type": "advisor_20260301", "model": "claude-opus-5-5", **declared}
    (made,) = advisor_function(ServerTool("advisor_20260301", "advisor", body))

    assert (made.name, made.strict, dict(made.extra)) == ("advisor", strict, left)
    assert made.input_schema == {"type": "object", "properties": {}, "additionalProperties": False}
