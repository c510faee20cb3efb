"""The table of what recorded requests lose: what it counts."""

from __future__ import annotations

import json
from pathlib import Path

from tests.end_to_end.explained import bodies, losses, table


def test_a_folder(tmp_path: Path) -> None:
    """Each loss once a request, whatever its index; what is refused is counted, and what is no request is not."""
    asked = {"model": "claude-sonnet-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    odd = {"type": "odd", "a": 1}
    recorded = [
        {"request": {**asked, "top_k": 5}},
        {"request": {**asked, "messages": [{"role": "user", "content": [odd, odd]}]}},
        {"requests": [{"body": asked}, {"body": {**asked, "max_tokens": "x"}}, {"body": {"prompt": "x"}}]},
        [1],
    ]
    for at, record in enumerate(recorded):
        (tmp_path / f"{at}.json").write_text(json.dumps(record))
    head, _, *rows = table(map(losses, bodies(tmp_path)))

    assert head == "4 requests: 1 refused, 2 with a loss, 2 kinds of loss"
    assert sorted(row.split("|")[2].strip() for row in rows[2:]) == ["`messages.N.content.N`", "`top_k`"]
