"""What the tables call kept or translated does reach the upstream: every text of every sample, marked in turn."""

from __future__ import annotations

import json

from stages.canonical.report import Disposition
from stages.canonical.request import Caller, Request
from stages.decoder import decode_request
from stages.mapper import Mapped, Target, map_request
from stages.tables.fields import NODES
from tests.support.cases import cases
from tests.support.field_canaries import MARK, MEANT, Marked, marked

ALL = list(marked())


def mapped(case: Marked) -> Mapped:
    """Map a marked body."""
    request = decode_request(json.dumps(case.body).encode())
    assert isinstance(request, Request), request
    return map_request(request, Caller(), Target(), message_id="msg_1")


@cases(
    "case",
    [case for case in ALL if (case.node, case.field) not in MEANT],
    ids=lambda case: f"{case.node}.{case.field}",
)
def test_a_value_arrives(case: Marked) -> None:
    """The mark is in what goes upstream."""
    assert case.row.disposition is not Disposition.DROPPED
    assert MARK in json.dumps(mapped(case).body)


def test_what_is_meant_otherwise_is_there() -> None:
    """The list of exceptions names fields that there are, and none too many."""
    assert set(MEANT) <= {(case.node, case.field) for case in ALL}
    assert all(name in NODES[node] for node, name in MEANT)
