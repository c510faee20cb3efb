"""A table of what recorded requests lose on their way up: `python -m tests.end_to_end.explained [FOLDER]`.

Each request to `POST /v1/messages` of a folder of recordings is translated as `explain` does it; what is dropped or
approximated is counted by field and reason, each once a request.  Two commits are compared by two tables.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.endpoints.translation import Question, explained
from stages.canonical.failure import Failure
from stages.canonical.report import UNFAITHFUL
from stages.canonical.request import Caller
from stages.mapper import Target
from tests.conftest import SHARED

Loss = tuple[str, str, str]
"""A field, without the numbers in its path; what became of it; and why."""

_UNFAITHFUL = frozenset(disposition.value for disposition in UNFAITHFUL)


def bodies(folder: Path) -> Iterator[bytes]:
    """The requests for a message, or for a count of one, that lie in a folder."""
    for path in sorted(folder.rglob("*.json")):
        record = json.loads(path.read_bytes())
        many = record.get("requests") or [{"body": record.get("request")}] if isinstance(record, dict) else []
        for one in many:
            body = one.get("body")
            if isinstance(body, dict) and isinstance(body.get("messages"), list):
                yield json.dumps(body).encode()


def losses(body: bytes) -> set[Loss] | None:
    """What one request loses; None where it is refused."""
    question = Question(Caller(), Target(account="acc"), "msg_explained", counting=True)
    told = explained(question, body)
    if isinstance(told, Failure):
        return None
    notes = json.loads(bytes(told[0]["report"]))
    return {
        (re.sub(r"\.\d+", ".N", note["path"]), note["fate"], note["reason"])
        for note in notes
        if note["fate"] in _UNFAITHFUL
    }


def table(found: Iterable[set[Loss] | None]) -> list[str]:
    """The lines of the table: how many requests there are, then the losses, the most frequent first."""
    every = list(found)
    counted = Counter(loss for lost in every for loss in lost or ())
    refused, touched = sum(lost is None for lost in every), sum(bool(lost) for lost in every)
    rows = [f"| {count} | `{field}` | {fate} | {reason} |" for (field, fate, reason), count in counted.most_common()]
    head = f"{len(every)} requests: {refused} refused, {touched} with a loss, {len(counted)} kinds of loss"
    return [head, "", "| requests | field | fate | reason |", "| --- | --- | --- | --- |", *rows]


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else SHARED / "recordings/anthropic"
    print("\n".join(table(map(losses, bodies(folder)))))
